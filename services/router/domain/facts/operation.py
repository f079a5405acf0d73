"""Facts that operators cause."""

from typing import NamedTuple


class Released(NamedTuple):
    """A replay took the parked inputs of the inquiry."""
