"""Reactions: facts that follow from the state of a case after an input, such as the joint reply after the last part."""

from collections.abc import Callable

from services.router.domain.case import ENDED, Case
from services.router.domain.city_index import CityIndex
from services.router.domain.rules.corrections import correct_when_sent
from services.router.domain.rules.joint_reply import compose_when_complete
from services.router.domain.rules.publication import publish_when_released
from services.router.domain.rules.release import release_when_composed
from services.router.domain.words import NewFact

Reaction = Callable[[Case, CityIndex], NewFact | None]
REACTIONS: tuple[Reaction, ...] = (
    compose_when_complete,
    release_when_composed,
    correct_when_sent,
    publish_when_released,
)
REACTIONS_MAX = 20
"""The limit for one input: more reactions mean that they trigger each other endlessly."""


def reaction_to(case: Case, directory: CityIndex) -> NewFact | None:
    """The next fact that follows from this state; None when nothing follows, as after the end of a case."""
    if case.status in ENDED:
        return None
    return next((found for one in REACTIONS if (found := one(case, directory)) is not None), None)
