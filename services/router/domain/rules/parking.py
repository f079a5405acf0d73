"""The command `replay`, which takes the parked inputs of an inquiry."""

from __future__ import annotations

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import Input
from services.router.domain.rules.preconditions import Facts, by
from services.router.domain.words import NewFact


def release(case: Case, given: Input, directory: CityIndex) -> Facts:
    """Record that the core has taken the parked inputs: it decides them, in order, just before this command."""
    return [NewFact(facts.Released(), private=by(given))]
