"""What `chorus demo --full` expects: sentences that are true, now or soon, or else end a story."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import httpx

PATIENCE_S = 30.0
POLL_S = 0.1
SETTLED_S = 1.0
"""How long the demo waits for a second copy of what must come once."""
Seen = TypeVar("Seen")


class NotAsExpected(Exception):
    """The system does not do what the story says; the text says what is seen instead."""


def expect(ok: object, sentence: str) -> None:
    """Raise NotAsExpected with this sentence unless `ok`."""
    if not ok:
        raise NotAsExpected(sentence)


def expect_same(seen: object, expected: object, what: str) -> None:
    """Raise NotAsExpected unless both are equal; the sentence quotes both."""
    expect(seen == expected, f"{what}: {_quoted(seen)} instead of {_quoted(expected)}")


async def soon(look: Callable[[], Awaitable[Seen | None]], sentence: str, patience_s: float = PATIENCE_S) -> Seen:
    """The first result of `look` that is neither None, False nor empty. A service may restart meanwhile.

    Raises NotAsExpected when none comes in time, or httpx.TransportError when a service does not answer in that time.
    """
    until = time.monotonic() + patience_s
    while True:
        try:
            if seen := await look():
                return seen
        except httpx.TransportError:
            if time.monotonic() > until:
                raise
        if time.monotonic() > until:
            raise NotAsExpected(f"{sentence}, after {patience_s:.0f} s")
        await asyncio.sleep(POLL_S)


def _quoted(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 300 else f"{text[:299]}…"
