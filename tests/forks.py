"""Starts the product's processes by fork from one process that has imported the product already.

A service or a command needs more than a second of processor time for its imports, and the tests start hundreds of
them. A forked process has its own arguments, environment, folder, files, signals and exit status, like one that a shell
starts. What must be the program that users start (`chorus up`, tests of memory) starts as usual.

`python -m tests.forks FD` is that process; it ends with the socket FD, and its forks end with it.
"""

import atexit
import contextlib
import ctypes
import gc
import importlib
import json
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Any

import deploy.cli
from deploy.local.die_with_parent import PR_SET_PDEATHSIG
from shared.contracts.sources import SERVICES

REPOSITORY = Path(__file__).parents[1]
PROGRAM = "deploy.cli.main"
"""Run as `__main__`, therefore not imported before."""
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGPIPE)
LONGEST = 1 << 20


class Forked:
    """A forked process, with the methods of `subprocess.Popen` that the tests use."""

    def __init__(self, words: Sequence[str], pid: int) -> None:
        self.args = words
        self.pid = pid
        self.returncode: int | None = None
        self._ended = threading.Event()

    def end(self, code: int) -> None:
        """Its exit status has arrived."""
        self.returncode = code
        self._ended.set()

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status; raises TimeoutExpired."""
        if not self._ended.wait(timeout):
            raise subprocess.TimeoutExpired(list(self.args), timeout or 0.0)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Forks:
    """The client: asks for forks and learns how they end."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        env = {name: value for name, value in os.environ.items() if not name.startswith("CHORUS_")}
        with theirs:
            self._server = subprocess.Popen(
                [sys.executable, "-m", "tests.forks", str(theirs.fileno())],
                cwd=REPOSITORY,
                env=env,
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
            )
        self._socket = ours
        self._asking = threading.Lock()
        self._known = threading.Condition()
        self._running: dict[int, Forked] = {}
        self._pid: int | None = None
        threading.Thread(target=self._listen, daemon=True).start()
        atexit.register(self.close)

    def start(
        self,
        words: Sequence[str],
        env: Mapping[str, str],
        cwd: Path,
        stdin: IO[Any] | int = subprocess.DEVNULL,
        stdout: IO[Any] | int = 1,
        stderr: IO[Any] | int = 2,
    ) -> Forked:
        """Start `python WORDS`, where WORDS begin with a script or with `-m MODULE`."""
        told = json.dumps({"words": list(words), "env": dict(env), "cwd": str(cwd)}).encode()
        with open(os.devnull, "rb") as nothing, self._asking:
            given = (nothing if stdin == subprocess.DEVNULL else stdin), stdout, stderr
            files = [one if isinstance(one, int) else one.fileno() for one in given]
            socket.send_fds(self._socket, [told], files)
            with self._known:
                assert self._known.wait_for(lambda: self._pid is not None, 120), "the process that forks has ended"
                assert self._pid is not None
                forked = self._running[self._pid] = Forked(words, self._pid)
                self._pid = None
                self._known.notify_all()
        return forked

    def run(
        self, words: Sequence[str], env: Mapping[str, str], cwd: Path, timeout: float, typed: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run `python WORDS` to its end, with this text on standard input."""
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            given.write(typed.encode())
            given.seek(0)
            forked = self.start(words, env, cwd, given, out, err)
            try:
                code = forked.wait(timeout)
            except subprocess.TimeoutExpired:
                forked.kill()
                raise
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(list(words), code, out.read().decode(), err.read().decode())

    def close(self) -> None:
        """End the process that forks."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._server.wait(60)

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while said := self._socket.recv(LONGEST):
                told = json.loads(said)
                with self._known:
                    if "forked" in told:
                        self._pid = told["forked"]
                        self._known.notify_all()
                        self._known.wait_for(lambda: self._pid is None)
                    elif (ended := self._running.pop(told["pid"], None)) is not None:
                        ended.end(told["code"])


@cache
def forks() -> Forks:
    """The one of this test process, started when it is first needed."""
    return Forks()


def serve(line: socket.socket) -> None:
    """Fork on request and report ends, until the other side closes; returns in a forked process, to run its words."""
    reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    with selectors.DefaultSelector() as waiting:
        waiting.register(line, selectors.EVENT_READ)
        waiting.register(reading, selectors.EVENT_READ)
        while True:
            for key, _ in waiting.select():
                if key.fileobj == reading:
                    with contextlib.suppress(BlockingIOError):
                        os.read(reading, 4096)
                    report(line)
                    continue
                told, files, _, _ = socket.recv_fds(line, LONGEST, 3)
                if not told:
                    os._exit(0)
                if (pid := os.fork()) == 0:
                    signal.set_wakeup_fd(-1)
                    os.close(reading)
                    os.close(writing)
                    line.close()
                    become(json.loads(told), files)
                    return
                for one in files:
                    os.close(one)
                line.send(json.dumps({"forked": pid}).encode())


def report(line: socket.socket) -> None:
    """Report the forks that have ended."""
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            line.send(json.dumps({"pid": ended[0], "code": os.waitstatus_to_exitcode(ended[1])}).encode())


def import_the_product() -> None:
    """Everything that services and commands import at their start; it must not start a thread."""
    for name in SERVICES:
        importlib.import_module(f"services.{name}.app")
    for found in pkgutil.walk_packages(deploy.cli.__path__, f"{deploy.cli.__name__}."):
        if found.name != PROGRAM:
            importlib.import_module(found.name)
    for late in ("uvicorn.loops.uvloop", "pydantic.v1"):
        importlib.import_module(late)
    assert threading.active_count() == 1, f"a forked process would miss these threads: {threading.enumerate()}"


def become(told: dict[str, Any], files: Sequence[int]) -> None:
    """Take on the files, folder, environment and arguments of the program."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL if number != signal.SIGINT else signal.default_int_handler)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # as Python does at its start
    for at, one in enumerate(files):
        os.dup2(one, at)
        os.close(one)
    os.environ.clear()
    os.environ.update(told["env"])
    time.tzset()
    os.chdir(told["cwd"])
    sys.argv = told["words"]


if __name__ == "__main__":
    import_the_product()
    # Otherwise the collector copies every page of the product into each fork: 0.14 instead of 0.56 s for a command.
    gc.collect()
    gc.freeze()
    serve(socket.socket(fileno=int(sys.argv[1])))
    if sys.argv[0] == "-m":
        module = sys.argv[1]
        sys.argv = sys.argv[1:]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    else:
        sys.path.insert(0, str(Path(sys.argv[0]).parent))
        runpy.run_path(sys.argv[0], run_name="__main__")
