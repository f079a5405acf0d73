"""Releasing a case whose inputs were parked."""

from __future__ import annotations

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import Input
from services.router.domain.rules.preconditions import Facts, by
from services.router.domain.words import Stated


def release(case: Case, given: Input, directory: CityIndex) -> Facts:
    """What was parked has been taken, in order, before this."""
    return [Stated(facts.Released(), private=by(given))]
