"""A copy of the repository whose docker-compose.yml runs with its own project name, ports and images."""

import json
import os
import re
import resource
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.compose.engine import Engine
from tests.compose.file import CONTAINERS, REPOSITORY
from tests.compose.images import PYTHON, Images
from tests.compose.screen import say
from tests.integration.composed import free_ports

PROJECT, VERSION = "chorus-compose-test", "compose-test"
COMMAND_S, HEALTHY_S, WORTH_A_LINE_S = 420, 150, 5
# A shorter healthcheck interval than in docker-compose.yml, to save time.
LOOK_EVERY = "3s"
PORTS = ("write-in", "desk", "hall", "scoreboard", "kafka", "alertmanager", "grafana")
OPERATIONS = (REPOSITORY / "docs" / "operations.md").read_text("utf-8")
OPEN_FILES = {
    "CHORUS_KAFKA_OPEN_FILES": 100_000,
    "CHORUS_MONGODB_OPEN_FILES": 64_000,
    "CHORUS_HAPROXY_OPEN_FILES": 20_000,
}


class Broken(Exception):
    """A step failed; the message says why."""


def first_day() -> tuple[str, list[str]]:
    """The `.env` and the commands in the installation section of docs/operations.md."""
    section = OPERATIONS.partition("## The first day\n")[2].partition("\n## ")[0]
    settings, *blocks = re.findall(r"^ *```sh\n(.*?)```", section, re.DOTALL | re.MULTILINE)
    return settings, [line.strip() for block in blocks for line in block.splitlines() if line.strip()]


