"""Reads topics without a consumer group, and the lag of a group; every call has a time limit."""

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
    """The readable offsets of a partition: `first` is included, `end` is not. An open transaction is not readable."""

    first: int
    end: int


@dataclass(frozen=True)
class TopicReader:
    """Reads topics with one consumer. Every method raises KafkaError when Kafka is unavailable."""

    consumer: AIOKafkaConsumer

    async def offset_ranges(self, names: Collection[str]) -> dict[TopicPartition, OffsetRange]:
        """The offsets of the topics that exist. It never asks for a missing topic, because the broker might create it."""
        metadata = await self.consumer._client.fetch_all_metadata()
        found = [TopicPartition(name, number) for name in names for number in metadata.partitions_for_topic(name) or ()]
        first, end = await self.consumer.beginning_offsets(found), await self.consumer.end_offsets(found)
        return {partition: OffsetRange(first[partition], end[partition]) for partition in found}

    async def records(self, partition: TopicPartition, start: int, end: int) -> AsyncIterator[tuple[list[Record], int]]:
        """Records in short lists, each with the offset after it. Skips a record that cannot be read."""
        self.consumer.assign([partition])
        self.consumer.seek(partition, start)
        at, most = start, RECORDS
        while at < end:
            try:
                found = await self.consumer.getmany(partition, timeout_ms=FETCH_MS, max_records=most)
            except (KafkaError, UnicodeDecodeError) as error:
                if isinstance(error, KafkaError) and error.retriable:
                    raise
                # One of the records cannot be unpacked: read them one by one to find and skip it.
                at, most = (at + 1 if most == 1 else at), 1
                self.consumer.seek(partition, at)
                continue
            at = await self.consumer.position(partition)
            records = [record_of(raw) for raw in found.get(partition, ()) if raw.offset < end]
            yield [one for one in records if not one.unreadable], at

    async def record(self, partition: TopicPartition, offset: int) -> Record | None:
        """The record at this offset; None when the topic no longer has it."""
        offsets = (await self.offset_ranges([partition.topic])).get(partition)
        if offsets is None or not offsets.first <= offset < offsets.end:
            return None
        async for records, _ in self.records(partition, offset, offset + 1):
            if records:
                return records[0]
        return None


@asynccontextmanager
async def topic_reader(kafka: Connection, limit_s: float = LIMIT_S) -> AsyncIterator[TopicReader]:
    """A TopicReader for at most `limit_s` seconds. Raises KafkaError when Kafka is unavailable or too slow."""
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
            # Let the consumer's background task start: aiokafka's `stop` raises CancelledError before that.
            await asyncio.sleep(0)
            yield TopicReader(consumer)
    except TimeoutError as error:
        raise KafkaTimeoutError(f"Kafka did not answer within {limit_s:g} s") from error
    finally:
        await consumer.stop()


async def wait_until_committed(
    kafka: Connection, group: str, names: Collection[str], limit_s: float
) -> Mapping[str, int]:
    """Wait at most `limit_s` seconds until the group has committed every record that the topics have now.

    Returns the uncommitted records by topic; empty when there are none.
    """
    async with topic_reader(kafka) as reader:
        ranges = await reader.offset_ranges(names)
    admin = AIOKafkaAdminClient(**kafka.aiokafka(), request_timeout_ms=REQUEST_MS)
    until = time.monotonic() + limit_s
    try:
        await admin.start()
        while True:
            lag = lag_by_topic(ranges, await committed(admin, group))
            if not lag or time.monotonic() >= until:
                return lag
            await asyncio.sleep(POLL_S)
    finally:
        await admin.close()


async def committed(admin: AIOKafkaAdminClient, group: str) -> dict[TopicPartition, int]:
    """A group's committed offsets; empty for a group that never had a member."""
    try:
        found: dict[TopicPartition, Any] = await admin.list_consumer_group_offsets(group)
    except GroupCoordinatorNotAvailableError:
        return {}
    return {partition: one.offset for partition, one in found.items()}


def lag_by_topic(
    ranges: Mapping[TopicPartition, OffsetRange], committed: Mapping[TopicPartition, int]
) -> dict[str, int]:
    """How many records each topic has after the committed offsets; topics without lag are left out."""
    lag: dict[str, int] = {}
    for partition, offsets in ranges.items():
        count = offsets.end - max(offsets.first, committed.get(partition, 0))
        if count > 0:
            lag[partition.topic] = lag.get(partition.topic, 0) + count
    return lag
