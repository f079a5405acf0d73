"""What waits in a case for staff of the whole city, and for approvers."""

from typing import Literal, get_args

from services.router.domain.case import ENDED, Case
from services.router.domain.part import Part

WaitingKind = Literal["extension", "arbitration", "release", "publication"]
WAITING_KINDS: tuple[WaitingKind, ...] = get_args(WaitingKind)


def waiting_in(case: Case) -> list[WaitingKind]:
    """The kinds of what waits, each once."""
    if case.status in ENDED:
        return []
    found: dict[WaitingKind, bool] = {
        "extension": bool(extensions_asked(case)),
        "arbitration": case.arbitration is not None,
        "release": case.pending is not None and not case.pending.complete and not case.outdated,
        "publication": _is_publication_undecided(case),
    }
    return [kind for kind in WAITING_KINDS if found[kind]]


def extensions_asked(case: Case) -> list[Part]:
    """The open parts whose departments have asked for more time."""
    return [part for part in case.parts.values() if part.open and part.extension is not None]


def _is_publication_undecided(case: Case) -> bool:
    """Whether the hall may show a released text, and neither a person nor the policy has decided about it."""
    if case.inquiry is None or not case.inquiry.shown_in_hall or case.released is None:
        return False
    return case.hall.waiting or case.hall.due
