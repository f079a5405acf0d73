"""A timer rings: a clock is due soon, it ran past its due time, or the resident has not rated the answer."""

from __future__ import annotations

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import Input
from services.router.domain.rules.preconditions import Facts, payload_of
from services.router.domain.rules.rating_reminders import remind_to_rate
from services.router.domain.words import NewFact
from shared.contracts.inputs import TimerRang
from shared.runtime import timestamps


def ring(case: Case, given: Input, directory: CityIndex) -> Facts:
    """Remind the department, or record that the clock is broken. Ignores a timer that no longer applies.

    A clock that stopped after its due time is broken even if the router decided that input first: recorded times count,
    not the order of arrival.
    """
    rang = payload_of(given, TimerRang)
    due_at = timestamps.to_text(rang.due_at)
    if rang.kind == "rating-reminder":
        return remind_to_rate(case, due_at)
    if rang.part_id is None or rang.clock is None:
        return []
    part = case.parts.get(rang.part_id)
    if part is None or part.due[rang.clock] != due_at or ("overdue", part.id, rang.clock, due_at) in case.announced:
        return []
    stopped_at = case.stopped.get((part.id, rang.clock))
    if rang.kind == "overdue":
        if stopped_at is not None and stopped_at <= due_at:
            return []
        return [NewFact(facts.Broken(part.id, part.department, rang.clock, due_at, rang.gate_behind))]
    if stopped_at is not None or ("due-soon", part.id, rang.clock, due_at) in case.announced:
        return []
    return [NewFact(facts.DueSoon(part.id, part.department, rang.clock, due_at))]