@dataclass
class Stack:
    """The operator's view: a folder with docker-compose.yml and `.env`, and the commands run in it."""

    engine: Engine
    images: Images
    folder: Path
    ports: dict[str, int] = field(default_factory=lambda: dict(zip(PORTS, free_ports(len(PORTS)), strict=True)))

    def lay(self) -> None:
        """Copy the repository's files and write the settings of the run."""
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listed, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.split("\0")
        for name in filter(None, names):
            if (REPOSITORY / name).is_file():
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(REPOSITORY / name, self.folder / name)
        dockerfile = self.folder / "deploy" / "Dockerfile"
        dockerfile.write_text(dockerfile.read_text("utf-8").replace(f"FROM {PYTHON}", f"FROM {self.images.python}"))
        (self.folder / "override.yml").write_text(self._override())
        (self.folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in self._settings().items()))

    def _settings(self) -> dict[str, str]:
        lines = re.findall(r"^ *(\w+)=(\S+)", first_day()[0], re.MULTILINE)
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        ours = {
            "COMPOSE_PROJECT_NAME": PROJECT,
            "COMPOSE_FILE": "docker-compose.yml:override.yml",
            "CHORUS_VERSION": VERSION,
            "CHORUS_SMTP": "mail:8025",
            "CHORUS_ALERTS_TLS": "false",
            "CHORUS_KAFKA_HOST": "localhost",
            "CHORUS_PUBLIC_URL": self.url("write-in"),
            "CHORUS_HALL_URL": self.url("hall"),
            "CHORUS_SCOREBOARD_URL": self.url("scoreboard"),
        }
        ours |= {name: str(most) for name, wanted in OPEN_FILES.items() if 0 < most < wanted}
        settings = dict(lines) | ours | {"CHORUS_UID": str(os.geteuid())}
        if os.geteuid() == 0:
            del settings["CHORUS_UID"]
        return settings

    def _override(self) -> str:
        """Compose override for the run: images, ports, the mail server, and containers without an image."""
        services: dict[str, Any] = {name: {"healthcheck": {"interval": LOOK_EVERY}} for name in self._daemons()}
        for name, image in self.images.of.items():
            services.setdefault(name, {})["image"] = image
        there = {"write-in": 8001, "desk": 8002, "hall": 8003, "scoreboard": 8004}
        services["haproxy"]["ports"] = [f"127.0.0.1:{self.ports[name]}:{port}" for name, port in there.items()]
        services["kafka"]["ports"] = [f"127.0.0.1:{self.ports['kafka']}:9094"]
        told = f"INSIDE://kafka:9092,OUTSIDE://localhost:{self.ports['kafka']}"
        services["kafka"]["environment"] = {"KAFKA_ADVERTISED_LISTENERS": told}
        services["alertmanager"]["ports"] = [f"127.0.0.1:{self.ports['alertmanager']}:9093"]
        services["grafana"]["ports"] = [f"127.0.0.1:{self.ports['grafana']}:3000"]
        services["mail"] = {"image": self.images.mail, "networks": ["outside"], "init": True}
        text: str = yaml.safe_dump({"services": services})
        for name in self.images.without:
            text = re.sub(rf"(?m)^  {name}:", r"\g<0>\n    profiles: !override [without]", text)
        return re.sub(r"(?m)^    ports:$", "    ports: !override", text)

    def url(self, name: str) -> str:
        """The URL of a published port."""
        return f"http://127.0.0.1:{self.ports[name]}"

    def type(self, command: str, limit_s: float = COMMAND_S, **settings: str) -> str:
        """Run a command in the folder as an operator does; returns its output. Raises Broken when it fails."""
        env, began = {**self.engine.environment, **settings}, time.monotonic()
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=limit_s, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-12:])
            raise Broken(f"`{command}` ended with status {done.returncode}:\n{last}")
        if (took := time.monotonic() - began) > WORTH_A_LINE_S:
            say(f"  {took:.0f} s for `{command}`")
        return done.stdout

    def containers(self) -> list[Mapping[str, Any]]:
        """Every container of the project, as `docker compose ps` lists it."""
        lines = self.type("docker compose ps --all --format json").splitlines()
        return [json.loads(line) for line in lines]

    def unhealthy(self) -> list[str]:
        """One sentence for each container that is neither healthy nor finished."""
        wrong, seen = [], set()
        for one in self.containers():
            name, state = one["Service"], one["State"]
            seen.add(name)
            done = CONTAINERS.get(name, {}).get("restart") == "no" and state == "exited" and one["ExitCode"] == 0
            if not (done or one["Health"] == "healthy" or (name == "mail" and state == "running")):
                wrong.append(f"{one['Name']} is {one['Health'] or state}")
        wanted = {name for name in (*self._daemons(), "mail") if name not in self.images.without}
        return [*wrong, *(f"{name} has no container" for name in sorted(wanted - seen))]

    def _daemons(self) -> list[str]:
        profiles = {"single", "monitoring"}
        return [
            name
            for name, part in CONTAINERS.items()
            if part["restart"] != "no" and (not part.get("profiles") or profiles & set(part["profiles"]))
        ]

    def await_healthy(self, limit_s: float = HEALTHY_S) -> None:
        """Wait until all containers are healthy; raises Broken with the others."""
        until = time.monotonic() + limit_s
        while wrong := self.unhealthy():
            if time.monotonic() > until:
                raise Broken(f"after {limit_s:.0f} s, {'; '.join(wrong)}")
            time.sleep(1)

    def inspect(self, container: str, field_: str) -> str:
        """One field of `docker inspect`."""
        return self.type(f"docker inspect --format '{{{{{field_}}}}}' {container}").strip()

    def from_inside(self, part: str, url: str) -> Any:
        """Send a GET request from inside a container; returns the JSON response."""
        return json.loads(self.type(f"docker compose exec -T {part} wget -q -O - '{url}'"))

    def set(self, **settings: str | None) -> None:
        """Change lines of `.env`."""
        kept = [
            line for line in (self.folder / ".env").read_text().splitlines() if line.partition("=")[0] not in settings
        ]
        lines = [*kept, *(f"{name}={value}" for name, value in settings.items() if value is not None)]
        (self.folder / ".env").write_text("\n".join(lines) + "\n")

    def end(self) -> None:
        """Remove the project's containers, networks and volumes."""
        self.type("docker compose --profile '*' down --volumes --remove-orphans --timeout 5", 180)


def eventually(what: str, look: Callable[[], object], limit_s: float) -> None:
    """Wait until `look` returns anything but False without an error; raises Broken after the time limit."""
    until = time.monotonic() + limit_s
    while True:
        try:
            if look() is not False:
                return
        except (httpx.HTTPError, Broken):
            pass
        if time.monotonic() > until:
            raise Broken(f"not within {limit_s:.0f} s: {what}")
        time.sleep(0.5)
