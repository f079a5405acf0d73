"""Records that no client of ours would write: where they end is known, and the good ones around them come through."""

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from confluent_kafka import Producer
from faststream.kafka import KafkaBroker

from deploy.local.backing import Backing
from shared.delivery import Subscription
from shared.provision import make_topics
from shared.publishing import Publisher
from shared.topics import Topic
from tests.conftest import RunningStack
from tests.integration.outside import Resident, read_all

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
    assert producer.flush(20) == 0


async def write_header_key(kafka: str, topic: str) -> None:
    """A record whose header has a name that is not UTF-8, which a raw client can write and aiokafka cannot read."""

    class Name(str):
        def encode(self, *_: object) -> bytes:
            return b"\xff\xfe"

    producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all")
    await producer.start()
    try:
        batch = producer.create_batch()
        batch._builder = _DefaultRecordBatchBuilderPy(2, 0, 0, -1, -1, -1, 16_384)
        assert batch.append(key=b"k", value=b"{}", timestamp=None, headers=[(Name("x"), b"1")])
        await (await producer.send_batch(batch, topic, partition=0))
    finally:
        await producer.stop()


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


POISON: dict[str, tuple[bytes | None, list[tuple[str, str | bytes | None]]]] = {
    "null header": (b"{}", [TYPE, ("x", None)]),
    "header that is not utf-8": (b"{}", [TYPE, ("x", b"\xff\xfe")]),
    "tombstone": (None, [TYPE]),
    "empty": (b"", [TYPE]),
    "truncated": (b'{"part_id": "2026', [TYPE]),
    "no json": (b"\x00\x01\x02", [TYPE]),
    "not utf-8": (b'{"part_id": "\xff"}', [TYPE]),
    "wrong types": (b'{"part_id": 7}', [TYPE]),
    "no attributes": (b'{"part_id": "x"}', []),
    "type of the future": (b"{}", [("ce_type", b"chorus.part.teleported")]),
    "deep": (b"[" * 50_000, [TYPE]),
    "unknown part": (b'{"part_id": "20200101-00000000-p1"}', [TYPE]),
}


@pytest.mark.parametrize("name", POISON)
def test_a_wrong_record_in_an_outbox_is_refused_with_a_sentence_and_put_aside(
    running: Backing, resident: Resident, name: str
) -> None:
    value, headers = POISON[name]
    marker = f"poison-{uuid4()}"
    write(running.kafka, "environment", value, [*headers, ("ce_id", marker.encode())])
    until = time.monotonic() + 20
    while True:
        inbox = [
            one for one in read_all(running.kafka, ["departments.environment.inbox"]) if one.data.get("cause") == marker
        ]
        if inbox:
            break
        assert time.monotonic() < until, "no word came back"
        time.sleep(0.2)
    assert [one.headers["ce_type"] for one in inbox] == ["chorus.message.refused"]
    assert inbox[0].data["reason"]
    assert inbox[0].data["remedy"]


async def test_a_header_whose_name_is_not_text_holds_nobody_up(running: Backing, resident: Resident) -> None:
    for code in ("housing", "environment"):
        await write_header_key(running.kafka, f"departments.{code}.outbox")
    whole_case(running, resident)
    letters = read_all(running.kafka, ["router.dead-letters"])
    assert {"departments.housing.outbox", "departments.environment.outbox"} <= {
        one.headers["dl_topic"] for one in letters
    }


async def test_what_cannot_be_unpacked_is_passed_over_alone(running: Backing) -> None:
    """In topics that the broker does not write anew: one record breaks the poll of all, and every other one is handled."""
    names = [f"poll.{uuid4().hex[:8]}.{n}" for n in range(3)]
    await make_topics(running.kafka, [*(Topic(name, 1, 1) for name in names), Topic("try.dead-letters", 1, 1)], 1)
    producer = Producer({"bootstrap.servers": running.kafka, "acks": "all"})
    for turn in range(3):
        for name in names:
            producer.produce(name, value=f"{name}/{turn}".encode())
        assert producer.flush(20) == 0
        await write_header_key(running.kafka, names[1])
    handled: list[str] = []

    async def handle(batch: Sequence[str]) -> None:
        handled.extend(batch)

    publisher = Publisher(running.kafka, "try")
    broker = KafkaBroker(
        running.kafka, consumer_only=True, allow_auto_create_topics=False, apply_types=False, logger=None
    )
    reading: Subscription[str] = Subscription(
        service="try",
        group=f"try-{uuid4()}",
        read=lambda record: (record.value or b"").decode(),
        handle=handle,
        publisher=publisher,
        topics=names,
    )
    reading.attach(broker)
    await broker.start()
    try:
        async with asyncio.timeout(30):
            while len(handled) < 9:
                await asyncio.sleep(0.05)
            while {topic: behind for topic, (behind, _) in reading.lag().items()} != dict.fromkeys(names, 0):
                await asyncio.sleep(0.05)
    finally:
        await broker.stop()
        await publisher.stop()
    assert sorted(set(handled)) == sorted(f"{name}/{turn}" for name in names for turn in range(3))
    letters = [one for one in read_all(running.kafka, ["try.dead-letters"]) if one.headers["dl_topic"] == names[1]]
    assert [one.headers["dl_offset"] for one in letters] == ["1", "3", "5"]


def test_a_record_larger_than_any_dead_letter_holds_nobody_up(running: Backing, resident: Resident) -> None:
    bomb = json.dumps({"part_id": "x", "text": "a" * 12_000_000}).encode()
    settings = {"compression.type": "gzip", "message.max.bytes": 20_000_000}
    write(running.kafka, "environment", bomb, [TYPE, ("ce_id", b"bomb")], **settings)
    whole_case(running, resident)


async def test_an_outbox_of_nobody_holds_nobody_up(running: Backing, resident: Resident) -> None:
    await make_topics(running.kafka, [Topic("departments.stray.outbox", 1, 1)], 1)
    write(running.kafka, "stray", b"{", [TYPE])
    whole_case(running, resident)


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_a_department_may_compress_as_it_likes(running: Backing, resident: Resident, codec: str) -> None:
    receipt = resident.write(NOISE)
    resident.wait_for(receipt, "assigned")
    part = {"part_id": f"{receipt['inquiry_id']}-p1"}
    write(running.kafka, "environment", json.dumps(part).encode(), [TYPE], **{"compression.type": codec})
    resident.wait_for(receipt, "in-progress")
