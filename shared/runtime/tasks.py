"""Asynchronous tasks: cancelling them until they have ended."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

CANCEL_AGAIN_S = 0.5


Loop = Callable[[], Awaitable[None]]


async def cancel_and_wait(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel tasks until they have ended: on Python 3.11 `wait_for` may swallow a cancellation that comes with an answer."""
    going = set(tasks)
    while going:
        for task in going:
            task.cancel()
        _, going = await asyncio.wait(going, timeout=CANCEL_AGAIN_S)
