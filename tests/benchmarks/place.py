"""Apache Kafka and a store for benchmarks, with more memory than in the local stack."""

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from pymongo import MongoClient

from deploy.local import jars, probe
from deploy.local.component import Component, Running
from deploy.local.kafka import kafka_component
from deploy.local.ports import Ports
from deploy.local.store import store_component, uri
from tests.benchmarks.broker import Broker

HEAPS = {"-Xms48m": "-Xms1g", "-Xmx192m": "-Xmx1g"}
# The local stack's broker is tuned for a quick start; this one runs longer, so the JVM may optimise.
LEFT_OUT = ("-XX:TieredStopAtLevel=1",)
FAST_STORE = "secantusd-rs"
DATABASES = ("chorus_intake", "chorus_router", "chorus_notifier", "chorus_scorer", "bench")


@dataclass(frozen=True)
class Place:
    """Broker and store; `kafka_component` can be stopped and started if it was started here."""

    kafka: str
    mongodb: str
    store_name: str
    folder: Path
    broker: Broker
    kafka_component: Running | None

    def environment(self, **more: str) -> dict[str, str]:
        """The environment of a program started here, without CHORUS_ variables of the caller."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("CHORUS_")}
        secrets = {name: str(self._secret(name)) for name in ("CHORUS_SECRET_FILE", "CHORUS_OPERATOR_TOKEN_FILE")}
        told = {"CHORUS_KAFKA": self.kafka, "CHORUS_MONGODB": self.mongodb, "CHORUS_DATA": str(self.folder)}
        told["CHORUS_SUBMISSIONS_PER_MINUTE"] = "0"
        told["CHORUS_HTTP"] = f"127.0.0.1:{free_port()}"
        return own | secrets | told | {"PYTHONUNBUFFERED": "1"} | more

    def forget(self, *databases: str) -> None:
        """Empty these databases, or all."""
        client: MongoClient[dict[str, object]] = MongoClient(self.mongodb)
        try:
            for name in databases or DATABASES:
                client.drop_database(name)
        finally:
            client.close()

    def _secret(self, name: str) -> Path:
        file = self.folder / name.lower()
        if not file.exists():
            file.write_text("0123456789abcdef" * 4)
        return file


def free_port() -> int:
    """A port of 127.0.0.1 that is not in use."""
    with socket.socket() as probed:
        probed.bind(("127.0.0.1", 0))
        return int(probed.getsockname()[1])


@contextmanager
def place(folder: Path) -> Iterator[Place]:
    """Broker and store until the end of the block; those in CHORUS_KAFKA and CHORUS_MONGODB are used instead."""
    ports = Ports.free()
    with ExitStack() as ends:
        mongodb, store_name = _store(folder, ports, ends)
        kafka, running = _kafka(folder, ports, ends)
        yield Place(kafka, mongodb, store_name, folder, Broker(kafka), running)


def _kafka(folder: Path, ports: Ports, ends: ExitStack) -> tuple[str, Running | None]:
    if given := os.environ.get("CHORUS_KAFKA"):
        return given, None
    part = kafka_component(folder / "kafka", jars.download(), ports.kafka, ports.controller)
    command = tuple(HEAPS.get(word, word) for word in part.command if word not in LEFT_OUT)
    return f"127.0.0.1:{ports.kafka}", _started(replace(part, command=command), folder, ends)


def _store(folder: Path, ports: Ports, ends: ExitStack) -> tuple[str, str]:
    """The fastest available store, and its name in the result."""
    if given := os.environ.get("CHORUS_MONGODB"):
        return given, "the one that CHORUS_MONGODB names"
    program = os.environ.get("CHORUS_BENCH_STORE") or shutil.which(FAST_STORE)
    if program is None:
        _started(store_component(folder / "store", ports.mongodb), folder, ends)
        return uri(ports.mongodb), "secantusd-py --sync-on-commit (the local stack's)"
    _started(_fast_store(program, folder / "store", ports.mongodb), folder, ends)
    return uri(ports.mongodb), f"{FAST_STORE} --sync-on-commit"


def _fast_store(program: str, folder: Path, port: int) -> Component:
    settings = folder / "secantusd.toml"
    command = (program, "--config", str(settings), "--sync-on-commit", "--host", "127.0.0.1", "--port", str(port))

    def prepare() -> None:
        folder.mkdir(parents=True, exist_ok=True)
        settings.write_text("# All settings are given on the command line.\n")

    return Component(
        name="store",
        command=(*command, "--storage-path", str(folder / "data"), "--cache-size", "2G", "--log-level", "WARNING"),
        ready=partial(probe.store, uri(port)),
        stage=3,
        ports=(port,),
        prepare=prepare,
    )


def _started(part: Component, folder: Path, ends: ExitStack) -> Running:
    running = Running(part, folder / "logs" / f"{part.name}.log")
    ends.callback(running.stop)
    running.start()
    return running
