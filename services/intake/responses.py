"""How intake answers a resident who looks: the form that OpenAPI promises."""

from typing import Literal

from shared.contracts.documented import Documented
from shared.contracts.resident_messages import Reply


class DepartmentShown(Documented):
    """A department that handles the inquiry, as its resident may see it."""

    code: str
    """The department's code."""
    name: str
    """The department's name, in the language of the inquiry."""
    role: str
    """Whether the department leads: `lead` or `co-handler`."""
    state: str
    """The state of the department's part, such as `offered` or `accepted`."""
    due_at: str | None
    """When the department must have answered (RFC 3339, UTC, milliseconds); null when there is no due time."""


class TimelineEntry(Documented):
    """Something the resident was told, and when."""

    at: str
    """When it happened (RFC 3339, UTC, milliseconds)."""
    text: str
    """What the resident was told, in the language of the inquiry."""


class Ticket(Documented):
    """What became of a message. `reply` is null before release; `rated` are the rounds with a rating."""

    inquiry_id: str
    """The ticket number."""
    subject: str
    """The subject line as the resident wrote it."""
    language: Literal["zh", "en"]
    """The language in which the resident is answered."""
    state: str
    """The state of the inquiry, such as `registered`, `triage`, `in-progress` or `answered`."""
    round: int
    """The current round, counted from 1."""
    departments: list[DepartmentShown]
    """The departments that handle the inquiry; empty until it is assigned."""
    timeline: list[TimelineEntry]
    """What the resident was told, oldest first."""
    reply: Reply | None
    """The joint reply; null before it is released."""
    rated: list[int]
    """The rounds that the resident has rated, in ascending order."""
