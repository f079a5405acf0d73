"""Case events: every fact, as everyone may read it for ever.

A value is compact JSON in this order: `type`, `inquiry_id`, `sequence`, `at`, `actor`, the fact's own fields, then the
`state` of the case, the `departments` that handle it, lead first, and `part_states`, how many parts are in each state,
all as they are after this fact, and `prev`, the SHA-256 of the value of the case's event before.
"""

from hashlib import sha256
from typing import TypedDict

from services.router.domain.case import Case
from services.router.domain.decision import Actor
from services.router.domain.facts import TYPES, Fact, UnknownFact
from shared.contracts.envelope import PREFIX, as_json

EVENT_TYPES = {cls: PREFIX + name for cls, name in TYPES.items()}


def event_type(fact: Fact) -> str:
    """The type of a fact's event, with the prefix."""
    return fact.type if isinstance(fact, UnknownFact) else EVENT_TYPES[type(fact)]


class CaseStanding(TypedDict):
    """What every event says of its case."""

    state: str
    departments: list[str]
    part_states: dict[str, int]


def standing(case: Case) -> CaseStanding:
    """The case as events describe it."""
    states: dict[str, int] = {}
    for part in case.parts.values():
        states[part.state] = states.get(part.state, 0) + 1
    return {
        "state": case.state,
        "departments": [part.department for part in case.active_parts],
        "part_states": dict(sorted(states.items())) if len(states) > 1 else states,
    }


def event_of(case: Case, fact: Fact, at: str, actor: Actor) -> bytes:
    """The next event of a case, which is already as the fact makes it; counts it and notes its hash in the case."""
    case.sequence += 1
    value = as_json(
        {
            "type": event_type(fact),
            "inquiry_id": case.inquiry_id,
            "sequence": case.sequence,
            "at": at,
            "actor": actor.public,
            **fact._asdict(),
            **standing(case),
            "prev": case.head,
        }
    )
    case.head = sha256(value).hexdigest()
    return value
