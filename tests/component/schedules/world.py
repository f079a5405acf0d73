"""The state that survives every process of a schedule: log, committed offsets, store, topics, outages."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import bson
from bson.codec_options import CodecOptions

from services.router.core.input_decoder import readable
from services.router.domain.decision import Decision, Input, from_document
from services.router.domain.outputs.messages import with_messages
from shared.contracts import ids
from shared.contracts.case_commands import CaseReplay
from shared.kafka import topics
from shared.kafka.failures import InvalidRecord
from shared.kafka.publisher import RawRecord
from shared.kafka.records import Record
from tests.fakes import FakeRecord, header

PARTITIONS = 2
LETTERS = topics.dead_letters("router")
Rows = Mapping[str, Sequence[RawRecord]]


class How(StrEnum):
    """The outcome of a store or broker operation."""

    ON = "it is done"
    AWAY = "nothing is done: it is away"
    HALF = "half of it is done, then it is away"
    NO_WORD = "it is done, and no word of it comes"
    LATE = "it is away, and what was to be published arrives later"
    STUMBLES = "nothing is done, for a reason that passes"


@dataclass
class World:
    """Stores everything as bytes, so that no process can change stored data through a reference."""

    log: list[list[FakeRecord]] = field(default_factory=lambda: [[] for _ in range(PARTITIONS)])
    committed: list[int] = field(default_factory=lambda: [0] * PARTITIONS)
    documents: dict[str, dict[Any, bytes]] = field(default_factory=lambda: defaultdict(dict))
    decided: dict[str, list[Decision]] = field(default_factory=lambda: defaultdict(list))
    finished: set[str] = field(default_factory=set)
    topics: dict[str, dict[str, RawRecord]] = field(default_factory=lambda: defaultdict(dict))
    letters: list[RawRecord] = field(default_factory=list)
    late: list[Rows] = field(default_factory=list)
    poison: set[str] = field(default_factory=set)
    poisoned: set[str] = field(default_factory=set)
    away: set[str] = field(default_factory=set)
    stumbles_left: int = 4
    violations: list[str] = field(default_factory=list)

    # ── the log ──────────────────────────────────────────────────────────────

    def append(self, partition: int, record: Record) -> FakeRecord:
        """Append a record to a partition."""
        at = len(self.log[partition])
        one = FakeRecord(
            topics.INPUTS, partition, at, record.value, record.key, record.timestamp_ms, tuple(record.headers)
        )
        self.log[partition].append(one)
        return one

    def records(self) -> Iterator[Record]:
        """All records of the log, in the order of each partition."""
        for partition in self.log:
            yield from map(as_read, partition)

    def commit(self, offsets: Mapping[tuple[str, int], int]) -> None:
        """Move committed offsets; every record before them must be finished."""
        for (_, partition), offset in offsets.items():
            self.committed[partition] = offset
            for raw in self.log[partition][:offset]:
                if (reason := self.unfinished(as_read(raw))) is not None:
                    self.violations.append(f"{offset} is committed in partition {partition}, but {reason}")

    def unfinished(self, record: Record) -> str | None:
        """Why a record is not finished; None when it is."""
        if record.place in self.finished:
            return None
        given = readable(record)
        put_aside = record.place in self.places_of_letters()
        decision = None if isinstance(given, InvalidRecord) else self.decision_of(given)
        if decision is not None:
            missing = [one for one in decision.messages if one.id not in self.topics[one.topic]]
            if missing and not put_aside:
                return f"decision {decision.n} has not said {missing[0].type} yet"
        elif not put_aside:
            return f"{record.place} is neither decided nor put aside"
        elif (
            isinstance(given, Input) and given.type != CaseReplay.type and record.place not in self.documents["parked"]
        ):
            return f"{record.place} is put aside where no replay finds it"
        self.finished.add(record.place)
        return None

    # ── the topics ───────────────────────────────────────────────────────────

    def deliver(self, rows: Rows) -> None:
        """Append records as the broker does, without deduplication."""
        for topic, some in rows.items():
            for row in some:
                self._deliver(topic, row)

    def _deliver(self, topic: str, row: RawRecord) -> None:
        if topic == LETTERS:
            self.letters.append(row)
            return
        id_, one = header(row, "ce_id"), (row[0], row[1], tuple(row[2]))
        if self.topics[topic].setdefault(id_, one) != one:
            self.violations.append(f"{id_!r} in {topic} was other bytes before")
        if topic == topics.EVENTS:
            said = [int(header(other, "ce_sequence")) for other in self.topics[topic].values() if other[0] == row[0]]
            if set(range(1, max(said) + 1)) != set(said):
                self.violations.append(f"the events of {row[0]!r} came as {said}")

    def places_of_letters(self) -> dict[str, list[RawRecord]]:
        """The dead letters by the log position of their records."""
        found: dict[str, list[RawRecord]] = defaultdict(list)
        for row in self.letters:
            found["-".join(header(row, f"dl_{name}") for name in ("topic", "partition", "offset"))].append(row)
        return found

    # ── the store ────────────────────────────────────────────────────────────

    def insert(self, collection: str, document: Mapping[str, Any]) -> bool:
        """Insert a document; returns False if its `_id` exists."""
        if document["_id"] in self.documents[collection]:
            return False
        kept = self.documents[collection][document["_id"]] = bson.encode(document)
        if collection == "decisions":
            self.decided[document["inquiry_id"]].append(from_document(decoded(kept)))
        return True

    def decision_of(self, given: Input) -> Decision | None:
        """The decision on an input."""
        return next((one for one in self.decisions_of(given.inquiry_id) if decided_as(one, given)), None)

    def decisions_of(self, inquiry_id: str) -> list[Decision]:
        """All decisions of an inquiry with their messages, in order."""
        return with_messages(inquiry_id, self.decided[inquiry_id])

    def parked(self) -> set[str]:
        """The inquiries with parked inputs."""
        return {bson.decode(one)["inquiry_id"] for one in self.documents["parked"].values()}


AS_CLIENTS_READ: CodecOptions[Any] = CodecOptions(tz_aware=True)


def decoded(kept: bytes) -> dict[str, Any]:
    """A document as clients decode it."""
    read: dict[str, Any] = bson.decode(kept, AS_CLIENTS_READ)
    return read


def as_read(raw: FakeRecord) -> Record:
    """A record as the delivery layer decodes it."""
    return Record(raw.topic, raw.partition, raw.offset, raw.timestamp, raw.key, raw.value, raw.headers)


def decided_as(decision: Decision, given: Input) -> bool:
    """Whether this is the decision on this input: the same bytes, under its id or under the id derived for a reused one."""
    return decision.digest == given.digest and decision.cause in (given.id, ids.derived_id(given.id, given.digest))


def half(rows: Rows) -> Rows:
    """The first half of the records of each partition: a producer loses only the end of a batch."""
    return {topic: some[: len(some) // 2] for topic, some in rows.items()}
