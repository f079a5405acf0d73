"""The bodies of the desk's answers with its list of cases."""

from pydantic import Field

from shared.contracts.documented import Documented


class CaseRow(Documented):
    """A case in the list, as of its newest event; fields that no event has set yet are absent."""

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
    lead: str | None = None
    """The code of the department that leads; null when there is none."""
    departments: list[str] = Field([])
    """The codes of the departments that have a part, the lead first."""
    due_at: str | None = None
    """When the first running clock of an open part runs out (RFC 3339, UTC, milliseconds); null when none runs. For users
    of a department, of its parts."""
    part_states: dict[str, int] = Field({})
    """How many parts are in each state."""
    channel: str = ""
    """How the message came in."""
    received_at: str = ""
    """When intake received the message (RFC 3339, UTC, milliseconds)."""
    area: str | None = None
    """The name of the area in the directory; null when the directory does not have it."""
    reported_at: str | None = None
    """When a reader last reported the entry in the hall (RFC 3339, UTC, milliseconds); null once it is decided about."""
    unrated: bool = False
    """Whether the case has an answer that is neither rated nor has the resident been reminded to rate it; absent before
    an answer."""


class CasePage(Documented):
    """A page of the list of cases."""

    cases: list[CaseRow]
    """Cases, the message received last first."""
    next: str | None
    """The value of `after` for the next page, also after a page that a search ended early; null on the last page."""
