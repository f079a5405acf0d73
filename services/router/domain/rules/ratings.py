"""The resident rates the answer of a round. The rating may reopen the inquiry, see `reopening.py`."""

from __future__ import annotations

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import Input
from services.router.domain.rules.preconditions import NOT_ANSWERED, Facts, Refused, payload_of
from services.router.domain.rules.reopening import reopen
from services.router.domain.words import NewFact
from shared.contracts.resident_inputs import InquiryRated


def rate(case: Case, given: Input, directory: CityIndex) -> Facts:
    """Record a rating. Refuses a rating of another round than the current one, and a second rating of a round."""
    rating = payload_of(given, InquiryRated)
    if rating.round != case.round or not case.is_answered:
        raise NOT_ANSWERED.of(case, given)
    if rating.round in case.rated:
        raise Refused(
            "rated-before", f"Round {rating.round} of {case.inquiry_id!r} is rated already.", "No action is needed."
        )
    texts = {} if rating.words is None else {"words": rating.words}
    rated = NewFact(facts.Rated(rating.round, rating.solved, rating.satisfied), texts=texts)
    return [rated, *reopen(case, rating, given, directory)]
