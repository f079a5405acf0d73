"""One contender at a time does the same job on the same records; the broker's clock tells how long it took."""

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
from tests.benchmarks.letters import Letter
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
    """A program that does the core's job; `share` of the records is enough to time one that is slow.

    `stores` names the database and the collection of its decisions, where it keeps any.
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
        """How it is started."""
        return (str(self.python), "-m", self.module, *self.words)


@dataclass(frozen=True)
class Timed:
    """What a run says: inquiries a second, the processor time each took (with start and warm-up), and what was written."""

    per_s: float
    cpu_us: float
    written: dict[str, int]


@dataclass(frozen=True)
class Arena:
    """The place, the city and the records of a contest."""

    place: Place
    directory: CityIndex
    letters: Sequence[Letter]
    warm_up: int
    say: Say

    @property
    def outputs(self) -> list[Topic]:
        """Every topic that the core writes, as provisioning makes it."""
        system = [one for one in system_topics(PARTITIONS, 90) if one.name in (topics.EVENTS, topics.RESIDENTS)]
        inboxes = [topic for topic in department_topics(self.directory.departments, 90) if topic.name.endswith("inbox")]
        return [*system, *inboxes]

    def prepare(self, count: int) -> None:
        """So many records on the log, nothing in the store, empty outputs."""
        inputs = [one for one in system_topics(PARTITIONS, 90) if one.name == topics.INPUTS]
        self.place.broker.renew([*inputs, *self.outputs])
        self.place.broker.write((topics.INPUTS, letter.record) for letter in self.letters[:count])

    def run(self, contender: Contender, limit_s: float = 300.0) -> Timed:
        """Let it do its work from the first record to the last, each committed, and stop it."""
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
        """How many records it is given."""
        return max(round(len(self.letters) * contender.share), 2 * self.warm_up_of(contender))

    def expected(self, count: int) -> Fingerprints:
        """What the first so many records must become: topic, key, value and headers of each message."""
        work = Work(self.directory)
        records = (Record(topics.INPUTS, 0, at, 0, *one.record) for at, one in enumerate(self.letters[:count]))
        return fingerprints(
            (topic, (key, value, headers))
            for one in records
            for topic, key, value, headers in rows_of(work.decide(one))
        )

    def found(self) -> Fingerprints:
        """What lies in the outputs now."""
        names = [topic.name for topic in self.outputs]
        records = self.place.broker.read(names)
        return fingerprints((one.topic(), (one.key(), one.value(), one.headers() or [])) for one in records)

    def expected_decisions(self, count: int) -> Fingerprints:
        """What is stored of the first so many records."""
        work = Work(self.directory)
        records = (Record(topics.INPUTS, 0, at, 0, *one.record) for at, one in enumerate(self.letters[:count]))
        return decision_fingerprints(made.document() for one in records if (made := work.decide(one)))

    def found_decisions(self, stores: tuple[str, str]) -> Fingerprints:
        """What a contender has stored."""
        database, collection = stores
        with MongoClient[dict[str, Any]](self.place.mongodb) as store:
            return decision_fingerprints(store[database][collection].find({}))


def decision_fingerprints(documents: Iterable[Mapping[str, Any]]) -> Fingerprints:
    """Each decision as a digest of its fields in any order, but for its own id and where its input lay on the log."""
    return Counter(
        hashlib.sha1(
            bson.encode({name: one[name] for name in sorted(one.keys() - {"_id", "at"})}), usedforsecurity=False
        ).digest()
        for one in documents
    )


def fingerprints(rows: Iterable[tuple[str, RawRecord]]) -> Fingerprints:
    """Each message as a digest of its topic, key, value and headers, and how often it occurs."""
    return Counter(
        hashlib.sha1(repr((topic, key, value, _ours(headers))).encode(), usedforsecurity=False).digest()
        for topic, (key, value, headers) in rows
    )


def _ours(headers: Sequence[Header]) -> list[Header]:
    """The headers of the contract, in any order; some libraries add one of their own."""
    return sorted(one for one in headers if one[0].startswith("ce_") or one[0] == "content-type")


def differences(expected: Fingerprints, found: Fingerprints) -> str:
    """A sentence when a contender has not done the very same job; nothing when it has."""
    return _differences(expected, found, "messages")


def differences_in_store(expected: Fingerprints, found: Fingerprints) -> str:
    """A sentence when a contender has not stored the very same decisions; nothing when it has."""
    return _differences(expected, found, "decisions")


def _differences(expected: Fingerprints, found: Fingerprints, what: str) -> str:
    missing, more = (expected - found).total(), (found - expected).total()
    if not missing and not more:
        return ""
    return f"{missing} of {expected.total()} {what} are missing, {more} are there that should not be"


class Process:
    """A program at work."""

    def __init__(self, name: str, started: subprocess.Popen[bytes], log: Path) -> None:
        self.name = name
        self.started = started
        self.log = log
        self.watched = psutil.Process(started.pid)

    def alive(self) -> None:
        """Raises RuntimeError with its last words when it has ended."""
        if self.started.poll() is not None:
            last = self.log.read_text(errors="replace")[-1500:]
            raise RuntimeError(f"{self.name} ended with {self.started.returncode}: {last}")

    def cpu_s(self) -> float:
        """The processor time that it has taken so far."""
        times = self.watched.cpu_times()
        return float(times.user + times.system)

    def peak_mib(self) -> float:
        """The most memory that it has held at once."""
        status = Path(f"/proc/{self.started.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024

    def stop(self) -> None:
        """SIGTERM; SIGKILL when that takes too long."""
        self.started.terminate()
        try:
            self.started.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.started.kill()
            self.started.wait()


@contextmanager
def running(contender: Contender, place: Place, **environment: str) -> Iterator[Process]:
    """The program at work, stopped at the end of the block. Its words are in the place's logs."""
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
