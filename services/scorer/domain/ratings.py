"""Counts the ratings of a department."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.events.case_events import InquiryRatedEvent


@dataclass(frozen=True, slots=True)
class PartRating:
    """A rating of an answer, for one of its parts; `contacted`: the part's first-reply clock was kept."""

    rating: InquiryRatedEvent
    contacted: bool


@dataclass(frozen=True, slots=True)
class RatingCounts:
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
