"""Reads facts from the values of their events, which are the only form in which facts are stored."""

from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

from services.router.domain.facts import TYPES, Fact, UnknownFact
from shared.contracts.envelope import PREFIX

CLASSES: Mapping[str, type[Fact]] = {PREFIX + name: cls for cls, name in TYPES.items()}


def from_event(value: str | bytes) -> Fact:
    """The fact of an event. Skips fields that this version does not know; an unknown type becomes `UnknownFact`."""
    data = from_json(value)
    cls = CLASSES.get(data["type"])
    if cls is None:
        return UnknownFact(data["type"], data)
    known = {name: _value(data[name]) for name in cls._fields if name in data}
    made: Fact = cls(**known)
    return made


def _value(given: Any) -> Any:
    return tuple(given) if isinstance(given, list) else given
