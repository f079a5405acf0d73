"""Runs a benchmark program on uvloop until SIGTERM."""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable

import uvloop


def run(main: Callable[[], Awaitable[None]]) -> None:
    """Run until SIGTERM; uvicorn and the services use the same event loop."""
    uvloop.run(_until_told(main))


async def _until_told(main: Callable[[], Awaitable[None]]) -> None:
    task = asyncio.ensure_future(main())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task
