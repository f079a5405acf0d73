"""Reactions: facts that follow from the state itself, whatever input brought it about."""

from collections.abc import Callable

from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.rules.joint_reply import compose_when_complete, release_when_composed
from services.router.domain.words import Stated

Reaction = Callable[[Case, CityIndex], Stated | None]
REACTIONS: tuple[Reaction, ...] = (compose_when_complete, release_when_composed)
MOST = 20
"""More reactions to one input are a rule that never ends."""


def reaction_to(case: Case, directory: CityIndex) -> Stated | None:
    """The next fact that follows from this state; None when nothing more does."""
    return next((found for one in REACTIONS if (found := one(case, directory)) is not None), None)
