"""Facts that close and reopen an inquiry."""

from typing import NamedTuple

from services.router.domain.facts.fields import CloseReason


class Closed(NamedTuple):
    """The inquiry is closed without an answer. `unanswered`: the resident did not answer a question."""

    reason: CloseReason


class Reopened(NamedTuple):
    """The inquiry is open again, in this round."""

    round: int
