"""What several facts change: a part, the status that follows from the parts, and a reply that is no longer current."""

from services.router.domain.case import ENDED, Case
from services.router.domain.part import Part


def set_part(case: Case, part: Part) -> None:
    case.parts = {**case.parts, part.id: part}
    case.active_parts_cache = None
    set_status(case)


def set_status(case: Case) -> None:
    """Derive the status from the states of the parts, unless triage, a release, the answer or an end decides it."""
    if case.status in ENDED:
        return
    if case.unsettled:
        case.status = "triage"
    elif case.pending is not None:
        case.status = "awaiting-release"
    elif case.status != "answered":
        states = {part.state for part in case.active_parts}
        case.status = "registered" if not states else "assigned" if states == {"offered"} else "in-progress"


def outdate(case: Case) -> None:
    """A text of the joint reply changes: its approvals no longer count."""
    case.pending, case.outdated = None, True
