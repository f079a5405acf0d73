"""Facts as they are stored in decisions, and read back by this version and later ones."""

from collections.abc import Callable, Mapping
from typing import Any

from services.router.domain.assignment_rules import Why
from services.router.domain.facts import (
    TYPES,
    ActionTaken,
    Assigned,
    Contributed,
    Drafted,
    DueTexts,
    Fact,
    Offered,
    Registered,
    Triaged,
    UnknownFact,
)
from shared.contracts.fields import Contact

_CLASSES = {name: cls for cls, name in TYPES.items()}
_NESTED: Mapping[str, Callable[[Any], Any]] = {
    "contact": lambda given: given and Contact.model_validate(given),
    "due": lambda given: DueTexts(**given),
    "actions": lambda given: tuple(ActionTaken(**one) for one in given),
}

_PLAIN: Mapping[type[Fact], Callable[[Any], dict[str, Any]]] = {
    Registered: lambda fact: {"contact": fact.contact and fact.contact.model_dump()},
    Assigned: lambda fact: {"why": fact.why._asdict()},
    Offered: lambda fact: {"due": fact.due._asdict()},
    Drafted: lambda fact: {"actions": [one._asdict() for one in fact.actions]},
    Contributed: lambda fact: {"actions": [one._asdict() for one in fact.actions]},
}
"""The fields that BSON and JSON have in another form."""


def document(fact: Fact) -> dict[str, Any]:
    """A fact as it is stored: `{type, data}`."""
    if isinstance(fact, UnknownFact):
        return {"type": fact.type, "data": dict(fact.data)}
    kind = type(fact)
    data = fact._asdict()
    if (nested := _PLAIN.get(kind)) is not None:
        data |= nested(fact)
    if kind is Triaged:
        # What a triage does not concern is left out of it.
        data = {name: value for name, value in data.items() if value}
    return {"type": TYPES[kind], "data": data}


def from_document(stored: Mapping[str, Any]) -> Fact:
    """A fact as it was stored, by this version or an earlier one; fields that this version does not know are dropped."""
    cls = _CLASSES.get(stored["type"])
    data = stored["data"]
    if cls is None:
        return UnknownFact(stored["type"], data)
    known = {name: _value(cls, name, data[name]) for name in cls._fields if name in data}
    made: Fact = cls(**known)
    return made


def _value(cls: type[Fact], name: str, given: Any) -> Any:
    if name == "why" and cls is Assigned:
        return Why(**given)
    if name in _NESTED:
        return _NESTED[name](given)
    return tuple(given) if isinstance(given, list) else given
