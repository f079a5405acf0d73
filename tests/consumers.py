"""Consumers for tests: FastStream's real one, one that reads a log in memory, and a subscription on that."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CorruptRecordException
from faststream.kafka import KafkaBroker

from shared.kafka import topics
from shared.kafka.options import SubscriptionOptions
from shared.kafka.subscription import Subscription
from tests.fakes import FakeConsumer, FakePublisher, FakeRecord, FakeSubscriber, header

LETTERS = topics.dead_letters("router")


class NotConnected(Exception):
    """Raised instead of connecting, once the consumer has all its settings."""


async def consumer_made_for(
    subscription: Subscription[Any], broker: KafkaBroker, monkeypatch: pytest.MonkeyPatch
) -> AIOKafkaConsumer:
    """The consumer that FastStream creates for a subscription; it never connects."""

    async def start(self: AIOKafkaConsumer) -> None:
        raise NotConnected

    # Otherwise the consumer warns at garbage collection that it was not stopped.
    monkeypatch.setattr(AIOKafkaConsumer, "__del__", lambda self: None)
    monkeypatch.setattr(AIOKafkaConsumer, "start", start)
    broker._setup_logger()
    with pytest.raises(NotConnected):
        await subscription.subscriber.start()
    made, subscription.subscriber.consumer = subscription.subscriber.consumer, None
    return made


@dataclass
class Log(FakeConsumer):
    """A consumer of partitions of the topic `a`; records at `unpackable` offsets fail a fetch as corrupt ones do.

    As with aiokafka, a fetch that fails has moved past the records of the other partitions that it drops, and a fetch moves
    past control records, `controls`, without returning them. By partition, a transaction is open from `open_at` on.
    """

    sizes: dict[int, int]
    committed_offsets: dict[int, int] = field(default_factory=dict)
    unpackable: set[tuple[int, int]] = field(default_factory=set)
    error: Callable[[], Exception] = CorruptRecordException
    controls: set[tuple[int, int]] = field(default_factory=set)
    open_at: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()
        self.places = {TopicPartition("a", partition) for partition in self.sizes}
        self.positions = {place: self.committed_offsets.get(place.partition, 0) for place in self.places}

    async def committed(self, partition: TopicPartition) -> int | None:
        return self.committed_offsets.get(partition.partition)

    async def seek_to_committed(self, partition: TopicPartition) -> None:
        # aiokafka does not move the position when nothing, or 0, is committed.
        if offset := self.committed_offsets.get(partition.partition):
            self.positions[partition] = offset

    async def seek_to_beginning(self, partition: TopicPartition) -> None:
        self.positions[partition] = 0

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.positions[partition] = offset

    async def position(self, partition: TopicPartition) -> int:
        return self.positions[partition]

    def at_in(self, partition: TopicPartition) -> int:
        return self.positions[partition]

    def highwater(self, partition: TopicPartition) -> int:
        return self.sizes[partition.partition]

    def last_stable_offset(self, partition: TopicPartition) -> int:
        return min(self.open_at.get(partition.partition, self.sizes[partition.partition]), self.highwater(partition))

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[FakeRecord]]:
        found: dict[TopicPartition, list[FakeRecord]] = {}
        failed = False
        for place in sorted(partitions or self.places):
            begin, number = self.positions[place], place.partition
            end = self.last_stable_offset(place)
            offsets = range(begin, min(end, begin + (max_records or end)))
            if any((number, offset) in self.unpackable for offset in offsets):
                failed = True
                continue
            found[place] = [
                FakeRecord("a", number, offset, b"%d/%d" % (number, offset))
                for offset in offsets
                if (number, offset) not in self.controls
            ]
            self.positions[place] = max(offsets.stop, begin)
        if failed:
            raise self.error()
        return {place: records for place, records in found.items() if records}


class Reader:
    """A subscription on a log in memory; `hold` delays its batches."""

    def __init__(self, log: Log, group: str | None = "router-core", instance: str | None = None) -> None:
        self.log, self.publisher = log, FakePublisher()
        self.handled: list[bytes] = []
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()
        self.go_on.set()
        self.options: SubscriptionOptions[bytes] = SubscriptionOptions(
            "router", group, lambda record: record.value, self.take, self.publisher, topics=("a",), instance=instance
        )
        self.subscription: Subscription[bytes] = Subscription(self.options)
        self.subscription.subscriber = FakeSubscriber(log)
        self.pipeline = self.subscription.pipeline

    async def take(self, batch: Sequence[bytes]) -> None:
        self.begun.set()
        await self.go_on.wait()
        self.handled += batch

    def hold(self) -> None:
        self.go_on.clear()

    async def poll(self) -> tuple[Any, ...]:
        """Poll once, as FastStream does; returns the records."""
        found: tuple[Any, ...] = await self.subscription._poll(self.log)
        return found

    async def read_on(self) -> None:
        """Poll once and handle the batch up to its commit."""
        if found := await self.poll():
            await self.pipeline.consume(found)
            await self.pipeline.drained(5)

    @property
    def letters(self) -> list[str]:
        """The offsets of records in dead letters."""
        return [f"{header(row, 'dl_partition')}/{header(row, 'dl_offset')}" for row in self.publisher.on(LETTERS)]
