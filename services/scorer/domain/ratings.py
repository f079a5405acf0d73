"""How ratings count."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.events.case_events import InquiryRatedEvent


@dataclass(frozen=True, slots=True)
class PartRating:
    """A rating as it counts for one part of the answer; `contacted`: the part's first reply was in time."""

    rating: InquiryRatedEvent
    contacted: bool


@dataclass(frozen=True, slots=True)
class RatingCounts:
    """One department's ratings over a period."""

    valid: int = 0
    contacted: int = 0
    solved: int = 0
    satisfied: int = 0
    mostly: int = 0


def rating_counts(given: Sequence[PartRating]) -> RatingCounts:
    return RatingCounts(
        valid=len(given),
        contacted=sum(one.contacted for one in given),
        solved=sum(one.rating.solved for one in given),
        satisfied=sum(one.rating.satisfied == "yes" for one in given),
        mostly=sum(one.rating.satisfied == "mostly" for one in given),
    )
