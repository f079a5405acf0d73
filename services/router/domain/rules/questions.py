"""Questions to the resident: the clocks pause, the resident adds words, the clocks resume; without an answer, the end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import Input
from services.router.domain.part import OPEN, Part
from services.router.domain.question import answered_by, closes_at, open_questions
from services.router.domain.rules.part_terms import asking_times, policy_of
from services.router.domain.rules.preconditions import (
    DELEGATED_PART,
    Facts,
    Refused,
    acceptance,
    by,
    payload_of,
    the_part,
)
from services.router.domain.words import NewFact
from shared.clocks.calendar import WorkingCalendar
from shared.clocks.deadlines import CLOCKS
from shared.clocks.pauses import due_after, time_left
from shared.contracts.limits import ADDITIONS_AND_ANSWERS_MAX, ADDITIONS_MAX
from shared.contracts.questions import CaseAsk, InquiryAdded, PartAsked
from shared.runtime import timestamps


def ask(case: Case, given: Input, directory: CityIndex) -> Facts:
    """A department asks the resident: the clocks of its part pause. Also accepts a part that is still offered."""
    part, question = the_part(case, given), payload_of(given, PartAsked)
    if part.parent is not None:
        raise DELEGATED_PART.of(case, given)
    _check_no_question(case, part.id)
    asked = facts.Asked(part.id, part.department, *asking_times(case, part, given, directory))
    return [
        *acceptance(part, given),
        NewFact(asked, texts={"text": question.text}, private=by(given)),
        *_pause(case, [part._replace(state="accepted")], given, directory),
    ]


def ask_all(case: Case, given: Input, directory: CityIndex) -> Facts:
    """The desk asks the resident for the whole inquiry: the clocks of all open parts pause."""
    question = payload_of(given, CaseAsk)
    if case.is_answered:
        raise Refused(
            "nothing-to-ask",
            f"The resident has the reply of {case.inquiry_id!r}; only a late part of it is open.",
            "Settle first what `chorus triage list` shows.",
        )
    _check_no_question(case, None)
    asked = facts.Asked(None, None, *asking_times(case, None, given, directory))
    parts = [part for part in case.active_parts if part.state in OPEN]
    return [
        NewFact(asked, texts={"text": question.text}, private=by(given)),
        *_pause(case, parts, given, directory),
    ]


def add(case: Case, given: Input, directory: CityIndex) -> Facts:
    """The resident adds words. They answer every question that was asked before, and reopen a case closed without them."""
    added = payload_of(given, InquiryAdded)
    if len(case.additions) >= (ADDITIONS_AND_ANSWERS_MAX if case.questions else ADDITIONS_MAX):
        raise Refused(
            "too-many-additions",
            f"The inquiry {case.inquiry_id!r} has {len(case.additions)} additions already.",
            "Write a new message that names this ticket number.",
        )
    made: Facts = [NewFact(facts.Added(), texts={"text": added.text})]
    answered = answered_by(case, given.recorded_at)
    if not answered:
        return made
    if case.closed is not None:
        made.append(NewFact(facts.Reopened(case.round)))
    waiting_for = {one.part_id for one in case.questions if one not in answered}
    parts = () if None in waiting_for else [part for part in case.active_parts if part.id not in waiting_for]
    return [*made, *_resume(case, parts, given, directory)]


def remind(case: Case, part_id: str | None, remind_at: str) -> Facts:
    """Remind the resident of a question once."""
    if case.closed is not None:
        return []
    return [
        NewFact(facts.Reminded(one.part_id, one.department))
        for one in open_questions(case)
        if (one.part_id, one.remind_at) == (part_id, remind_at) and not one.reminded
    ]


def close_unanswered(case: Case, close_at: str) -> Facts:
    """Close the case, because its questions have no answer and nobody else has anything to do."""
    return [NewFact(facts.Closed("unanswered"))] if closes_at(case) == close_at else []


def _check_no_question(case: Case, part_id: str | None) -> None:
    if any(one.part_id == part_id for one in case.questions):
        of = f"the part {part_id!r}" if part_id else f"the whole inquiry {case.inquiry_id!r}"
        raise Refused(
            "question-open",
            f"A question of {of} waits for the resident already.",
            "Wait for the resident's answer, and then ask what is still missing.",
        )


def _pause(case: Case, parts: Iterable[Part], given: Input, directory: CityIndex) -> Facts:
    """`inquiry.paused` for the parts whose clocks do not stand still already; nothing when there are none."""
    running = [_paused_part(case, part, given, directory) for part in parts if part.pause is None]
    return [NewFact(facts.Paused(tuple(running)))] if running else []


def _paused_part(case: Case, part: Part, given: Input, directory: CityIndex) -> facts.PausedPart:
    calendar = calendar_of(case, part, directory)
    # A message that waited at the gate may be recorded before the end of the last pause: no time counts twice.
    since = _ms(max(given.recorded_at, part.moved_at or ""))
    left: dict[str, int | None] = {
        clock: None if _has_stopped(case, part, clock) else time_left(calendar, since, _ms(part.due[clock]))
        for clock in CLOCKS
    }
    return {
        "part_id": part.id,
        "department": part.department,
        "left": cast(facts.TimeLeft, left),
        "return_left": None if part.return_until is None else time_left(calendar, since, _ms(part.return_until)),
    }


def _has_stopped(case: Case, part: Part, clock: facts.Clock) -> bool:
    return (part.id, clock) in case.stopped or (clock == "accept" and part.state != "offered")


def _resume(case: Case, parts: Iterable[Part], given: Input, directory: CityIndex) -> Facts:
    """`inquiry.resumed` for the parts whose clocks stand still; nothing when there are none."""
    resumed = [_resumed_part(case, part, given, directory) for part in parts if part.pause is not None]
    return [NewFact(facts.Resumed(tuple(resumed)))] if resumed else []


def _resumed_part(case: Case, part: Part, given: Input, directory: CityIndex) -> facts.ResumedPart:
    # `_resume` leaves out parts without a pause.
    assert part.pause is not None
    calendar, pause = calendar_of(case, part, directory), part.pause
    at = _ms(given.recorded_at)

    def moved(left: int | None, otherwise: str) -> str:
        return otherwise if left is None else timestamps.to_text(timestamps.from_ms(due_after(calendar, at, left)))

    due: dict[str, str] = {
        clock: moved(None if (part.id, clock) in case.stopped else pause.left[clock], part.due[clock])
        for clock in CLOCKS
    }
    return {
        "part_id": part.id,
        "department": part.department,
        "due": cast(facts.DueTexts, due),
        "return_until": None if part.return_until is None else moved(pause.return_left, part.return_until),
    }


def calendar_of(case: Case, part: Part, directory: CityIndex) -> WorkingCalendar:
    """The calendar in which the clocks of a part run."""
    return directory.terms[policy_of(case, part, directory).id].calendar


def _ms(text: str) -> int:
    return timestamps.to_ms(timestamps.from_text(text))
