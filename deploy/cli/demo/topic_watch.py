"""Reads Kafka topics for `chorus demo --full`, from where they end when it starts: inboxes of departments, and events."""

import asyncio
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import ConsumerRecord

from deploy.cli.demo.topic_end import start_at_end
from shared.kafka.connection import Connection

START_S = 30.0
PREFIX = "chorus."


@dataclass(frozen=True)
class WatchedRecord:
    """A record; `type` is without the prefix `chorus.`, and `value` has its bytes."""

    topic: str
    id: str
    type: str
    inquiry_id: str
    causation: str
    data: Mapping[str, Any]
    value: bytes


@dataclass
class TopicWatch:
    """`kafka` has the connection for each topic. Topics of one connection share a consumer without a group."""

    kafka: Mapping[str, Connection]
    changed: list[str] = field(default_factory=list)
    """One sentence for each id that came again with other bytes."""
    _consumers: list[AIOKafkaConsumer] = field(default_factory=list)
    _records: dict[tuple[str, str], dict[str, WatchedRecord]] = field(default_factory=lambda: defaultdict(dict))

    async def open(self) -> None:
        """Start all consumers at the ends of their topics."""
        by_connection: dict[Connection, list[str]] = defaultdict(list)
        for topic, connection in self.kafka.items():
            by_connection[connection].append(topic)
        for connection, topics in by_connection.items():
            options = {"auto_offset_reset": "latest", "enable_auto_commit": False}
            self._consumers.append(AIOKafkaConsumer(*topics, **connection.consumer(), **options))
        async with asyncio.timeout(START_S):
            await asyncio.gather(*map(start_at_end, self._consumers))

    async def watch(self) -> None:
        """Read until cancelled."""
        await asyncio.gather(*map(self._read, self._consumers))

    async def close(self) -> None:
        await asyncio.gather(*(one.stop() for one in self._consumers), return_exceptions=True)

    def about(self, topic: str, inquiry_id: str, type_: str | None = None) -> list[WatchedRecord]:
        """The records about an inquiry so far, in the order of their arrival; a repeat with the same id counts once."""
        found = self._records[topic, inquiry_id].values()
        return [one for one in found if type_ is None or one.type == type_]

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        async for record in consumer:
            self._keep(watched(record))

    def _keep(self, record: WatchedRecord) -> None:
        known = self._records[record.topic, record.inquiry_id].setdefault(record.id, record)
        if known.value != record.value:
            self.changed.append(f"{record.topic} has two messages of {record.inquiry_id} with the id {record.id}")


def watched(record: ConsumerRecord) -> WatchedRecord:
    headers = {name: value.decode("utf-8", "replace") for name, value in record.headers if value is not None}
    value = record.value or b""
    try:
        data = json.loads(value)
    except ValueError:
        data = {}
    type_, key = headers.get("ce_type", ""), (record.key or b"").decode("utf-8", "replace")
    return WatchedRecord(
        topic=record.topic,
        id=headers.get("ce_id", f"{record.partition}-{record.offset}"),
        type=type_.removeprefix(PREFIX),
        inquiry_id=headers.get("ce_subject") or key,
        causation=headers.get("ce_causationid", ""),
        data=data if isinstance(data, dict) else {},
        value=value,
    )


def problems_of_chain(records: Iterable[WatchedRecord]) -> list[str]:
    """What is wrong with the events of one case: gaps, and hashes that do not match. They come in order of `sequence`."""
    problems, previous = [], None
    for number, one in enumerate(records, start=1):
        if one.data.get("sequence") != number:
            problems.append(f"event {number} has the sequence {one.data.get('sequence')!r}")
        if one.data.get("prev") != previous:
            problems.append(f"`prev` of event {number} is not the SHA-256 of the event before")
        previous = hashlib.sha256(one.value).hexdigest()
    return problems
