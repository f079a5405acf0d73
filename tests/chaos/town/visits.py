"""Second processes of the services, which come while the first is at work, take their share, and go or are killed."""

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

from deploy.local import tether
from tests.chaos.town.processes import environment
from tests.chaos.town.schedule import Visit
from tests.chaos.town.stack import REPOSITORY, Town

FOUND_S, GOODBYE_S = 60.0, 60.0
TETHER = (sys.executable, "-I", "-S", tether.__file__)
"""So that nobody stays behind when the run itself is killed."""


@dataclass
class Visits:
    """Carries visits out; where a second intake answers, residents write there too."""

    town: Town
    visits: Sequence[Visit]
    say: Callable[[str], None]
    logs: Path
    doors: list[str]
    oddities: list[str] = field(default_factory=list)
    log: list[dict[str, object]] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)

    def run(self) -> None:
        """All of them, each at its time; returns when the last has gone."""
        began = time.monotonic()
        for number, visit in enumerate(self.visits):
            time.sleep(max(0.0, began + visit.at_s - time.monotonic()))
            thread = threading.Thread(target=self._visit, args=(visit, number), daemon=True)
            self._threads.append(thread)
            thread.start()
        for thread in self._threads:
            thread.join()

    def _visit(self, visit: Visit, number: int) -> None:
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
                    *TETHER,
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
            ready = self._stay(visit, f"http://{address}")
            if (status := process.poll()) is not None:
                self.oddities.append(f"A {name} ended with {status} before its time.")
            self._go(visit, name, process, ready)
        self.log.append({"at_s": round(visit.at_s, 1), "who": name, "killed": visit.killed, "was_ready": ready})

    def _stay(self, visit: Visit, url: str) -> bool:
        """Whether it was ready at any time."""
        until, ready = time.monotonic() + visit.stays_s, False
        while time.monotonic() < until:
            ready = ready or answers(url)
            if ready and visit.service == "intake" and url not in self.doors:
                self.doors.append(url)
            time.sleep(0.2)
        if url in self.doors:
            self.doors.remove(url)
        return ready

    def _go(self, visit: Visit, name: str, process: subprocess.Popen[bytes], ready: bool) -> None:
        self.say(f"the {name} is {'killed' if visit.killed else 'told to end'}")
        process.send_signal(signal.SIGKILL if visit.killed else signal.SIGTERM)
        try:
            status = process.wait(GOODBYE_S)
        except subprocess.TimeoutExpired:
            self.oddities.append(f"A {name} did not end within {GOODBYE_S:.0f} s after SIGTERM.")
            process.kill()
            process.wait()
            return
        # Told so while it is still being loaded, it has nothing to bring to an end.
        if not visit.killed and status != 0 and (ready or status != -signal.SIGTERM):
            self.oddities.append(f"A {name} that was told to end did so with {status}.")


def answers(url: str) -> bool:
    """Whether it says that it can do its work."""
    try:
        return httpx.get(f"{url}/readyz", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
