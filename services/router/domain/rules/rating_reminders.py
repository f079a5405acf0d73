"""One reminder to rate an answer that the resident has not rated yet."""

from __future__ import annotations

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.rules.preconditions import Facts
from services.router.domain.rules.reopening import policy_of_answer
from services.router.domain.words import NewFact
from shared.city.times import duration_ms
from shared.clocks.working_time import add
from shared.runtime import timestamps


def reminds_at(case: Case, directory: CityIndex) -> int | None:
    """When the resident is to be reminded, in milliseconds; None when there is nothing to rate, or for no reminder."""
    if not _awaits_rating(case) or (policy := policy_of_answer(case, directory)) is None:
        return None
    if (after := policy.reopening.remind_after) is None:
        return None
    calendar = directory.terms[policy.id].calendar
    return add(calendar, timestamps.to_ms(timestamps.from_text(case.released_at)), duration_ms(after, calendar.day_ms))


def remind_to_rate(case: Case, due_at: str) -> Facts:
    """The reminder that was due at this time. Ignores one of an earlier answer."""
    if not _awaits_rating(case) or due_at <= case.released_at:
        return []
    return [NewFact(facts.RatingReminded(case.round))]


def _awaits_rating(case: Case) -> bool:
    return case.status == "answered" and case.round not in case.rated and case.reminded_round < case.round
