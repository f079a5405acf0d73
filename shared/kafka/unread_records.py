"""Whether a group has read everything that was written to topics by a moment; asks only for offsets."""

from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import LeaderNotAvailableError, for_code
from aiokafka.protocol.offset import OffsetRequest

from shared.kafka.connection import Connection
from shared.kafka.topic_reader import REQUEST_MS, committed

LATEST = -1
NONE = -1
UNCOMMITTED = 0
"""The isolation level of the request: with the other one, the end of a partition is where an open transaction begins."""


async def unread_topics(kafka: Connection, group: str, until_ms: Mapping[str, int]) -> set[str]:
    """The topics with a record, written by this time (in milliseconds since 1970), that the group has not committed.

    A record of an open transaction counts: nobody can read it yet. A topic that does not exist has no records. Raises
    KafkaError when Kafka is unavailable.
    """
    client: Any = AIOKafkaClient(**kafka.aiokafka(), request_timeout_ms=REQUEST_MS)
    admin = AIOKafkaAdminClient(**kafka.aiokafka(), request_timeout_ms=REQUEST_MS)
    try:
        await client.bootstrap()
        await admin.start()
        metadata = await client.fetch_all_metadata()
        places = [TopicPartition(name, one) for name in until_ms for one in metadata.partitions_for_topic(name) or ()]
        # The ends first: what the group commits meanwhile counts as read.
        ends = await _offsets(client, metadata, dict.fromkeys(places, LATEST))
        read = {one: max(offset, 0) for one, offset in (await committed(admin, group)).items()}
        behind = [one for one in places if read.get(one, 0) < ends[one]]
        after = await _offsets(client, metadata, {one: until_ms[one.topic] + 1 for one in behind})
        return {one.topic for one in behind if after[one] == NONE or read.get(one, 0) < after[one]}
    finally:
        await admin.close()
        await client.close()


async def _offsets(client: Any, metadata: Any, wanted: Mapping[TopicPartition, int]) -> dict[Any, int]:
    """By partition, the first offset at or after this time, or the end for LATEST; NONE when there is no such record."""
    by_leader: dict[int, dict[str, list[tuple[int, int]]]] = {}
    for place, moment in wanted.items():
        leader = metadata.leader_for_partition(place)
        if leader is None or leader < 0:
            raise LeaderNotAvailableError(f"{place.topic}-{place.partition}")
        by_leader.setdefault(leader, {}).setdefault(place.topic, []).append((place.partition, moment))
    found: dict[Any, int] = {}
    for node, topics in by_leader.items():
        response = await client.send(node, OffsetRequest(-1, UNCOMMITTED, list(topics.items())))
        found |= _read(response.topics)
    return found


def _read(topics: Sequence[Any]) -> dict[TopicPartition, int]:
    found = {}
    for name, partitions in topics:
        for number, error, _, offset in partitions:
            if error:
                raise for_code(error)(f"{name}-{number}")
            found[TopicPartition(name, number)] = offset
    return found
