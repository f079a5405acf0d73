"""How a program of a benchmark runs: on uvloop, until SIGTERM."""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable

import uvloop


def run(main: Callable[[], Awaitable[None]]) -> None:
    """Run it until the process is told to end; uvicorn, and with it every service, uses the same loop."""
    uvloop.run(_until_told(main))


async def _until_told(main: Callable[[], Awaitable[None]]) -> None:
    task = asyncio.ensure_future(main())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task
