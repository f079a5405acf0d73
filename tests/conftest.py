"""Fixtures of all tests: broker and store once a run, a whole stack once a module."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.failure import Failure
from deploy.local.ports import Ports
from tests.backing import Backing, backing
from tests.order import place_of
from tests.patience import PATIENCE_S

REPOSITORY = Path(__file__).parents[1]
REAL_DATA = REPOSITORY.parent / "shared" / "data"


def pytest_configure(config: pytest.Config) -> None:
    """Parallel workers search for free ports in different ranges."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    Ports.bases = Ports.bases[int(worker) :: count]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest run first."""
    items.sort(key=lambda one: place_of(one.path.relative_to(REPOSITORY / "tests").as_posix()))


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backing]:
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
        context.__exit__(None, None, None)


@dataclass
class RunningStack:
    """A running `chorus up`; `env` makes commands find it."""

    data: Path
    env: dict[str, str]
    process: subprocess.Popen[bytes]

    def chorus(self, *words: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a command as a user would."""
        command = [sys.executable, "-m", "deploy.cli.main", *words]
        return subprocess.run(
            command, env=self.env, cwd=self.data, capture_output=True, text=True, timeout=timeout, check=False
        )


@pytest.fixture(scope="module")
def stack(running: Backing, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """The whole system on the run's broker and store; stopped at the end of the module."""
    given = {"CHORUS_KAFKA": running.kafka, "CHORUS_MONGODB": running.mongodb}
    with chorus_up(tmp_path_factory.mktemp("stack"), given) as one:
        yield one


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
