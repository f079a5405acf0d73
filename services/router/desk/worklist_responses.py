"""The bodies of the desk's answers with the worklist of a department."""

from typing import Literal

from services.router.domain.worklist import Mark
from shared.contracts.department_inbox import ReturnedBefore
from shared.contracts.documented import Documented


class WorklistPart(Documented):
    """An open part of the department."""

    part_id: str
    """The id of the part."""
    inquiry_id: str
    """The ticket number."""
    subject: str | None
    """The subject line; null when it is erased."""
    area: str | None
    """The area as the resident wrote it; null when not given."""
    received_at: str
    """When intake received the message (RFC 3339, UTC, milliseconds)."""
    role: Literal["lead", "co-handler"]
    """Whether the department leads."""
    state: Literal["offered", "accepted"]
    """The state of the part."""
    due: dict[str, str]
    """When each clock that runs runs out (RFC 3339, UTC, milliseconds), by the name of the clock."""
    next_due: str | None
    """The first of these times; null when no clock runs."""
    marks: list[Mark]
    """`overdue`: a clock has run out. `due-soon`: the next one runs out within 24 hours, or the department was reminded.
    `drafted`: there is a draft. `sent-back`: an approver refused the release of the contribution. `changed`: the role or
    the other departments have changed since the department's last message. `returned`: other departments had returned the
    inquiry before."""
    refused_because: str | None
    """Why the release was refused, with `sent-back`; null otherwise, and when it is erased."""
    returned: list[ReturnedBefore]
    """The returns before the part was offered, as in the department's inbox."""


class WorklistPage(Documented):
    """A page of the open parts of a department, the one that is due next at the top."""

    department: str
    """The code of the department."""
    parts: list[WorklistPart]
    """The parts of the page."""
    next: str | None
    """The value of `after` for the next page, also after an empty page; null on the last page."""
