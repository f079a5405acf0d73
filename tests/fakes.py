"""Fakes of external dependencies; each is compared with the real one by a suite that runs on both."""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError, KafkaConnectionError

from shared.kafka.publisher import RECORD_BYTES_MAX, Publisher, RawRecord, Row, TooLarge, size_of
from shared.masking.case import CaseTexts, Masked
from shared.masking.lexicon import NoLexicon
from shared.masking.masking import mask_case
from tests.patience import PATIENCE_S


class FakePublisher(Publisher):
    """Records what is published. `away` makes it fail like an unreachable broker, `gate` makes it wait."""

    def __init__(self) -> None:
        super().__init__("nowhere:0", "fake")
        self.records: list[Row] = []
        self.away = False
        self.refused = asyncio.Semaphore(0)
        self.gate = asyncio.Event()
        self.gate.set()
        self.arrived = asyncio.Event()
        self.calls = 0

    async def start(self) -> None:
        if self.away:
            raise KafkaConnectionError("the broker is away")

    async def deliver(self, topics: AbstractSet[str], rows: Iterable[Row]) -> None:
        """Record all or none."""
        if not topics:
            return
        self.calls += 1
        await self.gate.wait()
        if self.away:
            self.refused.release()
            raise KafkaConnectionError("the broker is away")
        kept = list(rows)
        for topic, row in kept:
            if size_of(row) > RECORD_BYTES_MAX:
                raise TooLarge(f"A record for {topic!r} is larger than {RECORD_BYTES_MAX} bytes.")
        self.records += kept
        self.arrived.set()

    def on(self, topic: str) -> list[RawRecord]:
        """The messages published to a topic, in order."""
        return [row for name, row in self.records if name == topic]

    def values(self, topic: str) -> list[Any]:
        """The JSON published to a topic, in order."""
        return [json.loads(value or b"null") for _, value, _ in self.on(topic)]

    def ids(self, topic: str | None = None) -> list[str]:
        """The published `ce_id`s, in order."""
        rows = [row for name, row in self.records if topic in (None, name)]
        return [header(row, "ce_id") for row in rows]

    async def until(self, count: int, topic: str) -> list[RawRecord]:
        """Wait until a topic has this many records."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.on(topic)) < count:
                self.arrived.clear()
                await self.arrived.wait()
        return self.on(topic)


def header(row: RawRecord, name: str) -> str:
    """The value of a record's header; empty when it has none."""
    return next(((value or b"").decode() for key, value in row[2] if key == name), "")


@dataclass
class FakeRecord:
    """The attributes of a consumer's record that the delivery layer uses."""

    topic: str
    partition: int
    offset: int
    value: bytes | None
    key: bytes | None = None
    timestamp: int = 1_773_633_600_000
    headers: Sequence[tuple[str, bytes | None]] = ()


class FakeConsumer:
    """Records commits; `lost` makes it answer as after a rebalance, `places` are its partitions."""

    def __init__(self) -> None:
        self.commits: list[dict[tuple[str, int], int]] = []
        self.failing: list[Exception] = []
        self.lost = False
        self.ends: dict[TopicPartition, int] = {}
        self.places = {TopicPartition("a", 0)}
        self.at = 5
        self._coordinator = SimpleNamespace(generation=1, coordinator_id=0)

    async def commit(self, offsets: Mapping[Any, int]) -> None:
        """Keep the offsets by topic and partition."""
        if self.lost:
            raise IllegalStateError("the partition is another's now")
        if self.failing:
            raise self.failing.pop(0)
        self.commits.append({(one.topic, one.partition): offset for one, offset in offsets.items()})

    def assignment(self) -> set[Any]:
        """The assigned partitions."""
        return self.places

    async def end_offsets(self, partitions: set[TopicPartition]) -> dict[TopicPartition, int]:
        """The end offsets on the broker."""
        return self.ends

    def highwater(self, partition: TopicPartition) -> int:
        """The end offset of the topic in a test."""
        return 7

    def last_stable_offset(self, partition: TopicPartition) -> int:
        """Where an open transaction begins; there is none."""
        return self.highwater(partition)

    def at_in(self, partition: TopicPartition) -> int:
        """The offset that is read next."""
        return self.at

    @property
    def _subscription(self) -> Any:
        """aiokafka's subscription state."""
        assignment = SimpleNamespace(
            state_value=lambda partition: SimpleNamespace(position=self.at_in(partition), has_valid_position=True)
        )
        return SimpleNamespace(subscription=SimpleNamespace(assignment=assignment))


class FakeSubscriber:
    """Has a consumer, like FastStream's subscriber."""

    def __init__(self, consumer: FakeConsumer) -> None:
        self.consumer = consumer


class MaskerInProcess:
    """Masks at once, by rules alone: the process with the lexical model has tests of its own."""

    async def mask(self, case: CaseTexts) -> Masked:
        return mask_case(case, NoLexicon())
