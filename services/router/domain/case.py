"""The state of a case. `fold` computes it from the facts of the case's decisions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from services.router.domain import facts
from services.router.domain.part import Arbitration, Part, PartReturn
from services.router.domain.reply import NO_FRAME, JointReply, PendingRelease, ReplyFrame
from services.router.domain.words import Text
from shared.contracts.fields import Contact

Status = Literal["unknown", "registered", "triage", "assigned", "in-progress", "awaiting-release", "answered"]
TimerKind = Literal["due-soon", "overdue", "return-arbitration"]
Announced = tuple[TimerKind, str, facts.Clock, str]
"""A timer that was recorded as a fact: its kind, part, clock and the due time of the clock."""


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
    files: tuple[str, ...] = ()

    @property
    def shown_in_hall(self) -> bool:
        return self.public and not self.confidential


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
    arbitration: Arbitration | None = None
    """Set while the case waits for an arbiter, which is in triage."""
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
    recorded_at: str = ""
    """When the input of the last decision was recorded."""
    stopped: Mapping[tuple[str, facts.Clock], str] = field(default_factory=dict)
    """When each clock of a part stopped or ended, by part and clock; a clock that runs has no entry."""
    announced: frozenset[Announced] = frozenset()
    """The timers that were recorded as facts."""
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
