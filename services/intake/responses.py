"""The body of a ticket."""

from typing import Literal

from shared.contracts.documented import Documented
from shared.contracts.resident_messages import Reply


class DepartmentShown(Documented):
    """A department that handles the inquiry, as the resident sees it."""

    code: str
    """The department's code."""
    name: str
    """The department's name, in the language of the inquiry."""
    role: str
    """Whether the department leads: `lead` or `co-handler`."""
    state: str
    """The state of the department's part, such as `offered` or `accepted`."""
    due_at: str | None
    """When the department's resolve clock runs out (RFC 3339, UTC, milliseconds); null when there is no due time."""


class TimelineEntry(Documented):
    """An update that the resident received."""

    at: str
    """When it happened (RFC 3339, UTC, milliseconds)."""
    text: str
    """The text of the update, in the language of the inquiry."""


class Ticket(Documented):
    """A ticket: the resident's message and its status."""

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
    """The updates that the resident received, oldest first."""
    reply: Reply | None
    """The joint reply; null before it is released."""
    rated: list[int]
    """The rounds that the resident has rated, in ascending order."""
