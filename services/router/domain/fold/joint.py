"""Folds what follows a late part into a case: a reply without it, and the addendum with it."""

from collections.abc import Callable, Mapping
from typing import Any

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.facts import Fact
from services.router.domain.fold.status import outdate, release_addendum, set_part, set_status
from services.router.domain.reply import NO_FRAME
from services.router.domain.words import FactWords


def _omitted(case: Case, fact: facts.Omitted, words: FactWords) -> None:
    outdate(case)
    set_part(case, case.parts[fact.part_id]._replace(omitted=True))


def _supplemented(case: Case, fact: facts.Supplemented, words: FactWords) -> None:
    release_addendum(case)
    case.pending, case.frame, case.composed_addendum = None, NO_FRAME, 0
    case.hall = case.hall.changed()
    set_status(case)


FOLD: Mapping[type[Fact], Callable[[Case, Any, FactWords], None]] = {
    facts.Omitted: _omitted,
    facts.Supplemented: _supplemented,
}
