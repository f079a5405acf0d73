"""What a part of the stack is, and how its process is started and stopped."""

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
from deploy.local import tether


def _nothing() -> None: ...


@dataclass(frozen=True)
class StackPart:
    """One process of the stack.

    `ready` says why it cannot work yet, or "" when it can; it may block for a second. `stage`: a stack stops its parts by
    rising stage. `orphan_signal` goes to the process when its supervisor is killed.
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


def spawn_arguments(part: StackPart) -> tuple[list[str], dict[str, Any]]:
    """Command and keyword arguments for starting the process in a session of its own, bound to the calling process."""
    command = list(part.command)
    # The system counts the death of the thread that forked as the parent's death, so only the main thread may bind.
    if threading.current_thread() is threading.main_thread():
        binding = [sys.executable, "-I", "-S", tether.__file__, str(os.getpid()), str(int(part.orphan_signal))]
        command = binding + command
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", **part.environment}
    return command, {"env": environment, "start_new_session": True, "stdin": subprocess.DEVNULL}


class Running:
    """One part without supervision, for test suites: start, kill and start it again as you like; its words go to `log`."""

    def __init__(self, part: StackPart, log: Path) -> None:
        self.part = part
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None

    @property
    def pid(self) -> int:
        """The id of the process, which must have been started."""
        assert self._process is not None, f"{self.part.name} was not started"
        return self._process.pid

    def start(self, within_s: float = 60.0) -> None:
        """Start the process and wait until it works; raises Failure when it ends or is not ready in time."""
        self.spawn()
        self.wait_ready(within_s)

    def spawn(self) -> None:
        """Start the process and go on."""
        self.part.prepare()
        command, arguments = spawn_arguments(self.part)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._output = self.log.open("ab")
        self._process = subprocess.Popen(command, stdout=self._output, stderr=subprocess.STDOUT, **arguments)

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM, then SIGKILL when the part's time is over; nothing when it does not run."""
        self._end(signal.SIGTERM)

    def wait_ready(self, within_s: float = 60.0) -> None:
        """Wait until the started process works; raises Failure when it ends or is not ready in time."""
        assert self._process is not None
        until = time.monotonic() + within_s
        while reason := self.part.ready():
            if self._process.poll() is not None:
                raise Failure(FAILED, f"{self.part.name} ended with {self._process.returncode}: see {str(self.log)!r}.")
            if time.monotonic() > until:
                self.kill()
                raise Failure(FAILED, f"{self.part.name} is not ready in time ({reason}): see {str(self.log)!r}.")
            time.sleep(0.05)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None or self._output is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(self.part.stop_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._output.close()
        self._process = self._output = None
