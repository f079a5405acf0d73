"""Second processes of services: each joins a running first process, becomes ready, and stops or is killed."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from deploy.local import die_with_parent
from tests.chaos.town.processes import environment
from tests.chaos.town.schedule import Visit
from tests.chaos.town.stack import REPOSITORY, Town

FOUND_S, GOODBYE_S = 60.0, 60.0
READY_S = 180.0
"""A broker outage of a minute, then a kill of everything, then waiting for the sessions of dead members."""
DIE_WITH_PARENT = (sys.executable, "-I", "-S", die_with_parent.__file__)
"""The processes end with the run."""


@dataclass
class Visits:
    """Runs second processes; residents also write to a second intake."""

    town: Town
    visits: Sequence[Visit]
    say: Callable[[str], None]
    logs: Path
    doors: list[str]
    oddities: list[str] = field(default_factory=list)
    log: list[dict[str, object]] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)

    def run(self) -> None:
        """Run all of them at their times; returns when the last has ended."""
        began = time.monotonic()
        for number, visit in enumerate(self.visits):
            time.sleep(max(0.0, began + visit.at_s - time.monotonic()))
            thread = threading.Thread(target=self.carry_out, args=(visit, number), daemon=True)
            self._threads.append(thread)
            thread.start()
        for thread in self._threads:
            thread.join()

    def carry_out(self, visit: Visit, number: int) -> None:
        """One second process from start to end."""
        pid = self.town.await_pids((visit.service,), FOUND_S).get(visit.service)
        if pid is None:
            self.oddities.append(f"There was no {visit.service} for {FOUND_S:.0f} s, so that no second one could come.")
            return
        address = f"127.0.0.1:{free_port()}"
        told = environment(pid) | {"CHORUS_HTTP": address}
        del told["CHORUS_INSTANCE"]
        told |= {"CHORUS_INSTANCE": f"second-{visit.service}-{number}"} if visit.named else {}
        name = f"second {visit.service} ({'named' if visit.named else 'unnamed'})"
        self.say(f"a {name} comes for {visit.stays_s:.0f} s")
        with (self.logs / f"second-{visit.service}-{number}.log").open("wb") as log:
            process = subprocess.Popen(
                [
                    *DIE_WITH_PARENT,
                    str(os.getpid()),
                    str(int(signal.SIGKILL)),
                    sys.executable,
                    "-m",
                    f"services.{visit.service}",
                ],
                env=told,
                cwd=REPOSITORY,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            came = time.monotonic()
            ready = self._await_ready(process, f"http://{address}")
            took_s = round(time.monotonic() - came, 1)
            if ready:
                self._stay(visit, f"http://{address}")
            elif process.poll() is None:
                self.oddities.append(f"A {name} was not ready within {READY_S:.0f} s.")
            if (status := process.poll()) is not None:
                self.oddities.append(f"A {name} ended with {status} before its time.")
            self._go(visit, name, process)
        line = {"at_s": round(visit.at_s, 1), "who": name, "killed": visit.killed, "was_ready": ready}
        self.log.append(line | {"ready_s": took_s})

    def is_ready(self, url: str) -> bool:
        """Whether it is ready."""
        return remarks(url) is not None

    def _await_ready(self, process: subprocess.Popen[bytes], url: str) -> bool:
        """Whether it becomes ready in time."""
        until = time.monotonic() + READY_S
        while time.monotonic() < until and process.poll() is None:
            if self.is_ready(url):
                return True
            time.sleep(0.2)
        return False

    def _stay(self, visit: Visit, url: str) -> None:
        """Wait for the planned duration."""
        if visit.service == "intake":
            self.doors.append(url)
        time.sleep(visit.stays_s)
        if visit.service == "intake":
            self.doors.remove(url)

    def _go(self, visit: Visit, name: str, process: subprocess.Popen[bytes]) -> None:
        self.say(f"the {name} is {'killed' if visit.killed else 'told to end'}")
        process.send_signal(signal.SIGKILL if visit.killed else signal.SIGTERM)
        try:
            status = process.wait(GOODBYE_S)
        except subprocess.TimeoutExpired:
            self.oddities.append(f"A {name} did not end within {GOODBYE_S:.0f} s after SIGTERM.")
            process.kill()
            process.wait()
            return
        if not visit.killed and status != 0:
            self.oddities.append(f"A {name} that was told to end did so with {status}.")


def remarks(url: str) -> list[str] | None:
    """The remarks of a ready process; None when it is not ready."""
    try:
        answer = httpx.get(f"{url}/readyz", timeout=2)
    except httpx.HTTPError:
        return None
    return list(answer.json()["reasons"]) if answer.status_code == httpx.codes.OK else None


def free_port() -> int:
    """A port that is not in use."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
