"""Case events: what of each fact everyone may read, never a resident's words, never a contact.

Each event also has the `state` of its case, the `departments` that handle it, lead first, and `part_states`, how many
parts are in each state. A fact that is not in EVENTS is not published.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypedDict

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.facts import Fact

REASON_CODE = re.compile(r"[a-z]+(-[a-z]+)*")
Fields = dict[str, object]


class CaseStanding(TypedDict):
    """What every event says of its case, as it is after the decision."""

    state: str
    departments: list[str]
    part_states: dict[str, int]


def standing(case: Case) -> CaseStanding:
    """The case as events describe it."""
    states = [part.state for part in case.parts.values()]
    return {
        "state": case.state,
        "departments": [part.department for part in case.active_parts],
        "part_states": {state: states.count(state) for state in sorted(set(states))},
    }


def case_event(inquiry_id: str, fact: Fact, now: CaseStanding, directory: CityIndex) -> Fields | None:
    """The fields of a fact's event; None for a fact that is not published."""
    fields = EVENTS.get(type(fact))
    if fields is None:
        return None
    event: Fields = {"inquiry_id": inquiry_id, **fields(fact, directory), **now}
    if isinstance(fact, facts.Registered):
        event["area"] = directory.area(fact.area)
    return event


def _registered(fact: facts.Registered, _: CityIndex) -> Fields:
    return {
        "channel": fact.channel,
        "language": fact.language,
        "public": fact.public,
        "received_at": fact.received_at,
    }


def _triaged(fact: facts.Triaged, _: CityIndex) -> Fields:
    return {"reason": fact.reason, "part_id": fact.part_id, "department": fact.department}


def _assigned(fact: facts.Assigned, _: CityIndex) -> Fields:
    return {
        "lead": fact.lead,
        "co_handlers": fact.co_handlers,
        "rule": fact.rule,
        "policy_id": fact.policy_id,
        "round": fact.round,
    }


def _of_part(fact: facts.Replied | facts.Accepted | facts.Contributed | facts.Withdrawn, _: CityIndex) -> Fields:
    return {"part_id": fact.part_id, "department": fact.department}


def _answered(fact: facts.Answered, _: CityIndex) -> Fields:
    return {"round": fact.round, "parts": fact.parts}


def _rated(fact: facts.Rated, _: CityIndex) -> Fields:
    return {"round": fact.round, "solved": fact.solved, "satisfied": fact.satisfied}


def _offered(fact: facts.Offered, _: CityIndex) -> Fields:
    return {
        "part_id": fact.part_id,
        "department": fact.department,
        "role": fact.role,
        "due": fact.due._asdict(),
        "round": fact.round,
    }


def _returned(fact: facts.Returned, directory: CityIndex) -> Fields:
    """A department may write anything as its reason; what everyone may read for ever is a code, or `other`."""
    return {
        "part_id": fact.part_id,
        "department": fact.department,
        "reason": fact.reason if REASON_CODE.fullmatch(fact.reason) else "other",
        "suggest": fact.suggest if fact.suggest in directory.departments else None,
    }


EVENTS: Mapping[type[Fact], Callable[[Any, CityIndex], Fields]] = {
    facts.Registered: _registered,
    facts.Triaged: _triaged,
    facts.Assigned: _assigned,
    facts.Replied: _of_part,
    facts.Answered: _answered,
    facts.Rated: _rated,
    facts.Offered: _offered,
    facts.Accepted: _of_part,
    facts.Contributed: _of_part,
    facts.Returned: _returned,
    facts.Withdrawn: _of_part,
}
