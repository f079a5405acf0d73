"""The bodies of the desk's answers."""

from typing import Any, Literal, Self

from fastapi.responses import StreamingResponse
from pydantic import Field

from services.router.desk.asking_responses import CaseAdditionShown, ExtensionShown, QuestionShown
from services.router.desk.reply_responses import JointReplyShown
from services.router.domain.part import PartState
from services.router.files.case_files import CaseFileShown
from shared.city import City
from shared.contracts.department_inbox import ReturnedBefore
from shared.contracts.documented import Documented
from shared.contracts.erasure_dates import ErasureDates


class Lines(StreamingResponse):
    """Newline-delimited JSON."""

    media_type = "application/x-ndjson"


class Revised(Documented):
    """The revision of the city that is now in force."""

    revision: int
    """The number of the revision."""
    departments: int
    """How many departments are not retired."""
    rules: int
    """How many rules there are."""

    @classmethod
    def of(cls, city: City) -> Self:
        return cls(revision=city.revision, departments=len(city.active), rules=len(city.rules))


class Retired(Revised):
    """The revision now in force, and the number of parts that go back to triage."""

    parts: int
    """How many parts this call sent back to triage."""


class PartShown(Documented):
    """One department's share of an inquiry."""

    part_id: str
    """The id of the part."""
    department: str
    """The department's code."""
    role: str
    """Whether the department leads: `lead` or `co-handler`."""
    state: PartState
    """The state of the part."""
    due: dict[str, str]
    """When each clock runs out (RFC 3339, UTC, milliseconds), by the name of the clock."""
    text: str | None
    """The department's contribution, or its newest draft; null when there is none. Users of other departments see it
    when it is released."""
    paused_since: str | None = None
    """Since when the clocks of the part pause, because the resident was asked; null while they run."""
    extension: ExtensionShown | None = None
    """The request for more time on which nobody has decided; null when there is none."""
    returned: tuple[ReturnedBefore, ...] = ()
    """The returns of this inquiry before the part was offered, as its department reads them in its inbox. Empty for
    users of other departments."""
    omitted: bool = False
    """Whether the lead went ahead without the part, which is still open."""
    parent: str | None = None
    """The id of the part of which this one is a piece; null unless its department delegated it."""
    instructions: str | None = None
    """What the department above wrote when it delegated the part; null when it wrote nothing."""
    round: int = 1
    """The round in which the part was offered, counted from 1."""


class AnswerRating(Documented):
    """The resident's rating of an answer."""

    solved: bool
    """Whether the resident says that the problem is solved."""
    satisfied: Literal["yes", "mostly", "no"]
    """Whether the resident is satisfied."""
    words: str | None
    """What the resident wrote about it; null when nothing."""


class AnsweredRoundShown(Documented):
    """A round that is answered."""

    round: int
    """The number of the round, counted from 1."""
    answered_at: str
    """When the resident got the answer (RFC 3339, UTC, milliseconds)."""
    reply_id: str
    """The id of its joint reply, such as `20261122-E94NXPQX-r1`."""
    text: str | None
    """The whole joint reply with its addenda; null once it is erased."""
    rating: AnswerRating | None
    """The resident's rating; null when there is none."""


class EventShown(Documented):
    """An event of a case."""

    sequence: int
    """The number of the event within its case, counted from 1."""
    at: str
    """When the input that caused it was recorded (RFC 3339, UTC, milliseconds)."""
    type: str
    """The type of the event, such as `chorus.part.offered`."""
    id: str
    """The id of the event."""
    data: dict[str, Any]
    """The fields of the event; they depend on its type."""


class PlaceShown(Documented):
    """The position of a record in its topic."""

    partition: int
    """The number of the partition."""
    offset: int
    """The offset in the partition."""


class RefusalShown(Documented):
    """Why an input was refused; the sentences of an erased inquiry are empty."""

    code: str
    """The reason as a code, such as `part-not-open`."""
    reason: str
    """Why the input was refused, one sentence."""
    remedy: str
    """What the sender can do instead, one sentence."""


class MessageShown(Documented):
    """A message of a decision, without its value."""

    topic: str
    """The topic of the message."""
    type: str
    """The type of the message, such as `chorus.resident.told`."""
    id: str
    """The id of the message."""


