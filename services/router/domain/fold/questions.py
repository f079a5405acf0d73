"""Folds questions to the resident, additions, pauses, and the end of an inquiry without an answer into a case."""

from collections.abc import Callable, Mapping
from typing import Any

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.facts import Fact
from services.router.domain.fold.status import set_part, set_status
from services.router.domain.question import Addition, Pause, Question, answered_by
from services.router.domain.words import FactWords


def _asked(case: Case, fact: facts.Asked, words: FactWords) -> None:
    question = Question(
        fact.part_id, fact.department, case.recorded_at, fact.remind_at, fact.close_at, words.text("text")
    )
    case.questions = (*case.questions, question)
    set_status(case)


def _paused(case: Case, fact: facts.Paused, words: FactWords) -> None:
    for one in fact.parts:
        pause = Pause(case.recorded_at, one["left"], one["return_left"])
        set_part(case, case.parts[one["part_id"]]._replace(pause=pause))


def _resumed(case: Case, fact: facts.Resumed, words: FactWords) -> None:
    for one in fact.parts:
        part = case.parts[one["part_id"]]
        set_part(
            case,
            part._replace(due=one["due"], return_until=one["return_until"], pause=None, moved_at=case.recorded_at),
        )


def _added(case: Case, fact: facts.Added, words: FactWords) -> None:
    case.additions = (*case.additions, Addition(case.recorded_at, words.text("text")))
    answered = answered_by(case, case.recorded_at)
    case.answered_questions = answered
    case.questions = tuple(one for one in case.questions if one not in answered)
    set_status(case)


def _reminded(case: Case, fact: facts.Reminded, words: FactWords) -> None:
    case.questions = tuple(
        one._replace(reminded=True) if one.part_id == fact.part_id else one for one in case.questions
    )


def end_questions(case: Case, fact: Fact) -> None:
    """End the question and the pause of a part that its department has finished; with the answer, what nobody waits for."""
    if not case.questions:
        return
    if isinstance(fact, facts.Answered):
        # A part that the answer left out may go on waiting.
        waiting = {part.id for part in case.active_parts if part.pause is not None}
        case.questions = tuple(one for one in case.questions if (one.part_id in waiting if one.part_id else waiting))
    elif isinstance(fact, facts.Contributed | facts.Returned | facts.Withdrawn):
        case.questions = tuple(one for one in case.questions if one.part_id != fact.part_id)
        set_part(case, case.parts[fact.part_id]._replace(pause=None))


FOLD: Mapping[type[Fact], Callable[[Case, Any, FactWords], None]] = {
    facts.Asked: _asked,
    facts.Paused: _paused,
    facts.Resumed: _resumed,
    facts.Added: _added,
    facts.Reminded: _reminded,
}
