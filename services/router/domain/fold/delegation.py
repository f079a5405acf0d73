"""Folds a delegation into a case."""

from collections.abc import Callable, Mapping
from typing import Any

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.facts import Fact
from services.router.domain.fold.status import set_part
from services.router.domain.words import FactWords


def _delegated(case: Case, fact: facts.Delegated, words: FactWords) -> None:
    text = words.text("text") if fact.text is not None else None
    set_part(case, case.parts[fact.part_id]._replace(instructions=text))


FOLD: Mapping[type[Fact], Callable[[Case, Any, FactWords], None]] = {facts.Delegated: _delegated}
