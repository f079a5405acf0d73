"""Facts that reopen and close an inquiry, and the reminder to rate."""

from typing import NamedTuple

from services.router.domain.facts.fields import CityId, CloseReason, ReopeningClock
from shared.contracts.commitments import Commitment


class Reopened(NamedTuple):
    """The inquiry is open again. After a rating a new round begins: `policy_id` says so, and which clocks its parts get."""

    round: int
    policy_id: CityId | None = None
    clock: ReopeningClock | None = None


class Closed(NamedTuple):
    """The inquiry is closed.

    `unanswered`: the resident did not answer a question; the answer reopens it. `final-answer`: a coordinator ended the
    dialogue, with a reason; nothing reopens it.
    """

    reason: CloseReason
    why: Commitment | None = None


class RatingReminded(NamedTuple):
    """The resident was reminded to rate the answer of this round."""

    round: int
