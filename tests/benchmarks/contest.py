"""Contenders process the same records one after another, timed by the broker's clock."""

import hashlib
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bson
import psutil
from pymongo import MongoClient

from deploy.local.ports import Ports
from services.router.domain.city_index import CityIndex
from shared.contracts.envelope import PREFIX, Header
from shared.kafka import topics
from shared.kafka.publisher import RawRecord
from shared.kafka.records import Record
from shared.kafka.topics import Topic, department_topics, system_topics
from tests.benchmarks.figures import rate
from tests.benchmarks.messages import ResidentMessage
from tests.benchmarks.place import Place
from tests.benchmarks.programs.work import Work, rows_of

REPOSITORY = Path(__file__).parents[2]
PARTITIONS = 6
REGISTERED = (PREFIX + "inquiry.registered").encode()
STOP_S = 20.0
RIVALS_PYTHON = REPOSITORY / ".venv-bench" / "bin" / "python"
Say = Callable[[str], None]
Fingerprints = Counter[bytes]


@dataclass(frozen=True)
class Contender:
    """A program that does the core's job; `share` of the records suffices for a slow one.

    `stores` names the database and collection of its decisions, if it stores any.
    """

    name: str
    module: str
    group: str
    words: tuple[str, ...] = ()
    share: float = 1.0
    python: Path = Path(sys.executable)
    stores: tuple[str, str] | None = None

    @property
    def command(self) -> tuple[str, ...]:
        """Its command line."""
        return (str(self.python), "-m", self.module, *self.words)


@dataclass(frozen=True)
class Timed:
    """Inquiries per second, processor time for each (including start and warm-up), and what was written."""

    per_s: float
    cpu_us: float
    written: dict[str, int]


@dataclass(frozen=True)
class Arena:
    """The broker, store, city and records of a contest."""

    place: Place
    directory: CityIndex
    messages: Sequence[ResidentMessage]
    warm_up: int
    say: Say

    @property
    def outputs(self) -> list[Topic]:
        """Every topic that the core writes, as provisioning creates it."""
        system = [one for one in system_topics(PARTITIONS, 90) if one.name in (topics.EVENTS, topics.RESIDENTS)]
        inboxes = [topic for topic in department_topics(self.directory.departments, 90) if topic.name.endswith("inbox")]
        return [*system, *inboxes]

    def prepare(self, count: int) -> None:
        """This many records on the log, an empty store, empty outputs."""
        inputs = [one for one in system_topics(PARTITIONS, 90) if one.name == topics.INPUTS]
        self.place.broker.renew([*inputs, *self.outputs])
        self.place.broker.write((topics.INPUTS, message.record) for message in self.messages[:count])

    def run(self, contender: Contender, limit_s: float = 300.0) -> Timed:
        """Run it from the first record to the last commit, then stop it."""
        count = self.count_of(contender)
        self.prepare(count)
        self.place.broker.forget(contender.group)
        with running(contender, self.place, CHORUS_HTTP=f"127.0.0.1:{Ports.free().router}") as process:
            self.place.broker.until_committed(contender.group, [topics.INPUTS], count, process.alive, limit_s)
            cpu_s = process.cpu_s()
        names = [topic.name for topic in self.outputs]
        appended = [
            record.timestamp()[1]
            for record in self.place.broker.read([topics.EVENTS])
            if dict(record.headers())["ce_type"] == REGISTERED
        ]
        ends = self.place.broker.ends(names)
        written = {name: sum(end for (topic, _), end in ends.items() if topic == name) for name in names}
        last = self.place.broker.last_append_ms([name for name in names if written[name]])
        return Timed(rate(appended, self.warm_up_of(contender), last), cpu_s / count * 1e6, written)

    def warm_up_of(self, contender: Contender) -> int:
        """A slow contender warms up on fewer records."""
        return max(round(self.warm_up * contender.share), 20)

    def count_of(self, contender: Contender) -> int:
        """The number of records for it."""
        return max(round(len(self.messages) * contender.share), 2 * self.warm_up_of(contender))

    def expected(self, count: int) -> Fingerprints:
        """The expected messages for the first records: topic, key, value and headers."""
        work = Work(self.directory)
        records = (Record(topics.INPUTS, 0, at, 0, *one.record) for at, one in enumerate(self.messages[:count]))
        return fingerprints(
            (topic, (key, value, headers))
            for one in records
            for topic, key, value, headers in rows_of(work.decide(one))
        )

    def found(self) -> Fingerprints:
        """The messages on the outputs."""
        names = [topic.name for topic in self.outputs]
        records = self.place.broker.read(names)
        return fingerprints((one.topic(), (one.key(), one.value(), one.headers() or [])) for one in records)

    def expected_decisions(self, count: int) -> Fingerprints:
        """The expected decisions for the first records."""
        work = Work(self.directory)
        records = (Record(topics.INPUTS, 0, at, 0, *one.record) for at, one in enumerate(self.messages[:count]))
        return decision_fingerprints(made.document() for one in records if (made := work.decide(one)))

    def found_decisions(self, stores: tuple[str, str]) -> Fingerprints:
        """The decisions that a contender has stored."""
        database, collection = stores
        with MongoClient[dict[str, Any]](self.place.mongodb) as store:
            return decision_fingerprints(store[database][collection].find({}))


