"""Folds the facts that reopen and close an inquiry into a case, and the reminder to rate."""

from collections.abc import Callable, Mapping
from typing import Any

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.facts import Fact
from services.router.domain.fold.status import set_status
from services.router.domain.reply import NO_FRAME, AnsweredRound
from services.router.domain.words import FactWords


def _reopened(case: Case, fact: facts.Reopened, words: FactWords) -> None:
    case.closed = None
    if fact.round > case.round:
        _begin_round(case, fact.round)
        case.why = words.get("why") or ""
    set_status(case)


def _begin_round(case: Case, round_: int) -> None:
    """Contributed parts belong to the earlier answer from now on. An open one, which the answer left out, stays open."""
    if case.released is not None and case.is_answered:
        case.earlier = (*case.earlier, AnsweredRound(case.round, case.released_at, case.released))
    case.round, case.frame, case.pending, case.outdated = round_, NO_FRAME, None, False
    case.parts = {
        part.id: part._replace(former=True) if part.state == "contributed" else part for part in case.parts.values()
    }
    case.active_parts_cache = None


def _closed(case: Case, fact: facts.Closed, words: FactWords) -> None:
    case.closed = fact.reason
    if fact.reason == "final-answer":
        # Without an answer of the resident, triage waits: the answer may come later.
        case.unsettled, case.arbitration = (), None
    set_status(case)


def _rating_reminded(case: Case, fact: facts.RatingReminded, words: FactWords) -> None:
    case.reminded_round = fact.round


FOLD: Mapping[type[Fact], Callable[[Case, Any, FactWords], None]] = {
    facts.Reopened: _reopened,
    facts.Closed: _closed,
    facts.RatingReminded: _rating_reminded,
}
