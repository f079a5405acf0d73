"""The state of a case. `fold` computes it from the facts of the case's decisions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from services.router.domain import facts
from services.router.domain.hall import NO_HALL, HallState
from services.router.domain.part import Arbitration, Part, PartReturn
from services.router.domain.question import Addition, Question
from services.router.domain.reply import (
    NO_FRAME,
    Addendum,
    AnsweredRound,
    JointReply,
    PendingRelease,
    ReplyFrame,
    ReplyParagraph,
    RoundRating,
    TextChange,
)
from services.router.domain.words import Text
from shared.contracts.fields import Contact

Status = Literal[
    "unknown",
    "registered",
    "triage",
    "assigned",
    "in-progress",
    "awaiting-resident",
    "awaiting-release",
    "answered",
    "reopened",
    "closed",
    "withdrawn",
    "refused",
    "erased",
]
ENDED: tuple[Status, ...] = ("withdrawn", "refused", "erased")
"""The case has ended without an answer, or is erased: nothing follows any more."""
TimerKind = Literal["due-soon", "overdue", "return-arbitration", "asking-reminder", "asking-close", "rating-reminder"]
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
    account: str | None = None
    entered_by: str | None = None
    refers_to: str | None = None
    """The ticket number that the message names; the writer has not proven to know that ticket."""
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


class ActiveParts(NamedTuple):
    """The active parts of the joint reply, the lead's first; the pieces that departments delegated; all their departments."""

    own: tuple[Part, ...]
    delegated: tuple[Part, ...]
    departments: tuple[str, ...]


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
    """The newest version of the joint reply or of an addendum."""
    released: JointReply | None = None
    """The joint reply that was released last."""
    released_at: str = ""
    """When it was released."""
    addenda: tuple[Addendum, ...] = ()
    """The addenda to the replies of all rounds."""
    earlier: tuple[AnsweredRound, ...] = ()
    """The answers of the rounds before this one."""
    frame: ReplyFrame = NO_FRAME
    """What the lead adds to the next version of the joint reply."""
    pending: PendingRelease | None = None
    """Set while the newest version of the joint reply waits for its release."""
    outdated: bool = False
    """Whether a text has changed, or must change, since the newest version of the joint reply was composed."""
    composed: int = 0
    """The newest version of the joint reply of this round, refused corrections included."""
    composed_addendum: int = 0
    """The newest version of the addendum that is not released yet."""
    changes: tuple[TextChange, ...] = ()
    """The corrections and retractions of released replies, oldest first."""
    retracted: frozenset[str] = frozenset()
    """The ids of the parts whose released text no longer holds."""
    hall: HallState = NO_HALL
    rated: frozenset[int] = frozenset()
    ratings: tuple[RoundRating, ...] = ()
    reminded_round: int = 0
    """The last round that the resident was reminded to rate."""
    closed: facts.CloseReason | None = None
    """Why the case is closed; None while it is not."""
    recorded_at: str = ""
    """When the input of the last decision was recorded."""
    stopped: Mapping[tuple[str, facts.Clock], str] = field(default_factory=dict)
    """When each clock of a part stopped or ended, by part and clock; a clock that runs has no entry."""
    announced: frozenset[Announced] = frozenset()
    """The timers that were recorded as facts."""
    questions: tuple[Question, ...] = ()
    """The questions that wait for the resident, at most one of each part and one of the desk."""
    answered_questions: tuple[Question, ...] = ()
    """The questions that the last addition answered."""
    additions: tuple[Addition, ...] = ()
    """What the resident has added, oldest first."""
    links: tuple[str, ...] = ()
    """The ids of the inquiries to which the desk has linked this one."""
    active_parts_cache: ActiveParts | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def weight(self) -> int:
        """The approximate size of the case in memory, in characters."""
        earlier = sum(len(one.text) for one in self.earlier)
        return 1_000 + 150 * len(self.causes) + sum(len(one.text) for one in self.texts) + earlier

    @property
    def texts(self) -> Iterator[Text]:
        """The texts that messages may refer to. The joint reply comes first because it contains the contributions."""
        replies = self.replies
        yield from (one.text for one in replies)
        if self.inquiry is not None:
            yield self.inquiry.body
        for part in self.parts.values():
            if part.text is not None:
                yield part.text
            if part.returned is not None and part.returned.words.text:
                yield part.returned.words
            if part.instructions is not None and part.parent is None:
                yield part.instructions
        for reply in replies:
            yield from (one for one in (reply.frame.opening, reply.frame.closing) if one is not None)
        for reply in replies[1:]:
            yield from (one.text for one in reply.paragraphs)
        yield from (one.text for one in self.changes if one.text.text)
        yield from (one.text for one in self.additions)
        yield from (one.text for one in (*self.questions, *self.answered_questions))
        if self.ratings and (words := self.ratings[-1].words) is not None:
            yield words
        if self.inquiry is not None:
            yield self.inquiry.subject

    @property
    def replies(self) -> list[JointReply]:
        """The newest version, the released reply and the addenda of the round, each once."""
        replies = [self.reply] if self.reply is not None else []
        released = [self.released, *(one.reply for one in self.addenda_of_round)]
        return replies + [one for one in released if one is not None and one is not self.reply]

    @property
    def is_answered(self) -> bool:
        """Whether the reply of the round is released; an addendum, or a late part, may still be open."""
        return self.released is not None and self.released.round == self.round

    @property
    def addenda_of_round(self) -> tuple[Addendum, ...]:
        return tuple(one for one in self.addenda if one.reply.round == self.round)

    @property
    def released_paragraphs(self) -> tuple[ReplyParagraph, ...]:
        """What the resident reads: the paragraphs of the reply that was released last, then those of its addenda."""
        if self.released is None:
            return ()
        added = [one.reply for one in self.addenda if one.reply.round == self.released.round]
        return tuple(one for reply in (self.released, *added) for one in reply.paragraphs)

    @property
    def released_parts(self) -> frozenset[str]:
        """The ids of the parts that the resident has read in this round."""
        return frozenset(one.part_id for one in self.released_paragraphs) if self.is_answered else frozenset()

    def is_released(self, reply: JointReply | None) -> bool:
        """Whether the resident has this version, of the reply that was released last or of an addendum."""
        return reply is self.released or any(reply is one.reply for one in self.addenda)

    @property
    def reply_is_released(self) -> bool:
        """Whether the resident has the newest version."""
        return self.is_released(self.reply)

    @property
    def waits_for_addendum(self) -> bool:
        """Whether a department has contributed after the release, and the resident has not read it yet."""
        read = self.released_parts
        return self.is_answered and any(
            part.state == "contributed" and part.id not in read for part in self.active_parts
        )

    @property
    def active_parts(self) -> tuple[Part, ...]:
        """The active parts without delegated ones: the lead's first, the others in the order of their numbers."""
        return (self.active_parts_cache or self._cache_active_parts()).own

    @property
    def delegated_parts(self) -> tuple[Part, ...]:
        """The active parts that departments delegated, in the order of their numbers."""
        return (self.active_parts_cache or self._cache_active_parts()).delegated

    def _cache_active_parts(self) -> ActiveParts:
        active = [part for part in self.parts.values() if part.active]
        own = sorted((part for part in active if part.parent is None), key=lambda part: part.role != "lead")
        delegated = [part for part in active if part.parent is not None]
        departments = dict.fromkeys(part.department for part in (*own, *delegated))
        self.active_parts_cache = ActiveParts(tuple(own), tuple(delegated), tuple(departments))
        return self.active_parts_cache

    @property
    def departments(self) -> tuple[str, ...]:
        """The codes of the departments with an active part, the lead first, those with a delegated part last."""
        return (self.active_parts_cache or self._cache_active_parts()).departments

    @property
    def returned_parts(self) -> Iterator[tuple[Part, PartReturn]]:
        """The parts that departments returned to the desk, in the order of their numbers."""
        parts = (part for part in self.parts.values() if part.parent is None)
        return ((part, part.returned) for part in parts if part.returned is not None)

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
        """Whether the reply can be composed: triage has nothing to settle, and the lead and all others have contributed.

        Parts without which the lead went ahead do not count.
        """
        parts = [part for part in self.active_parts if not part.omitted]
        return bool(parts) and not self.unsettled and all(part.state == "contributed" for part in parts)
