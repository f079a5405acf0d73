"""Cancels asyncio tasks and waits until they have ended."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

CANCEL_AGAIN_S = 0.5
Loop = Callable[[], Awaitable[None]]


async def cancel_and_wait(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel repeatedly: on Python 3.11 `wait_for` can swallow a cancellation that arrives together with a result."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=CANCEL_AGAIN_S)
