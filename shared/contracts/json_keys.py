"""Finds a key that a JSON object repeats: parsers silently keep the last value only."""

import json
from collections.abc import Sequence
from typing import Any


class RepeatedKey(ValueError):
    """An object has a key twice; `key` is that key."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def unique_keys(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """The `object_pairs_hook` of `json` that raises RepeatedKey."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise RepeatedKey(key)
        found[key] = value
    return found


def repeated_key(document: bytes) -> str | None:
    """The first key that an object of this JSON document repeats; None without one. Raises ValueError for other bytes."""
    try:
        json.loads(document, object_pairs_hook=unique_keys)
    except RepeatedKey as repeated:
        return repeated.key
    return None
