"""Runs a service process: its HTTP server, retries while a dependency is unavailable, one process for each instance."""

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
from fastapi import FastAPI

from shared.http.protocol import HttpProtocol
from shared.kafka.failures import DependencyUnavailable
from shared.runtime.logging import log
from shared.runtime.settings import Settings
from shared.runtime.tasks import Loop
from shared.store.mongo import StoreUnavailable

SHORTEST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0
PAUSE_RESET_S = 30.0
GC_THRESHOLD = 200_000
SWITCH_INTERVAL_S = 0.001


class Server(uvicorn.Server):
    """uvicorn's server, except that the process exits with status 0 after SIGTERM or SIGINT."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop gracefully on a signal. uvicorn's own method raises the signal again after the shutdown."""
        signals = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in signals}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def http_server(app: FastAPI, settings: Settings) -> Server:
    """The HTTP server of a service."""
    host, port = settings.address
    return Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            # Named, because uvicorn would choose another parser where httptools is missing; no service uses WebSockets.
            http=HttpProtocol,
            ws="none",
            # `shared.runtime.logging` formats uvicorn's lines. An access log would contain query codes (`?code=`).
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=settings.trusted_proxies,
            # Longer than a proxy keeps an idle connection (nginx: 60 s), or it could send a request into a closed one.
            timeout_keep_alive=75,
            timeout_graceful_shutdown=10,
        )
    )


def tune_python() -> None:
    """Run the garbage collector rarely, and switch threads sooner. Figures: docs/decisions/0010-measuring.md.

    Records and cases have no reference cycles, and there are many: with Python's own thresholds the collector takes a
    third of the core's time. MongoDB's driver answers in a thread, which waits up to a switch interval for its turn: with
    0.5 instead of 5 ms, at 100 inquiries a second the median time into an inbox was 4.8 instead of 6.8 ms.
    """
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 20, 50)


async def retry_until_available(act: Loop, task: str) -> None:
    """Call `act` again until no dependency is unavailable; raises any other failure."""
    pause_s = SHORTEST_PAUSE_S
    while True:
        try:
            await act()
        except (StoreUnavailable, KafkaError, OSError, DependencyUnavailable) as error:
            log.warning("a dependency is unavailable; trying again", task=task, error=type(error).__name__)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
        else:
            return


async def run_forever(loop: Loop) -> None:
    """Run a loop again, after a pause, when it returns or a dependency is unavailable; raises any other failure."""
    pause_s = SHORTEST_PAUSE_S
    while True:
        began = time.monotonic()
        await retry_until_available(loop, loop.__qualname__)
        long_run = time.monotonic() - began > PAUSE_RESET_S
        pause_s = SHORTEST_PAUSE_S if long_run else min(pause_s * 2, LONGEST_PAUSE_S)
        await asyncio.sleep(pause_s)


@contextlib.contextmanager
def single_instance(settings: Settings) -> Any:
    """Hold a file lock named after CHORUS_INSTANCE: Kafka would give two processes with one name the same partitions.

    The operating system releases the lock when the process ends for any reason.
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
        sys.exit(f"The lock file {str(path)!r} of instance {settings.instance!r} cannot be opened: {error.strerror}.")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        sys.exit(
            f"The instance {settings.instance!r} is already running ({path} is locked); "
            "stop it, or set another CHORUS_INSTANCE."
        )
    with lock:
        yield