def decision_fingerprints(documents: Iterable[Mapping[str, Any]]) -> Fingerprints:
    """A digest of each decision's fields in any order, without its id and offset."""
    return Counter(
        hashlib.sha1(
            bson.encode({name: one[name] for name in sorted(one.keys() - {"_id", "at"})}), usedforsecurity=False
        ).digest()
        for one in documents
    )


def fingerprints(rows: Iterable[tuple[str, RawRecord]]) -> Fingerprints:
    """The digests of topic, key, value and headers of each message, with their counts."""
    return Counter(
        hashlib.sha1(repr((topic, key, value, _ours(headers))).encode(), usedforsecurity=False).digest()
        for topic, (key, value, headers) in rows
    )


def _ours(headers: Sequence[Header]) -> list[Header]:
    """The headers of the contract, in any order; some libraries add their own."""
    return sorted(one for one in headers if one[0].startswith("ce_") or one[0] == "content-type")


def differences(expected: Fingerprints, found: Fingerprints) -> str:
    """A sentence if the messages differ from the expected ones; otherwise empty."""
    return _differences(expected, found, "messages")


def differences_in_store(expected: Fingerprints, found: Fingerprints) -> str:
    """A sentence if the decisions differ from the expected ones; otherwise empty."""
    return _differences(expected, found, "decisions")


def _differences(expected: Fingerprints, found: Fingerprints, what: str) -> str:
    missing, more = (expected - found).total(), (found - expected).total()
    if not missing and not more:
        return ""
    return f"{missing} of {expected.total()} {what} are missing, {more} are there that should not be"


class Process:
    """A running program."""

    def __init__(self, name: str, started: subprocess.Popen[bytes], log: Path) -> None:
        self.name = name
        self.started = started
        self.log = log
        self.watched = psutil.Process(started.pid)

    def alive(self) -> None:
        """Raises RuntimeError with its output when it has ended."""
        if self.started.poll() is not None:
            last = self.log.read_text(errors="replace")[-1500:]
            raise RuntimeError(f"{self.name} ended with {self.started.returncode}: {last}")

    def cpu_s(self) -> float:
        """Its processor time so far."""
        times = self.watched.cpu_times()
        return float(times.user + times.system)

    def peak_mib(self) -> float:
        """Its maximum memory."""
        status = Path(f"/proc/{self.started.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024

    def stop(self) -> None:
        """Send SIGTERM, then SIGKILL after a timeout."""
        self.started.terminate()
        try:
            self.started.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.started.kill()
            self.started.wait()


@contextmanager
def running(contender: Contender, place: Place, **environment: str) -> Iterator[Process]:
    """Run the program until the end of the block; its output goes to the logs."""
    log = place.folder / "logs" / f"{contender.name.replace(' ', '-')}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as words:
        started = subprocess.Popen(
            contender.command,
            cwd=REPOSITORY,
            env=place.environment(**environment),
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=subprocess.STDOUT,
        )
        process = Process(contender.name, started, log)
        try:
            yield process
        finally:
            process.stop()