class DecisionShown(Documented):
    """The core's decision on one input."""

    inquiry_id: str
    """The ticket number."""
    n: int
    """The number of the decision within its case, counted from 1."""
    cause: str
    """The id of the input."""
    type: str
    """The type of the input."""
    digest: str | None
    """The SHA-256 of the input as its sender wrote it, in hexadecimal; null once it is erased."""
    at: PlaceShown
    """The position of the input in `inquiries.inputs`."""
    actor: dict[str, str]
    """Who caused the input: `kind` (`resident`, `department` or `staff`) and, of staff, `role`."""
    user: int | None
    """The number of the staff user who caused the input; null for residents, departments' outboxes and the router."""
    salt: str | None
    """The salt of the commitments to the texts, 64 hexadecimal digits; null once it is erased."""
    decided_at: str
    """When the input was recorded (RFC 3339, UTC, milliseconds)."""
    revision: int
    """The revision of the city that the decision used."""
    refusal: RefusalShown | None
    """Why the input was refused; null when it was not."""
    facts: list[dict[str, Any]]
    """The facts of the decision, in order, as the values of their events."""
    head: str | None
    """The SHA-256 of the value of the case's newest event after the decision, in hexadecimal."""
    words: dict[str, str]
    """The texts beside the facts, by `<index of the fact>/<field>`; empty once they are erased."""
    messages: list[MessageShown]
    """The messages of the decision."""


class AuditShown(Documented):
    """One line of the audit trail of replies and of the hall."""

    at: str
    """When it was recorded (RFC 3339, UTC, milliseconds)."""
    type: str
    """What happened, such as `reply.approved` or `hall.published`."""
    actor: dict[str, str]
    """Who caused it: `kind` and, of staff, `role`."""
    user: int | None
    """The number of the staff user; null for others."""
    by: str | None
    """The name that the sender gave, or that of the user; null when there is none, or it is erased."""
    version: int | None
    """The version of the joint reply; null when it is not about one."""
    sha256: str | None
    """The hash of the exact text: of that version of the reply, or of the masked version; null when it is erased, and when
    the policy published the version that the notifier masked."""
    parts: list[str]
    """The ids of the parts it is about; empty for the whole reply."""
    words: str | None
    """The reason, or what a reader reported; null when there is none."""


class CaseShown(Documented):
    """A case with its message, parts, events and decisions."""

    inquiry_id: str
    """The ticket number."""
    state: str
    """The state of the case."""
    round: int
    """The current round, counted from 1."""
    inquiry: dict[str, Any] | None
    """The resident's message; null before it is registered."""
    lead: str | None
    """The code of the department that leads; null when there is none."""
    co_handlers: list[str]
    """The codes of the other departments that have a part."""
    parts: list[PartShown]
    """Every part, withdrawn ones included. A user of a department sees, of other departments, what the resident sees."""
    questions: list[QuestionShown]
    """The questions that wait for the resident."""
    additions: list[CaseAdditionShown]
    """What the resident has added, oldest first."""
    reply: JointReplyShown | None
    """The newest version of the joint reply; null when there is none. Before its release, only the lead, approvers and
    users without a department see it; others see the released one."""
    addenda: list[JointReplyShown]
    """The addenda to the reply of this round, oldest first; the last one may wait for its release."""
    released: JointReplyShown | None
    """The version that the resident has; null before the first release. It differs from `reply` while a correction waits."""
    audit: list[AuditShown]
    """Who composed, approved, released, changed and published which text, and when; empty for a user of a department."""
    rounds: list[AnsweredRoundShown]
    """The rounds that are answered, in order."""
    links: list[str]
    """The ticket numbers of inquiries about the same matter, to which the desk linked this one, or which it linked to this
    one; empty for a user of a department."""
    erasure: ErasureDates | None
    """When the case was erased, and when the last copies of its words are gone; null for other cases."""
    files: list[CaseFileShown] = Field([])
    """The files of the case. A user of a department sees those of the resident and of its own part, and of other parts
    those that the resident received."""
    timeline: list[EventShown]
    """The events of the case, in order. A user of a department sees, of other departments, the fields for residents."""
    decisions: list[DecisionShown]
    """The decisions of the case, in order; empty for a user of a department."""


class CommandStatus(Documented):
    """The status of a command."""

    status: Literal["pending", "applied", "refused"]
    """`pending` before the core has decided, then `applied` or `refused`."""
    inquiry_id: str
    """The ticket number."""
    reason: str = ""
    """Why the command was refused and what to do instead; absent otherwise."""
