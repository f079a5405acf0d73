"""The resident gets the link to the ticket again."""

from __future__ import annotations

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import Input
from services.router.domain.rules.preconditions import Facts
from services.router.domain.words import NewFact


def request_link(case: Case, given: Input, directory: CityIndex) -> Facts:
    """Record the request, in every state of the case; the message that follows goes to the contact on file only."""
    return [NewFact(facts.LinkRequested())]
