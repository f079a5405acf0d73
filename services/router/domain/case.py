"""The state of a case. `fold.py` computes it from the facts of the case's decisions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal, NamedTuple

from services.router.domain import facts
from services.router.domain.words import Text
from shared.contracts.fields import Contact

PartState = Literal["offered", "accepted", "contributed", "returned", "withdrawn"]
Status = Literal["unknown", "registered", "triage", "assigned", "in-progress", "awaiting-release", "answered"]
OPEN = ("offered", "accepted")
ACTIVE = (*OPEN, "contributed")


class Inquiry(NamedTuple):
    """The resident's message. After an erasure `subject` and `body` are empty."""

    subject: Text
    body: Text
    channel: str
    area: str | None
    contact: Contact | None
    departments: tuple[str, ...]
    public: bool
    confidential: bool
    language: facts.Language
    received_at: str

    @property
    def shown_in_hall(self) -> bool:
        return self.public and not self.confidential


class PartReturn(NamedTuple):
    """Why a department returned its part: the reason as the department wrote it, and its words, empty when erased."""

    reason: str
    words: Text


class Author(NamedTuple):
    """Who wrote a text: a staff user by number, or with `user` None anybody at the department, which uses Kafka.

    `department` is None for a user of the whole city.
    """

    department: str | None
    user: int | None


class Part(NamedTuple):
    """One department's share of the inquiry: `text` is its final contribution, `draft` its newest draft."""

    id: str
    department: str
    role: facts.Role
    due: facts.DueTexts
    state: PartState = "offered"
    text: Text | None = None
    draft: str | None = None
    policy_id: str = ""
    returned: PartReturn | None = None
    author: Author | None = None
    """Who wrote `text`."""

    @property
    def active(self) -> bool:
        """Whether the part counts for the joint reply: it is open or contributed, not returned or withdrawn."""
        return self.state in ACTIVE


class ReplyParagraph(NamedTuple):
    """One part's paragraph in a joint reply. `before` is the separator and the heading in front of `text`."""

    part_id: str
    department: str
    name: str
    before: str
    text: Text


class ReplyFrame(NamedTuple):
    """What the lead adds around the paragraphs, and their order by department; empty for the lead first."""

    opening: Text | None = None
    closing: Text | None = None
    order: tuple[str, ...] = ()
    authors: frozenset[Author] = frozenset()


NO_FRAME = ReplyFrame()


class JointReply(NamedTuple):
    """One version of the joint reply. Department names are those of the moment when it was composed."""

    id: str
    version: int
    round: int
    text: Text
    paragraphs: tuple[ReplyParagraph, ...]
    frame: ReplyFrame = NO_FRAME

    @property
    def sha256(self) -> str:
        """The SHA-256 of the UTF-8 text, in hexadecimal: an approval names it."""
        return sha256(self.text.text.encode()).hexdigest()


class PendingRelease(NamedTuple):
    """The newest version of the joint reply waits for approvals. `approved_by`: the numbers of the users so far."""

    approvers: int
    approved_by: tuple[int, ...] = ()

    @property
    def complete(self) -> bool:
        return len(self.approved_by) >= self.approvers


class DecidedInput(NamedTuple):
    """An input that this case has decided: the number of its decision, its SHA-256, its partition and offset.

    An erasure deletes the `digest`.
    """

    n: int
    digest: str | None
    partition: int
    offset: int


@dataclass(slots=True)
class Case:
    """A case after its first `n` decisions; `sequence` counts its events, `head` is the SHA-256 of the last one's value.

    Cases are cached: code that changes one first makes a copy with `fold.copy_of`.
    """

    inquiry_id: str
    n: int = 0
    sequence: int = 0
    head: str | None = None
    causes: Mapping[str, DecidedInput] = field(default_factory=dict)
    inquiry: Inquiry | None = None
    parts: Mapping[str, Part] = field(default_factory=dict)
    status: Status = "unknown"
    unsettled: tuple[str | None, ...] = ()
    """What triage must settle: the ids of parts; None means the whole inquiry."""
    round: int = 1
    why: str = ""
    """The reason of the last assignment, in Chinese and English."""
    policy_id: str = ""
    """The policy of the last assignment; a part may have another one."""
    rule: str | None = None
    """The rule of the last assignment that a rule made. Its category and priority count when a person assigns later."""
    reply: JointReply | None = None
    released: JointReply | None = None
    """The joint reply that was released last."""
    frame: ReplyFrame = NO_FRAME
    """What the lead adds to the next version of the joint reply."""
    pending: PendingRelease | None = None
    """Set while the newest version of the joint reply waits for its release."""
    outdated: bool = False
    """Whether a text has changed, or must change, since the newest version of the joint reply was composed."""
    rated: frozenset[int] = frozenset()
    active_parts_cache: tuple[Part, ...] | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def weight(self) -> int:
        """The approximate size of the case in memory, in characters."""
        return 1_000 + 150 * len(self.causes) + sum(len(one.text) for one in self.texts)

    @property
    def texts(self) -> Iterator[Text]:
        """The texts that messages may refer to. The joint reply comes first because it contains the contributions."""
        if self.reply is not None:
            yield self.reply.text
        if self.inquiry is not None:
            yield self.inquiry.body
        for part in self.parts.values():
            if part.text is not None:
                yield part.text
            if part.returned is not None and part.returned.words.text:
                yield part.returned.words
        if self.reply is not None:
            yield from (one for one in (self.reply.frame.opening, self.reply.frame.closing) if one is not None)
        if self.inquiry is not None:
            yield self.inquiry.subject

    @property
    def active_parts(self) -> tuple[Part, ...]:
        """The active parts: the lead's first, the others in the order of their numbers."""
        if self.active_parts_cache is None:
            active = [part for part in self.parts.values() if part.active]
            self.active_parts_cache = tuple(sorted(active, key=lambda part: part.role != "lead"))
        return self.active_parts_cache

    @property
    def returned_parts(self) -> Iterator[tuple[Part, PartReturn]]:
        """The parts that departments returned, in the order of their numbers."""
        return ((part, part.returned) for part in self.parts.values() if part.returned is not None)

    @property
    def lead(self) -> str | None:
        """The code of the lead department; None while nobody leads."""
        return next((part.department for part in self.active_parts if part.role == "lead"), None)

    @property
    def co_handlers(self) -> tuple[str, ...]:
        return tuple(part.department for part in self.active_parts if part.role != "lead")

    @property
    def state(self) -> str:
        """The status in events and messages, which have no `unknown`."""
        return "registered" if self.status == "unknown" else self.status

    @property
    def complete(self) -> bool:
        """Whether every active part is contributed and triage has nothing to settle: the reply can be composed."""
        parts = self.active_parts
        return bool(parts) and not self.unsettled and all(part.state == "contributed" for part in parts)
