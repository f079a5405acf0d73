"""Releasing a case whose inputs were parked."""

from __future__ import annotations

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import Input
from services.router.domain.rules.preconditions import Facts, payload_of
from shared.contracts.inputs import (
    CaseReplay,
)


def release(case: Case, given: Input, directory: CityIndex) -> Facts:
    """What was parked has been taken, in order, before this."""
    return [facts.Released(payload_of(given, CaseReplay).by)]
