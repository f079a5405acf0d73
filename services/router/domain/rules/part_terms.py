"""The policy of each part that is offered, and when its clocks run out."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, cast

from services.router.domain import facts
from services.router.domain.case import Case, Part
from services.router.domain.city_index import CityIndex
from shared.city.policies import PartCircumstances, Policy
from shared.clocks.deadlines import CLOCKS, ClockName, due_times, provisional
from shared.runtime import timestamps


class PartTerms(NamedTuple):
    """The policy of a part, its due times, and the clocks whose due time may still move."""

    policy_id: str
    due: facts.DueTexts
    provisional: tuple[ClockName, ...]


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
            known = self._by_policy[policy.id] = self._computed(policy.id)
        return known

    def _computed(self, policy_id: str) -> PartTerms:
        terms = self._directory.terms[policy_id]
        due = due_times(terms, self._assigned_at)
        texts = [timestamps.to_text(timestamps.from_ms(moment)) for moment in due]
        return PartTerms(
            policy_id, cast(facts.DueTexts, dict(zip(CLOCKS, texts, strict=True))), provisional(terms.calendar, due)
        )


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
    # A part is offered only after `Registered`, the first fact of every case, so there is a message.
    assert case.inquiry is not None
    received_at = timestamps.from_text(case.inquiry.received_at)
    found = _circumstances(case.inquiry.channel, received_at, case.rule, directory)
    return directory.policy_for(found._replace(department=part.department))
