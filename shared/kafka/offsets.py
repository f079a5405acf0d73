"""Offsets by partition: what a consumer commits."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from aiokafka import ConsumerRecord, TopicPartition

Raw: TypeAlias = "ConsumerRecord[bytes, bytes]"
Offsets: TypeAlias = Mapping[TopicPartition, int]


def offsets_after(records: Sequence[Raw]) -> Offsets:
    """By partition, the offset after the last of these records."""
    offsets: dict[TopicPartition, int] = {}
    for record in records:
        partition = TopicPartition(record.topic, record.partition)
        offsets[partition] = max(offsets.get(partition, 0), record.offset + 1)
    return offsets
