"""What several facts change: a part, the status that follows from the parts, and a reply that is no longer current."""

from services.router.domain.case import Case
from services.router.domain.part import Part


def set_part(case: Case, part: Part) -> None:
    case.parts = {**case.parts, part.id: part}
    case.active_parts_cache = None
    set_status(case)


def set_status(case: Case) -> None:
    """Derive the status from the states of the parts, unless triage, a release, a question or the answer decides it."""
    if case.closed is not None:
        case.status = "closed"
    elif case.unsettled:
        case.status = "triage"
    elif case.status == "answered":
        return  # Also while a correction waits for its release: the released reply stays visible.
    elif case.pending is not None:
        case.status = "awaiting-release"
    elif case.questions:
        case.status = "awaiting-resident"
    else:
        states = {part.state for part in case.active_parts}
        case.status = "registered" if not states else "assigned" if states == {"offered"} else "in-progress"


def outdate(case: Case) -> None:
    """A text of the joint reply changes: its approvals no longer count."""
    case.pending, case.outdated = None, True
