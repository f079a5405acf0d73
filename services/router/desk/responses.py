"""How the desk answers: the forms that OpenAPI promises."""

from typing import Any, Literal

from fastapi.responses import StreamingResponse
from pydantic import Field

from services.router.domain.case import PartState
from shared.contracts.documented import Documented


class Lines(StreamingResponse):
    """JSON objects, one a line."""

    media_type = "application/x-ndjson"


class CaseRow(Documented):
    """A case as the view has it, which follows `inquiries.events`; what no event has told yet is absent."""

    inquiry_id: str
    """The ticket number."""
    sequence: int
    """The number of the newest event of the case."""
    updated_at: str
    """When the newest event was recorded (RFC 3339, UTC, milliseconds)."""
    subject: str | None
    """The subject line; null when there is no message yet, or it is erased."""
    state: str = ""
    """The state of the case; absent until an event names it, like the fields below."""
    departments: list[str] = Field([])
    """The codes of the departments that have a part, the lead first."""
    part_states: dict[str, int] = Field({})
    """How many parts are in each state."""
    channel: str = ""
    """How the message came in."""
    received_at: str = ""
    """When intake received the message (RFC 3339, UTC, milliseconds)."""
    area: str | None = None
    """The area as the directory writes it; null when the directory does not have it."""


class CasePage(Documented):
    """Cases by inquiry id; `next` is what to pass as `after` for the following page."""

    cases: list[CaseRow]
    """Cases, in the order of their ticket numbers."""
    next: str | None
    """What to pass as `after` for the following page; null on the last."""


class PartShown(Documented):
    """One department's share of an inquiry; `due` by clock."""

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
    """The department's contribution, or its newest draft; null when there is none."""


class EventShown(Documented):
    """A fact as everyone may read it."""

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
    """The place of a record in its topic."""

    partition: int
    """The partition."""
    offset: int
    """The offset."""


class RefusalShown(Documented):
    """Why an input was not taken, and what would be right; the sentences of an erased inquiry are empty."""

    code: str
    """The reason as a code, such as `part-not-open`."""
    reason: str
    """Why the input was refused, one sentence."""
    remedy: str
    """What the sender can do instead, one sentence."""


class MessageShown(Documented):
    """What a decision has said, without the words."""

    topic: str
    """The topic of the message."""
    type: str
    """The type of the message, such as `chorus.resident.told`."""
    id: str
    """The id of the message."""


class DecisionShown(Documented):
    """What the core made of one input."""

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
    """Where the input lies in `inquiries.inputs`."""
    actor: dict[str, str]
    """Who caused the input: `kind` (`resident`, `department` or `staff`) and, of staff, `role`."""
    salt: str | None
    """What the texts are committed with, 64 hexadecimal digits; null once it is erased."""
    decided_at: str
    """When the input was recorded (RFC 3339, UTC, milliseconds)."""
    revision: int
    """The revision of the city by which the decision was made."""
    refusal: RefusalShown | None
    """Why the input was refused; null when it was not."""
    facts: list[dict[str, Any]]
    """What the decision changed, in order: the values of its events."""
    head: str | None
    """The SHA-256 of the value of the case's newest event after the decision, in hexadecimal."""
    words: dict[str, str]
    """The texts beside the facts, by `<index of the fact>/<field>`; empty once they are erased."""
    messages: list[MessageShown]
    """The messages that follow from the decision."""


class CaseShown(Documented):
    """Everything about a case; `inquiry` is the message as it came in, null while none has."""

    inquiry_id: str
    """The ticket number."""
    state: str
    """The state of the case."""
    round: int
    """The current round, counted from 1."""
    inquiry: dict[str, Any] | None
    """The message as it came in; null while there is none."""
    lead: str | None
    """The code of the department that leads; null when there is none."""
    co_handlers: list[str]
    """The codes of the other departments that have a part."""
    parts: list[PartShown]
    """Every part, withdrawn ones included."""
    timeline: list[EventShown]
    """The events of the case, in order."""
    decisions: list[DecisionShown]
    """The decisions of the case, in order."""


class CommandStatus(Documented):
    """What became of a command; `reason` only of a refused one."""

    status: Literal["pending", "applied", "refused"]
    """`pending`, `applied` or `refused`."""
    inquiry_id: str
    """The ticket number."""
    reason: str = ""
    """Why the command was refused and what to do instead; absent otherwise."""
