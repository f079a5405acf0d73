"""Case events: the value of an event is a fact as JSON, and the only form in which the fact is stored.

The fields are in this order: `type`, `inquiry_id`, `sequence`, `at`, `actor`, the fields of the fact, then `state`,
`departments` (lead first) and `part_states` (number of parts in each state) as they are after this fact, and `prev`, the
SHA-256 of the value of the case's previous event.
"""

from hashlib import sha256
from typing import TypedDict

from services.router.domain.case import Case
from services.router.domain.decision import Actor
from services.router.domain.facts import OMITTED_WHEN_EMPTY, TYPES, Fact, UnknownFact
from shared.contracts.envelope import PREFIX, as_json

EVENT_TYPES = {cls: PREFIX + name for cls, name in TYPES.items()}


def event_type(fact: Fact) -> str:
    """The event type of a fact, with the prefix `chorus.`."""
    return fact.type if isinstance(fact, UnknownFact) else EVENT_TYPES[type(fact)]


class CaseFields(TypedDict):
    """The fields with the state of the case after the fact."""

    state: str
    departments: list[str]
    part_states: dict[str, int]


def case_fields(case: Case) -> CaseFields:
    states: dict[str, int] = {}
    for part in case.parts.values():
        states[part.state] = states.get(part.state, 0) + 1
    return {
        "state": case.state,
        "departments": list(case.departments),
        "part_states": dict(sorted(states.items())) if len(states) > 1 else states,
    }


def event_of(case: Case, fact: Fact, at: str, actor: Actor) -> bytes:
    """The value of the event of `fact`, for a case that has it folded in. Updates `sequence` and `head` of the case."""
    case.sequence += 1
    fields = fact._asdict()
    for name in OMITTED_WHEN_EMPTY.get(type(fact), ()):
        if not fields[name]:
            del fields[name]
    value = as_json(
        {
            "type": event_type(fact),
            "inquiry_id": case.inquiry_id,
            "sequence": case.sequence,
            "at": at,
            "actor": actor.public,
            **fields,
            **case_fields(case),
            "prev": case.head,
        }
    )
    case.head = sha256(value).hexdigest()
    return value
