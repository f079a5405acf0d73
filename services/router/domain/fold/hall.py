"""Folds the facts of the hall into a case."""

from collections.abc import Callable, Mapping
from typing import Any

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.facts import Fact
from services.router.domain.words import FactWords


def _published(case: Case, fact: facts.HallPublished, words: FactWords) -> None:
    reports = case.hall.reports if fact.automatic else 0
    waiting = case.hall.waiting and fact.automatic
    case.hall = case.hall._replace(
        shown=True, published=words.get("text_hash"), due=False, waiting=waiting, is_hidden=False, reports=reports
    )


def _hidden(case: Case, fact: facts.HallHidden, words: FactWords) -> None:
    case.hall = case.hall._replace(
        shown=False,
        published=None,
        due=False,
        waiting=False,
        is_hidden=True,
        hidden=case.hall.hidden | _hash(words),
        reports=0,
    )


def _redacted(case: Case, fact: facts.HallRedacted, words: FactWords) -> None:
    # A shown version is replaced by the one without the words, whose hash only the notifier knows.
    case.hall = case.hall._replace(published=None, redacted=case.hall.redacted | _hash(words), reports=0)


def _reported(case: Case, fact: facts.Reported, words: FactWords) -> None:
    case.hall = case.hall._replace(reports=case.hall.reports + 1)


def _hash(words: FactWords) -> frozenset[str]:
    found = words.get("text_hash")
    return frozenset() if found is None else frozenset((found,))


FOLD: Mapping[type[Fact], Callable[[Case, Any, FactWords], None]] = {
    facts.HallPublished: _published,
    facts.HallHidden: _hidden,
    facts.HallRedacted: _redacted,
    facts.Reported: _reported,
}
