"""The bodies of the desk's answers about triage."""

from shared.contracts.documented import Documented


class TriageReasonShown(Documented):
    """Why an inquiry in triage, or one part of it, waits for a person."""

    reason: str
    """`no-rule`, `unknown-department`, `returned`, `arbitration`, `department-retired`, `no-department`, `reopened`
    or `other`."""
    since: str
    """Since when this point waits (RFC 3339, UTC, milliseconds)."""
    part_id: str | None
    """The id of the part that waits; null for the whole inquiry."""
    department: str | None
    """The code of the department that had the part; null when there was none."""
    returned_for: str | None
    """The reason of a return as the department wrote it, such as `not-ours`; null for another reason."""
    words: str | None
    """The department's explanation of the return, or the desk's reason of a withdrawal; null when there is none."""
    suggest: str | None
    """The code of the department that the returning one suggests; null when it suggests none."""
    by: str | None
    """The person at the department or the desk; null when not given."""
    named: tuple[str, ...]
    """With `unknown-department`, the codes that the resident chose; empty otherwise."""
    until: str | None
    """With `arbitration`, when the time of the arbiter ends (RFC 3339, UTC, milliseconds); null without a limit."""


class TriageShown(Documented):
    """An inquiry that waits for an assignment by hand."""

    inquiry_id: str
    """The ticket number."""
    subject: str | None
    """The subject line; null when it is erased."""
    area: str | None
    """The area as the resident wrote it; null when not given."""
    channel: str | None
    """How the message came in."""
    received_at: str | None
    """When intake received the message (RFC 3339, UTC, milliseconds)."""
    age_s: int
    """The age of the message in seconds."""
    departments: tuple[str, ...]
    """The codes of the departments that still have a part, the lead first."""
    reasons: list[TriageReasonShown]
    """What waits, the oldest point first; empty when the case has left triage a moment ago."""


class TriagePage(Documented):
    """A page of the inquiries in triage, the message received first at the top."""

    inquiries: list[TriageShown]
    """The inquiries of the page."""
    waiting: int
    """How many inquiries are in triage, those of other pages included."""
    next: str | None
    """The value of `after` for the next page; null on the last page."""
