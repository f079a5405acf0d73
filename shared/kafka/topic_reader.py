"""Looking into topics from outside of any group: what lies there, and how far a group has come; bounded in time."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaError, KafkaTimeoutError

from shared.kafka.connection import Connection
from shared.kafka.records import Record, record_of

LIMIT_S = 20.0
REQUEST_MS = 5_000
FETCH_MS = 1_000
RECORDS = 500
POLL_S = 0.1


@dataclass(frozen=True)
class OffsetRange:
    """What can be read of a partition: from `first` to before `end`, where an open transaction begins if there is one."""

    first: int
    end: int


@dataclass(frozen=True)
class TopicReader:
    """One look, with one consumer. Everything raises KafkaError when the broker is away."""

    consumer: AIOKafkaConsumer

    async def spans(self, names: Collection[str]) -> dict[TopicPartition, OffsetRange]:
        """What those of the topics hold that are there: asking for one that is not could make it."""
        known = await self.consumer._client.fetch_all_metadata()
        there = [TopicPartition(name, number) for name in names for number in known.partitions_for_topic(name) or ()]
        first, end = await self.consumer.beginning_offsets(there), await self.consumer.end_offsets(there)
        return {partition: OffsetRange(first[partition], end[partition]) for partition in there}

    async def records(self, partition: TopicPartition, start: int, end: int) -> AsyncIterator[tuple[list[Record], int]]:
        """Records in short lists, each with the offset after it; one that cannot be read is passed over."""
        self.consumer.assign([partition])
        self.consumer.seek(partition, start)
        at, most = start, RECORDS
        while at < end:
            try:
                found = await self.consumer.getmany(partition, timeout_ms=FETCH_MS, max_records=most)
            except (KafkaError, UnicodeDecodeError) as error:
                if isinstance(error, KafkaError) and error.retriable:
                    raise
                # One of them cannot be unpacked: which one shows when they are taken one by one.
                at, most = (at + 1 if most == 1 else at), 1
                self.consumer.seek(partition, at)
                continue
            at = await self.consumer.position(partition)
            records = [record_of(raw) for raw in found.get(partition, ()) if raw.offset < end]
            yield [one for one in records if not one.unreadable], at

    async def record(self, partition: TopicPartition, offset: int) -> Record | None:
        """The record at this place; None when it is not there any more."""
        span = (await self.spans([partition.topic])).get(partition)
        if span is None or not span.first <= offset < span.end:
            return None
        async for some, _ in self.records(partition, offset, offset + 1):
            if some:
                return some[0]
        return None


@asynccontextmanager
async def topic_reader(kafka: Connection, limit_s: float = LIMIT_S) -> AsyncIterator[TopicReader]:
    """Look into topics, for `limit_s` at most; raises KafkaError when the broker is away or too slow."""
    consumer = AIOKafkaConsumer(
        **kafka.consumer(),
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        request_timeout_ms=REQUEST_MS,
    )
    try:
        async with asyncio.timeout(limit_s):
            await consumer.start()
            # A consumer without a group that is stopped before its first step raises CancelledError.
            await asyncio.sleep(0)
            yield TopicReader(consumer)
    except TimeoutError as error:
        raise KafkaTimeoutError(f"Kafka did not answer within {limit_s:g} s") from error
    finally:
        await consumer.stop()


async def behind(kafka: Connection, group: str, names: Collection[str], limit_s: float) -> Mapping[str, int]:
    """Wait until a group has committed all that lies in the topics now, for `limit_s` at most.

    Returns how many records are still before it, by topic; nothing when it has seen them all.
    """
    async with topic_reader(kafka) as look:
        spans = await look.spans(names)
    admin = AIOKafkaAdminClient(**kafka.aiokafka(), request_timeout_ms=REQUEST_MS)
    until = time.monotonic() + limit_s
    try:
        await admin.start()
        while True:
            left = missing(spans, await committed(admin, group))
            if not left or time.monotonic() >= until:
                return left
            await asyncio.sleep(POLL_S)
    finally:
        await admin.close()


async def committed(admin: AIOKafkaAdminClient, group: str) -> dict[TopicPartition, int]:
    """A group's committed offsets; none for a group that nobody has ever been in."""
    try:
        found: dict[TopicPartition, Any] = await admin.list_consumer_group_offsets(group)
    except GroupCoordinatorNotAvailableError:
        return {}
    return {partition: one.offset for partition, one in found.items()}


def missing(spans: Mapping[TopicPartition, OffsetRange], committed: Mapping[TopicPartition, int]) -> dict[str, int]:
    """How many records each topic holds after what was committed; topics with none are left out."""
    left: dict[str, int] = {}
    for partition, span in spans.items():
        count = span.end - max(span.first, committed.get(partition, 0))
        if count > 0:
            left[partition.topic] = left.get(partition.topic, 0) + count
    return left
