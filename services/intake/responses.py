"""How intake answers a resident who looks: the form that OpenAPI promises."""

from typing import Literal

from pydantic import BaseModel

from shared.contracts.resident_messages import Reply


class DepartmentShown(BaseModel):
    """A department that handles the inquiry, as its resident may see it."""

    code: str
    name: str
    role: str
    state: str
    due_at: str | None


class TimelineEntry(BaseModel):
    """Something the resident was told, and when."""

    at: str
    text: str


class Ticket(BaseModel):
    """What became of a message. `reply` is null before release; `rated` are the rounds with a rating."""

    inquiry_id: str
    subject: str
    language: Literal["zh", "en"]
    state: str
    round: int
    departments: list[DepartmentShown]
    timeline: list[TimelineEntry]
    reply: Reply | None
    rated: list[int]
