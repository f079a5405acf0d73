"""Fixtures of all tests: broker and store once a worker, a whole stack once for successive files that use it."""

import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx._transports.default
import pytest

from deploy.failure import Failure
from deploy.local.ports import Ports
from tests.backing import Backing, backing
from tests.forks import forks
from tests.order import place_of
from tests.patience import PATIENCE_S

REPOSITORY = Path(__file__).parents[1]
REAL_DATA = REPOSITORY.parent / "shared" / "data"


def pytest_configure(config: pytest.Config) -> None:
    """Parallel workers search for free ports in different ranges. All HTTP clients of a worker load the certificate
    authorities once: they take longer than a request, and tests send thousands.
    """
    config.stash[SHARED] = SharedStack()
    gc.disable()  # the collector takes a quarter of the time in which thousands of tests are collected, and finds nothing
    clients: Any = httpx._transports.default
    clients.create_ssl_context = cache(clients.create_ssl_context)
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    Ports.bases = Ports.bases[int(worker) :: count]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The files that take longest run first."""
    items.sort(key=lambda one: place_of(one.path.relative_to(REPOSITORY / "tests").as_posix()))
    config.stash[USERS] = {one.path for one in items if "stack" in getattr(one, "fixturenames", ())}


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Stop the shared stack before a file that does not use it: it would handle what that file writes."""
    try:
        yield
    finally:
        if nextitem is None or nextitem.path not in item.config.stash[USERS]:
            item.config.stash[SHARED].stop()


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Backing]:
    """Apache Kafka, the store and the SMTP server. Without them tests are skipped; in CI they fail."""
    try:
        context = backing(tmp_path_factory.mktemp("backing"), Ports.free())
        started = context.__enter__()
    except Failure as failure:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no broker or store here: {failure.sentence}")
    try:
        yield started
    finally:
        pytestconfig.stash[SHARED].stop()
        context.__exit__(None, None, None)


@dataclass
class RunningStack:
    """A running `chorus up`; `env` makes commands find it."""

    data: Path
    env: dict[str, str]
    process: subprocess.Popen[bytes]

    def chorus(self, *words: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a command as a user would."""
        return forks().run(("-m", "deploy.cli.main", *words), self.env, self.data, timeout)


class SharedStack:
    """The whole system on the broker and the store of a worker, for all files in succession that use it."""

    def __init__(self) -> None:
        self._started: RunningStack | None = None
        self._ends = ExitStack()

    def start(self, data: Callable[[], Path], given: Mapping[str, str]) -> RunningStack:
        """The running stack, started if it does not run."""
        if self._started is None:
            self._started = self._ends.enter_context(chorus_up(data(), given))
        return self._started

    def stop(self) -> None:
        self._started = None
        self._ends.close()


USERS, SHARED = pytest.StashKey[set[Path]](), pytest.StashKey[SharedStack]()


@pytest.fixture(scope="module")
def stack(running: Backing, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> RunningStack:
    """The whole system on the run's broker and store; shared with the file before, if that used it too."""
    given = {"CHORUS_KAFKA": running.kafka, "CHORUS_MONGODB": running.mongodb}
    return pytestconfig.stash[SHARED].start(lambda: tmp_path_factory.mktemp("stack"), given)


@contextmanager
def chorus_up(data: Path, given: Mapping[str, str], *words: str) -> Iterator[RunningStack]:
    """Run `chorus up` with these options; it starts what `given` does not name."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("CHORUS_")}
    env |= {"CHORUS_DATA": str(data), "CHORUS_PORTS": str(Ports.free().intake - 1), "PYTHONUNBUFFERED": "1"}
    env |= {"PYTHONPATH": str(REPOSITORY)}
    log = (data.parent / f"{data.name}.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "deploy.cli.main", "up", *words],
        env=env | dict(given),
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        _await_ready(process, data, Path(log.name))
        yield RunningStack(data, env, process)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            status = process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        finally:
            log.close()
        assert status == 0, f"chorus up ended with {status}: {Path(log.name).read_text()[-2000:]}"


def _await_ready(process: subprocess.Popen[bytes], data: Path, log: Path) -> None:
    until = time.monotonic() + PATIENCE_S
    while not (data / "stack.json").exists():
        if process.poll() is not None or time.monotonic() > until:
            raise AssertionError(f"the stack did not become ready: {log.read_text()[-4000:]}")
        time.sleep(0.2)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real messages beside the repository; its tests are skipped if it is missing."""
    if not REAL_DATA.is_dir():
        pytest.skip(f"the real messages are not at {REAL_DATA}")
    return REAL_DATA
