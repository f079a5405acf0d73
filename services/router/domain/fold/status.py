"""What several facts change: a part, the status that follows from the parts, and which reply is current."""

from services.router.domain.case import ENDED, Case
from services.router.domain.part import Part
from services.router.domain.reply import Addendum


def set_part(case: Case, part: Part) -> None:
    case.parts = {**case.parts, part.id: part}
    case.active_parts_cache = None
    set_status(case)


def set_status(case: Case) -> None:
    """Derive the status from the states of the parts, unless an end, triage, the answer, a release or a question decides."""
    if case.status in ENDED:
        return
    if case.closed is not None:
        case.status = "closed"
    elif case.unsettled:
        case.status = "triage"
    elif case.is_answered and not (case.pending is not None and case.reply is not None and case.reply.addendum):
        case.status = "answered"  # Also while a correction waits for its release: the released reply stays visible.
    elif case.pending is not None:
        case.status = "awaiting-release"
    elif case.questions:
        case.status = "awaiting-resident"
    elif case.round > 1 and not any(_has_acted(part, case.round) for part in case.active_parts):
        case.status = "reopened"
    else:
        states = {part.state for part in case.active_parts}
        case.status = "registered" if not states else "assigned" if states == {"offered"} else "in-progress"


def _has_acted(part: Part, round_: int) -> bool:
    """Whether the department has worked on its part in this round. A late part was accepted in an earlier round."""
    return part.state == "contributed" or (part.state == "accepted" and part.round == round_)


def outdate(case: Case) -> None:
    """A text of the joint reply changes: its approvals no longer count."""
    case.pending, case.outdated = None, True


def release_addendum(case: Case) -> None:
    """The resident gets the newest version of an addendum. Two facts may say so; the first one counts."""
    if case.reply is not None and not case.reply_is_released:
        case.addenda = (*case.addenda, Addendum(case.reply, case.recorded_at))
