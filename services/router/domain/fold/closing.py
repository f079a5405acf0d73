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
    """The parts that the resident has read belong to the earlier answer from now on, with their pieces.

    An open part, which the answer left out, stays open, and the lead decides again whether the reply waits for it. A
    contribution that is not released joins the reply of the new round.
    """
    former, waits = case.released_parts, case.waits_for_addendum
    if case.released is not None and case.is_answered:
        case.earlier = (
            *case.earlier,
            AnsweredRound(case.round, case.released_at, case.released, case.addenda_of_round),
        )
    case.round, case.frame, case.pending, case.outdated, case.composed_addendum = round_, NO_FRAME, None, waits, 0
    case.parts = {
        part.id: part._replace(
            former=part.former or (part.state == "contributed" and (part.parent or part.id) in former), omitted=False
        )
        for part in case.parts.values()
    }
    case.active_parts_cache = None
    # What was not released by now is not released any more: its approvals were for another round.
    case.reply = case.reply if case.reply_is_released else case.released


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
