"""A `chorus up` in its own folder, with clocks so short that some expire."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from deploy.local.ports import Ports
from tests.chaos.town.processes import alive

REPOSITORY = Path(__file__).parents[3]
POLICY = "- {id: hurried, accept_h: 0.003, first_reply_h: 0.004, resolve_h: 0.005, publication: automatic}\n"
"""11, 14 and 18 seconds: one kill makes a clock expire."""
ADDRESSED = ("water",)
READY_S = 120.0
SERVICES = ("intake", "router", "notifier", "scorer")


@dataclass(frozen=True)
class Town:
    """The addresses of the stack."""

    folder: Path
    kafka: str
    mongodb: str
    mail: Path
    urls: dict[str, str]
    token: str

    def pids(self) -> dict[str, int]:
        """The current process ids by component; empty while the file is replaced."""
        try:
            found = json.loads((self.folder / "stack.json").read_text())["pids"]
        except (OSError, ValueError):
            return {}
        return {name: pid for name, pid in found.items() if pid is not None}

    def await_pids(self, names: Sequence[str], seconds: float) -> dict[str, int]:
        """The process ids of these components; waits for restarts, empty if one does not start."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            pids = self.pids()
            if all(alive(pids.get(name)) for name in names):
                return {name: pids[name] for name in names}
            time.sleep(0.05)
        return {}

    def answers(self, name: str) -> bool:
        """Whether broker or store accepts connections."""
        address = self.kafka if name == "kafka" else self.mongodb.split("/")[2]
        host, _, port = address.rpartition(":")
        try:
            socket.create_connection((host, int(port)), timeout=2).close()
        except OSError:
            return False
        return True

    def ready(self, name: str) -> bool:
        """Whether a service is ready."""
        try:
            return httpx.get(f"{self.urls[name]}/readyz", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False


@contextmanager
def town(folder: Path, seed: int) -> Iterator[Town]:
    """The whole system, stopped at the end."""
    city = _city(folder / "city")
    data = folder / "data"
    env = {name: value for name, value in os.environ.items() if not name.startswith("CHORUS_")}
    env |= {"CHORUS_DATA": str(data), "CHORUS_CITY": str(city), "CHORUS_PORTS": str(Ports.free().intake - 1)}
    # Residents here do not open their mails: an unconfirmed address would wait an hour for its sixth mail.
    env |= {"CHORUS_MAIL_PER_ADDRESS_PER_HOUR": "0"}
    env |= {"PYTHONPATH": str(REPOSITORY), "PYTHONUNBUFFERED": "1", "PYTHONHASHSEED": str(seed)}
    with (folder / "up.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy.cli.main", "up"],
            env=env,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield _reached(data, _await(process, data, folder / "up.log"))
        finally:
            _end(process)


def _city(folder: Path) -> Path:
    """The sample city with short clocks; few departments have an address, because mails are slow."""
    shutil.copytree(REPOSITORY / "deploy" / "city", folder)
    (folder / "policies.yaml").write_text(POLICY, "utf-8")
    departments = yaml.safe_load((folder / "departments.yaml").read_text("utf-8"))
    for one in departments:
        if one["code"] not in ADDRESSED:
            one.pop("email", None)
    (folder / "departments.yaml").write_text(yaml.safe_dump(departments, allow_unicode=True), "utf-8")
    return folder


def _reached(data: Path, told: dict[str, Any]) -> Town:
    token = Path(told["operator_token_file"]).read_text("ascii").strip()
    return Town(data, told["kafka"], told["mongodb"], Path(told["mail"]), told["urls"], token)


def _await(process: subprocess.Popen[bytes], data: Path, log: Path) -> dict[str, Any]:
    until = time.monotonic() + READY_S
    while not (data / "stack.json").exists():
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"The stack did not become ready: {log.read_text()[-3000:]}")
        time.sleep(0.1)
    told: dict[str, Any] = json.loads((data / "stack.json").read_text())
    return told


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
