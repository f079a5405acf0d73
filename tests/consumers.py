"""Consumers for tests: the real one as FastStream makes it, and one that reads a log in memory as aiokafka would."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CorruptRecordException
from faststream.kafka import KafkaBroker

from shared.kafka.subscription import Subscription
from tests.fakes import FakeConsumer, FakeRecord


class NotConnected(Exception):
    """Raised in place of connecting: the consumer is made and has all its settings."""


async def consumer_made_for(
    subscription: Subscription[Any], broker: KafkaBroker, monkeypatch: pytest.MonkeyPatch
) -> AIOKafkaConsumer:
    """The consumer that FastStream makes for a subscription attached to this broker; it is never connected."""

    async def start(self: AIOKafkaConsumer) -> None:
        raise NotConnected

    # Otherwise the consumer warns, when it is forgotten, that nobody has stopped it.
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

    As with aiokafka, a fetch that fails has moved past the records of the other partitions that it drops.
    """

    sizes: dict[int, int]
    committed_offsets: dict[int, int] = field(default_factory=dict)
    unpackable: set[tuple[int, int]] = field(default_factory=set)
    error: Callable[[], Exception] = CorruptRecordException

    def __post_init__(self) -> None:
        super().__init__()
        self.places = {TopicPartition("a", partition) for partition in self.sizes}
        self.positions = {place: self.committed_offsets.get(place.partition, 0) for place in self.places}

    async def committed(self, partition: TopicPartition) -> int | None:
        return self.committed_offsets.get(partition.partition)

    async def seek_to_committed(self, partition: TopicPartition) -> None:
        # aiokafka leaves the position where it is when nothing, or 0, is committed.
        if offset := self.committed_offsets.get(partition.partition):
            self.positions[partition] = offset

    async def seek_to_beginning(self, partition: TopicPartition) -> None:
        self.positions[partition] = 0

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.positions[partition] = offset

    async def position(self, partition: TopicPartition) -> int:
        return self.positions[partition]

    def highwater(self, partition: TopicPartition) -> int:
        return self.sizes[partition.partition]

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[FakeRecord]]:
        found: dict[TopicPartition, list[FakeRecord]] = {}
        failed = False
        for place in sorted(partitions or self.places):
            begin, number = self.positions[place], place.partition
            offsets = range(begin, min(self.sizes[number], begin + (max_records or self.sizes[number])))
            if any((number, offset) in self.unpackable for offset in offsets):
                failed = True
                continue
            found[place] = [FakeRecord("a", number, offset, b"%d/%d" % (number, offset)) for offset in offsets]
            self.positions[place] = offsets.stop
        if failed:
            raise self.error()
        return {place: records for place, records in found.items() if records}
