"""Folds extensions of a part's due time into a case."""

from collections.abc import Callable, Mapping
from typing import Any

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.facts import Fact
from services.router.domain.fold.status import set_part
from services.router.domain.question import ExtensionRequest
from services.router.domain.words import FactWords


def _asked(case: Case, fact: facts.ExtensionAsked, words: FactWords) -> None:
    request = ExtensionRequest(fact.until, words.text("reason"))
    set_part(case, case.parts[fact.part_id]._replace(extension=request))


def _extended(case: Case, fact: facts.Extended, words: FactWords) -> None:
    part = case.parts[fact.part_id]
    due: facts.DueTexts = {**part.due, "resolve": fact.until}
    set_part(case, part._replace(due=due, extension=None, moved_at=case.recorded_at))


def _refused(case: Case, fact: facts.ExtensionRefused, words: FactWords) -> None:
    set_part(case, case.parts[fact.part_id]._replace(extension=None))


FOLD: Mapping[type[Fact], Callable[[Case, Any, FactWords], None]] = {
    facts.ExtensionAsked: _asked,
    facts.Extended: _extended,
    facts.ExtensionRefused: _refused,
}
