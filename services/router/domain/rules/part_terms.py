"""The policy of each part that is offered, and when its clocks run out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, cast

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import Input
from services.router.domain.part import Part
from shared.city.policies import PartCircumstances, Policy
from shared.city.times import duration_ms
from shared.clocks.deadlines import CLOCKS, ClockName, due_times, provisional
from shared.clocks.working_time import add
from shared.runtime import timestamps


class PartTerms(NamedTuple):
    """The policy of a part, its due times, and the clocks whose due time may still move.

    `return_until` is None when the policy does not limit the time for a return.
    """

    policy_id: str
    due: facts.DueTexts
    provisional: tuple[ClockName, ...]
    return_until: str | None


class PartTermsFinder:
    """Finds the terms of the parts of one assignment. `rule` is the rule that assigned the inquiry last."""

    def __init__(
        self, channel: str, received_at: datetime, rule: str | None, assigned_at: str, directory: CityIndex
    ) -> None:
        self._circumstances = _circumstances(channel, received_at, rule, directory)
        self._assigned_at = timestamps.to_ms(timestamps.from_text(assigned_at))
        self._directory = directory
        self._by_policy: dict[str, PartTerms] = {}

    def of(self, department: str) -> PartTerms:
        """The terms of a department's part."""
        policy = self._directory.policy_for(self._circumstances._replace(department=department))
        if (known := self._by_policy.get(policy.id)) is None:
            due = due_times(self._directory.terms[policy.id], self._assigned_at)
            known = self._by_policy[policy.id] = terms_with(policy.id, due, self._assigned_at, self._directory)
        return known


def terms_with(policy_id: str, due: Sequence[int], since: int, directory: CityIndex) -> PartTerms:
    """The terms of a part under this policy that is offered at `since`; `due` is in the order of CLOCKS."""
    texts = [timestamps.to_text(timestamps.from_ms(moment)) for moment in due]
    due_texts = cast(facts.DueTexts, dict(zip(CLOCKS, texts, strict=True)))
    moving = provisional(directory.terms[policy_id].calendar, due)
    return PartTerms(policy_id, due_texts, moving, return_until(policy_id, since, directory))


def return_until(policy_id: str, since: int, directory: CityIndex) -> str | None:
    """When `returns.within` of the policy has passed, in working time of its calendar; None without such a time."""
    returns = directory.returns(policy_id)
    if returns is None or returns.within is None:
        return None
    calendar = directory.terms[policy_id].calendar
    until = add(calendar, since, duration_ms(returns.within, calendar.day_ms))
    return timestamps.to_text(timestamps.from_ms(until))


def asking_times(case: Case, part: Part | None, given: Input, directory: CityIndex) -> tuple[str, str]:
    """When the resident is reminded of a question, and when the inquiry is closed without an answer.

    The policy of the part says it; of a question for the whole inquiry, the policy of its first part, or the one that
    would count if a part was offered now.
    """
    if part is None and case.active_parts:
        part = case.active_parts[0]
    policy = policy_of(case, part, directory) if part is not None else _policy_without_part(case, directory)
    calendar = directory.terms[policy.id].calendar
    at = timestamps.to_ms(timestamps.from_text(given.recorded_at))

    def after(duration: str) -> str:
        return timestamps.to_text(timestamps.from_ms(add(calendar, at, duration_ms(duration, calendar.day_ms))))

    return after(policy.asking.remind_after), after(policy.asking.close_after)


def terms_now(case: Case, given: Input, directory: CityIndex, rule: str | None = None) -> PartTermsFinder:
    """The terms of parts that are offered now. Without `rule`, the category and priority of the last rule count."""
    # Only a case with a message has parts or is in triage.
    assert case.inquiry is not None
    received_at = timestamps.from_text(case.inquiry.received_at)
    return PartTermsFinder(case.inquiry.channel, received_at, rule or case.rule, given.recorded_at, directory)


def _circumstances(channel: str, received_at: datetime, rule: str | None, directory: CityIndex) -> PartCircumstances:
    """What the conditions of policies compare, without the department."""
    found = directory.rules_by_id.get(rule) if rule is not None else None
    return PartCircumstances(
        received=received_at.astimezone(directory.zone).date(),
        channel=channel,
        department="",
        category=found.category if found else None,
        priority=found.priority if found else None,
    )


def policy_of(case: Case, part: Part, directory: CityIndex) -> Policy:
    """The policy of a part. If the city no longer has it, the one that would count if the part was offered now."""
    if (known := directory.policies_by_id.get(part.policy_id)) is not None:
        return known
    return _policy_without_part(case, directory, part.department)


def _policy_without_part(case: Case, directory: CityIndex, department: str = "") -> Policy:
    # Every input but the first belongs to a case with `Registered`, its first fact, so there is a message.
    assert case.inquiry is not None
    received_at = timestamps.from_text(case.inquiry.received_at)
    found = _circumstances(case.inquiry.channel, received_at, case.rule, directory)
    return directory.policy_for(found._replace(department=department))
