"""A component of the local stack: how its process is started, checked and stopped."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from deploy.failure import FAILED, Failure
from deploy.local import die_with_parent


def _nothing() -> None: ...


@dataclass(frozen=True)
class Component:
    """One process of the stack.

    `ready` returns why the process is not ready, or "" when it is; it may block for a second. The supervisor stops
    components in ascending order of `stage`. The process gets `orphan_signal` when its supervisor dies.
    """

    name: str
    command: tuple[str, ...]
    ready: Callable[[], str]
    stage: int
    ports: tuple[int, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[], None] = _nothing
    stop_s: float = 10.0
    orphan_signal: signal.Signals = signal.SIGTERM


def spawn_arguments(component: Component) -> tuple[list[str], dict[str, Any]]:
    """Command and keyword arguments that start the process in its own session; it ends with the calling process."""
    command = list(component.command)
    # PR_SET_PDEATHSIG fires when the forking thread ends, so it is set only from the main thread.
    if threading.current_thread() is threading.main_thread():
        wrapper = [
            sys.executable,
            "-I",
            "-S",
            die_with_parent.__file__,
            str(os.getpid()),
            str(int(component.orphan_signal)),
        ]
        command = wrapper + command
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", **component.environment}
    return command, {"env": environment, "start_new_session": True, "stdin": subprocess.DEVNULL}


class Running:
    """One unsupervised component, for tests that start, kill and restart it; its output goes to `log`."""

    def __init__(self, component: Component, log: Path) -> None:
        self.component = component
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.component.name} was not started"
        return self._process.pid

    def start(self, within_s: float = 60.0) -> None:
        """Start the process and wait until it is ready; raises Failure when it ends or is not ready in time."""
        self.spawn()
        self.wait_ready(within_s)

    def spawn(self) -> None:
        """Start the process without waiting until it is ready."""
        self.component.prepare()
        command, arguments = spawn_arguments(self.component)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._output = self.log.open("ab")
        self._process = subprocess.Popen(command, stdout=self._output, stderr=subprocess.STDOUT, **arguments)

    def kill(self) -> None:
        """Send SIGKILL."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Send SIGTERM, then SIGKILL after `stop_s`; does nothing when the process does not run."""
        self._end(signal.SIGTERM)

    def wait_ready(self, within_s: float = 60.0) -> None:
        """Wait until the started process is ready; raises Failure when it ends or is not ready in time."""
        assert self._process is not None
        until = time.monotonic() + within_s
        while reason := self.component.ready():
            if self._process.poll() is not None:
                code = self._process.returncode
                raise Failure(FAILED, f"{self.component.name} exited with status {code}: see {str(self.log)!r}.")
            if time.monotonic() > until:
                self.kill()
                raise Failure(
                    FAILED,
                    f"{self.component.name} was not ready after {within_s:g} s ({reason}): see {str(self.log)!r}.",
                )
            time.sleep(0.05)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None or self._output is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(self.component.stop_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._output.close()
        self._process = self._output = None
