"""Records that our clients cannot write: too large, on topics of unknown departments, in every compression codec."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import Producer
from faststream.kafka import KafkaBroker

from shared.kafka.options import SubscriptionOptions
from shared.kafka.publisher import Publisher
from shared.kafka.subscription import Subscription
from shared.kafka.topic_admin import create_topics
from shared.kafka.topics import Topic
from tests.backing import Backing
from tests.conftest import RunningStack
from tests.integration.corpus import write_header_name
from tests.integration.outside import Resident, read_all
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.integration
CODES = ["environment", "urban-management"]
NOISE = {"subject": "工地夜间施工噪音扰民", "body": "工地每天夜间施工，噪音很大。", "language": "zh"}
TYPE: tuple[str, str | bytes | None] = ("ce_type", b"chorus.part.accepted")


@pytest.fixture(scope="module")
def resident(stack: RunningStack) -> Resident:
    return Resident(json.loads((stack.data / "stack.json").read_text())["urls"]["intake"])


def write(
    kafka: str, code: str, value: bytes | None, headers: list[tuple[str, str | bytes | None]], **settings: Any
) -> None:
    producer = Producer({"bootstrap.servers": kafka, "acks": "all", **settings})
    producer.produce(f"departments.{code}.outbox", value=value, headers=headers)
    assert producer.flush(PATIENCE_S) == 0


def whole_case(running: Backing, resident: Resident) -> None:
    """A case of two departments goes its way to the end."""
    receipt = resident.write(NOISE)
    resident.wait_for(receipt, "assigned")
    for number, code in enumerate(CODES, 1):
        part = {"part_id": f"{receipt['inquiry_id']}-p{number}", "text": f"{code} 已处理"}
        kind: tuple[str, str | bytes | None] = ("ce_type", b"chorus.part.contributed")
        write(running.kafka, code, json.dumps(part).encode(), [kind, ("ce_id", str(uuid4()).encode())])
    seen = resident.wait_for(receipt, "answered")
    assert len(seen["reply"]["paragraphs"]) == 2


async def test_only_corrupt_records_are_skipped(running: Backing) -> None:
    """In topics without recompression a corrupt record breaks every poll; all other records must be handled."""
    names = [f"poll.{uuid4().hex[:8]}.{n}" for n in range(3)]
    await create_topics(running.kafka, [*(Topic(name, 1, 1) for name in names), Topic("try.dead-letters", 1, 1)], 1)
    producer = Producer({"bootstrap.servers": running.kafka, "acks": "all"})
    for turn in range(3):
        for name in names:
            producer.produce(name, value=f"{name}/{turn}".encode())
        assert producer.flush(PATIENCE_S) == 0
        await write_header_name(running.kafka, names[1], b"\xff\xfe")
    handled: list[str] = []

    async def handle(batch: Sequence[str]) -> None:
        handled.extend(batch)

    publisher = Publisher(running.kafka, "try")
    broker = KafkaBroker(
        running.kafka, consumer_only=True, allow_auto_create_topics=False, apply_types=False, logger=None
    )
    options: SubscriptionOptions[str] = SubscriptionOptions(
        service="try",
        group=f"try-{uuid4()}",
        read=lambda record: (record.value or b"").decode(),
        handle=handle,
        publisher=publisher,
        topics=names,
    )
    reading = Subscription(options)
    reading.attach(broker)
    await broker.start()
    try:
        async with asyncio.timeout(PATIENCE_S):
            while len(handled) < 9:
                await asyncio.sleep(0.05)
            while {topic: behind for topic, (behind, _) in reading.health.lag().items()} != dict.fromkeys(names, 0):
                await asyncio.sleep(0.05)
    finally:
        await broker.stop()
        await publisher.stop()
    assert sorted(set(handled)) == sorted(f"{name}/{turn}" for name in names for turn in range(3))
    letters = [one for one in read_all(running.kafka, ["try.dead-letters"]) if one.headers["dl_topic"] == names[1]]
    assert [one.headers["dl_offset"] for one in letters] == ["1", "3", "5"]


def test_a_record_larger_than_any_dead_letter_does_not_block(running: Backing, resident: Resident) -> None:
    bomb = json.dumps({"part_id": "x", "text": "a" * 12_000_000}).encode()
    settings = {"compression.type": "gzip", "message.max.bytes": 20_000_000}
    write(running.kafka, "environment", bomb, [TYPE, ("ce_id", b"bomb")], **settings)
    whole_case(running, resident)


async def test_an_outbox_of_an_unknown_department_does_not_block(running: Backing, resident: Resident) -> None:
    await create_topics(running.kafka, [Topic("departments.stray.outbox", 1, 1)], 1)
    write(running.kafka, "stray", b"{", [TYPE])
    whole_case(running, resident)


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_a_department_may_use_any_compression(running: Backing, resident: Resident, codec: str) -> None:
    receipt = resident.write(NOISE)
    resident.wait_for(receipt, "assigned")
    part = {"part_id": f"{receipt['inquiry_id']}-p1"}
    write(running.kafka, "environment", json.dumps(part).encode(), [TYPE], **{"compression.type": codec})
    resident.wait_for(receipt, "in-progress")
