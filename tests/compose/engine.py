"""The Docker Engine of a run: a running one, or with INSTALL=1 a new one on its own socket, stopped at the end."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local import die_with_parent
from deploy.local.jars import cache
from tests.compose import packages, tool
from tests.compose.packages import NotInstalled
from tests.compose.screen import say

ANSWERS_S, STARTS_S, STOPS_S = 15, 60, 90


@dataclass(frozen=True)
class Engine:
    """A working engine; `own` if this run has started it."""

    environment: Mapping[str, str]
    version: str
    own: bool


@contextmanager
def engine(install: bool, work: Path) -> Iterator[Engine]:
    """An engine and `docker compose`; raises NotInstalled when there is none and none may be installed."""
    found = _answering(tool.environment())
    if found is None and not install:
        raise NotInstalled("no Docker Engine answers here; INSTALL=1 installs one from packages")
    _have_compose(install)
    if found is not None:
        yield Engine(tool.environment(), found, own=False)
        return
    packages.install_engine()
    with _alone(), _started(work) as environment:
        version = _answering(environment)
        if version is None:
            raise NotInstalled(f"dockerd has started and does not answer; its log is {str(work / 'dockerd.log')!r}")
        yield Engine(environment, version, own=True)


def _have_compose(install: bool) -> None:
    def usable() -> bool:
        return (tool.version(["docker", "compose"], tool.environment()) or (0,)) >= tool.LEAST

    if not shutil.which("docker", path=packages.PATH) and install:
        packages.install_engine()
    if not usable() and install:
        packages.install_compose()
    if not usable():
        raise NotInstalled("the Docker client here has no `docker compose`; INSTALL=1 installs it from a package")


def _answering(environment: Mapping[str, str]) -> str | None:
    command = ["docker", "version", "--format", "{{.Server.Version}}"]
    try:
        done = subprocess.run(
            command, env=dict(environment), capture_output=True, text=True, timeout=ANSWERS_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


@contextmanager
def _alone() -> Iterator[None]:
    """Lock the cache folder: concurrent runs share its images."""
    folder = cache() / "engine"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another run uses the engine in the cache folder: waiting for its end")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _started(work: Path) -> Iterator[dict[str, str]]:
    """Start dockerd with its images in the cache folder; it ends with this process."""
    socket = f"unix://{work / 'docker.sock'}"
    places = {"host": socket, "data-root": cache() / "engine" / "data", "exec-root": work / "exec"}
    command = ["dockerd", *(f"--{name}={value}" for name, value in places.items()), f"--pidfile={work / 'pid'}"]
    environment = tool.environment() | {"PATH": packages.PATH, "DOCKER_HOST": socket}
    wrapped = [sys.executable, die_with_parent.__file__, str(os.getpid()), str(int(signal.SIGTERM)), *command]
    with (work / "dockerd.log").open("wb") as log:
        # Its own session: Ctrl-C must not stop dockerd before its containers.
        dockerd = subprocess.Popen(
            wrapped, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        _await(dockerd, environment, work / "dockerd.log")
        yield environment
    finally:
        dockerd.terminate()
        try:
            dockerd.wait(STOPS_S)
        except subprocess.TimeoutExpired:
            dockerd.kill()
            dockerd.wait()


def _await(dockerd: subprocess.Popen[bytes], environment: Mapping[str, str], log: Path) -> None:
    until = time.monotonic() + STARTS_S
    while _answering(environment) is None:
        if dockerd.poll() is not None or time.monotonic() > until:
            last = log.read_text(errors="replace").splitlines()[-1:]
            raise NotInstalled(f"dockerd does not start: {last}")
        time.sleep(0.3)
