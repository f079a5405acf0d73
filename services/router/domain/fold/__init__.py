"""Folds facts, and the texts beside them, into a case: one function for each class of fact that changes it."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from operator import attrgetter
from typing import Any

from services.router.domain import facts
from services.router.domain.case import Case, DecidedInput
from services.router.domain.facts import Fact
from services.router.domain.fold import (
    closing,
    corrections,
    delegation,
    extensions,
    hall,
    inquiry,
    joint,
    parts,
    privacy,
    questions,
    replies,
)
from services.router.domain.fold.clocks import fold_clocks
from services.router.domain.words import NO_FACT_WORDS, FactWords, NewFact, words_by_place


def _unchanged(case: Case, fact: Fact, words: FactWords) -> None:
    pass


FOLD: Mapping[type[Fact], Callable[[Case, Any, FactWords], None]] = {
    **inquiry.FOLD,
    **parts.FOLD,
    **replies.FOLD,
    **joint.FOLD,
    **delegation.FOLD,
    **corrections.FOLD,
    **hall.FOLD,
    **questions.FOLD,
    **extensions.FOLD,
    **closing.FOLD,
    **privacy.FOLD,
    facts.Replied: _unchanged,
    facts.LinkRequested: _unchanged,
    facts.DueSoon: _unchanged,
    facts.Broken: _unchanged,
    facts.Released: _unchanged,
    facts.UnknownFact: _unchanged,
}


_fields = attrgetter(*(one.name for one in fields(Case) if one.init))


def copy_of(case: Case) -> Case:
    """A shallow copy, which the functions below may change. They replace mappings and never change one in place."""
    return Case(*_fields(case))


def fold_fact(case: Case, fact: Fact, words: FactWords) -> None:
    """Change the case by one fact. An unknown fact, written by a later version, changes nothing."""
    FOLD[type(fact)](case, fact, words)
    fold_clocks(case, fact)
    questions.end_questions(case, fact)


def fold_draft(case: Case, part_id: str, draft: str) -> None:
    """Change the case by a draft, which is a text without a fact."""
    case.parts = {**case.parts, part_id: case.parts[part_id]._replace(draft=draft)}
    case.active_parts_cache = None


def fold_cause(case: Case, cause: str, decided: DecidedInput) -> None:
    """Change the case by the id of the input of its n-th decision."""
    case.n, case.causes = decided.n, {**case.causes, cause: decided}


def fold(case: Case, *more: NewFact) -> Case:
    """A copy of the case with these facts, for a rule that must know the state after them."""
    after = copy_of(case)
    for one in more:
        fold_fact(after, one.fact, NO_FACT_WORDS._replace(words=words_by_place(0, one.texts, one.private)))
    return after
