"""How the desk answers: the forms that OpenAPI promises."""

from typing import Any, Literal

from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from services.router.domain.case import PartState


class Lines(StreamingResponse):
    """JSON objects, one a line."""

    media_type = "application/x-ndjson"


class CaseRow(BaseModel):
    """A case as the view has it, which follows `inquiries.events`; what no event has told yet is absent."""

    inquiry_id: str
    sequence: int
    updated_at: str
    subject: str | None
    state: str = ""
    departments: list[str] = []
    part_states: dict[str, int] = {}
    channel: str = ""
    received_at: str = ""
    area: str | None = None


class CasePage(BaseModel):
    """Cases by inquiry id; `next` is what to pass as `after` for the following page."""

    cases: list[CaseRow]
    next: str | None


class PartShown(BaseModel):
    """One department's share of an inquiry; `due` by clock."""

    part_id: str
    department: str
    role: str
    state: PartState
    due: dict[str, str]
    text: str | None


class EventShown(BaseModel):
    """A fact as everyone may read it."""

    sequence: int
    at: str
    type: str
    id: str
    data: dict[str, Any]


class FactShown(BaseModel):
    """What a decision has made true."""

    type: str
    data: dict[str, Any]


class RefusalShown(BaseModel):
    """Why an input was not taken, and what would be right."""

    reason: str
    remedy: str


class MessageShown(BaseModel):
    """What a decision has said, without the words."""

    topic: str
    type: str
    id: str


class DecisionShown(BaseModel):
    """What the core made of one input."""

    inquiry_id: str
    n: int
    cause: str
    type: str
    digest: str
    decided_at: str
    revision: int
    refusal: RefusalShown | None
    sequence: int
    facts: list[FactShown]
    messages: list[MessageShown]


class CaseShown(BaseModel):
    """Everything about a case; `inquiry` is the message as it came in, null while none has."""

    inquiry_id: str
    state: str
    round: int
    inquiry: dict[str, Any] | None
    lead: str | None
    co_handlers: list[str]
    parts: list[PartShown]
    timeline: list[EventShown]
    decisions: list[DecisionShown]


class CommandStatus(BaseModel):
    """What became of a command; `reason` only of a refused one."""

    status: Literal["pending", "applied", "refused"]
    inquiry_id: str
    reason: str = ""
