"""Running a process: one of its name, patient while a dependency is away, ended when it is told to end."""

import asyncio
import contextlib
import fcntl
import gc
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import uvicorn
from aiokafka.errors import KafkaError

from shared.kafka.failures import DependencyUnavailable
from shared.runtime.logging import log
from shared.runtime.settings import Settings
from shared.runtime.tasks import Loop
from shared.store.mongo import StoreUnavailable

LONGEST_PAUSE_S = 5.0


YOUNG_OBJECTS = 200_000
SWITCH_S = 0.001


class Server(uvicorn.Server):
    """uvicorn, but SIGTERM and SIGINT are asked and answered: the process then ends with status 0."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop gracefully on a signal; uvicorn's own would raise it again afterwards."""
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def tune_python() -> None:
    """What lives now lives for ever, and cycles are looked for seldom: records and cases have none, and are many.

    With Python's own thresholds the core spends a third of its time walking through cases that it remembers. And whoever
    waits for the store's answer, in a thread of the driver's, gets its turn sooner than after Python's own 5 ms.
    """
    sys.setswitchinterval(SWITCH_S)
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 50)


async def retry_until_available(act: Loop, what: str) -> None:
    """Do it, however often it takes while something that it needs is away."""
    pause_s = 0.1
    while True:
        try:
            await act()
        except (StoreUnavailable, KafkaError, OSError, DependencyUnavailable) as error:
            log.warning(f"{what}: not yet", error=type(error).__name__)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
        else:
            return


async def run_forever(loop: Loop) -> None:
    """Keep a loop going: a dependency that is away, or a failure, is logged and tried again after a pause."""
    pause_s = 0.1
    while True:
        began = time.monotonic()
        await retry_until_available(loop, loop.__qualname__)
        pause_s = 0.1 if time.monotonic() - began > 30 else min(pause_s * 2, LONGEST_PAUSE_S)
        await asyncio.sleep(pause_s)


@contextlib.contextmanager
def single_instance(settings: Settings) -> Any:
    """Hold the lock named after this instance: two processes with one name would both read everything.

    The operating system releases it when the process ends, however it ends.
    """
    if settings.instance is None:
        yield
        return
    folder = settings.data or Path(tempfile.gettempdir())
    path = folder / f"chorus-{settings.instance}.lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock: IO[str] = path.open("a")
    except OSError as error:
        sys.exit(f"The lock of instance {settings.instance!r} cannot be made at {str(path)!r}: {error.strerror}.")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        sys.exit(
            f"The instance {settings.instance!r} runs already ({path} is locked); "
            f"stop it, or give this process another CHORUS_INSTANCE."
        )
    with lock:
        yield
