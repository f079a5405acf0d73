"""Starts HTTP programs and waits until they are ready: the services, and the bare programs."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from deploy.local import probe
from deploy.local.city import apply_if_changed, city_folder
from deploy.local.mail import mail_component
from shared.city import City
from tests.benchmarks.contest import Contender, Process, running
from tests.benchmarks.load import Address
from tests.benchmarks.place import Place, free_port
from tests.benchmarks.programs.inboxes import STARTED

READY_S = 60.0
LOOK_EVERY_S = 0.05


@contextmanager
def listening(place: Place, module: str, *words: str, **environment: str) -> Iterator[Address]:
    """A program on its own port, from its readiness to the end of the block."""
    with _listening(place, module, *words, **environment) as (address, process):
        until(lambda: not probe.service(f"http://{address.host}:{address.port}"), process)
        yield address


@contextmanager
def intake_and_router(place: Place, city: City) -> Iterator[Address]:
    """Intake and router with an applied city; returns intake's address."""
    with ExitStack() as ends:
        router, process = ends.enter_context(_listening(place, "services.router"))
        intake = ends.enter_context(listening(place, "services.intake"))
        url = f"http://{router.host}:{router.port}"
        token = Path(place.environment()["CHORUS_OPERATOR_TOKEN_FILE"])
        applied = place.folder / "applied"
        applied.unlink(missing_ok=True)
        asyncio.run(apply_if_changed(city_folder(), city, applied, url, token))
        until(lambda: not probe.service(url), process)
        yield intake


@contextmanager
def inbox_watch(place: Place, names: list[str]) -> Iterator[Callable[[], dict[str, float]]]:
    """A reader of these inboxes; returns the arrival time of the first message for each key."""
    noted = place.folder / "inboxes"
    noted.unlink(missing_ok=True)
    reader = Contender("inboxes", "tests.benchmarks.programs.inboxes", "", words=(str(noted), *names))

    def arrived() -> dict[str, float]:
        first: dict[str, float] = {}
        for line in noted.read_text().splitlines()[1:]:
            key, _, at = line.partition(" ")
            first.setdefault(key, float(at))
        return first

    with running(reader, place) as process:
        until(lambda: noted.exists() and noted.read_text().startswith(STARTED), process)
        yield arrived


@contextmanager
def mail_sink(place: Place) -> Iterator[str]:
    """An SMTP server that accepts everything; returns its address."""
    port = free_port()
    part = mail_component(place.folder / "mail", port)
    sink = Contender("mail", "deploy.local.mail", "", words=part.command[3:])
    with running(sink, place) as process:
        until(lambda: not part.ready(), process)
        yield f"127.0.0.1:{port}"


def until(done: Callable[[], bool], process: Process, limit_s: float = READY_S) -> None:
    """Wait for the condition; raises RuntimeError when the process ends or time is over."""
    last = time.monotonic() + limit_s
    while not done():
        process.alive()
        if time.monotonic() > last:
            raise RuntimeError(f"{process.name} was not ready within {limit_s:g} s.")
        time.sleep(LOOK_EVERY_S)


@contextmanager
def _listening(place: Place, module: str, *words: str, **environment: str) -> Iterator[tuple[Address, Process]]:
    address = Address("127.0.0.1", free_port())
    program = Contender(module.rpartition(".")[2], module, "", words=words)
    with running(program, place, CHORUS_HTTP=f"{address.host}:{address.port}", **environment) as process:
        yield address, process
