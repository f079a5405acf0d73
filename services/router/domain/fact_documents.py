"""Facts read back from their events: a fact is stored once, as the bytes of its event."""

from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

from services.router.domain.facts import TYPES, Fact, UnknownFact
from shared.contracts.envelope import PREFIX

CLASSES: Mapping[str, type[Fact]] = {PREFIX + name: cls for cls, name in TYPES.items()}


def from_event(value: str | bytes) -> Fact:
    """The fact that an event carries, of this version or an earlier one; fields that this version does not know are dropped."""
    data = from_json(value)
    cls = CLASSES.get(data["type"])
    if cls is None:
        return UnknownFact(data["type"], data)
    known = {name: _value(data[name]) for name in cls._fields if name in data}
    made: Fact = cls(**known)
    return made


def _value(given: Any) -> Any:
    return tuple(given) if isinstance(given, list) else given
