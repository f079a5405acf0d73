"""One suite for the real publisher and for the fake of the tests."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from prometheus_client import REGISTRY

from shared.contracts.envelope import Message, Origin
from shared.kafka.publisher import RECORD_BYTES_MAX, Publisher, RawRecord, TooLarge, placement
from shared.kafka.topic_admin import create_topics
from shared.kafka.topics import Topic
from tests.fakes import FakePublisher, header

PARTITIONS = 3
Read = Callable[[int], Awaitable[list[RawRecord]]]


@dataclass
class Way:
    """A publisher with its own topic, and a function that reads the topic."""

    publisher: Publisher
    topic: str
    read: Read


@pytest.fixture(params=["fake", pytest.param("kafka", marks=pytest.mark.integration)])
async def way(request: pytest.FixtureRequest) -> AsyncIterator[Way]:
    topic = f"try.{uuid4().hex[:12]}"
    if request.param == "fake":
        fake = FakePublisher()

        async def kept(count: int) -> list[RawRecord]:
            return await fake.until(count, topic)

        yield Way(fake, topic, kept)
        return
    kafka = request.getfixturevalue("running").kafka
    await create_topics(kafka, [Topic(topic, PARTITIONS, 1)], 1)
    publisher = Publisher(kafka, "try")
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    consumer.assign([TopicPartition(topic, number) for number in range(PARTITIONS)])

    async def read(count: int) -> list[RawRecord]:
        rows: list[RawRecord] = []
        while len(rows) < count:
            one = await consumer.getone()
            assert one.partition == placement(one.key) % PARTITIONS
            rows.append((one.key, one.value, one.headers))
        return rows

    try:
        yield Way(publisher, topic, read)
    finally:
        await consumer.stop()
        await publisher.stop()


def message(topic: str, key: str, number: int, value: str = '{"words": "路灯 🚦"}') -> Message:
    origin = Origin("chorus/test", key, "2026-03-16T04:00:00.000Z")
    return Message(topic, key, f"id-{number}", "chorus.part.accepted", origin, value.encode(), number)


async def test_messages_keep_their_order_within_a_key(way: Way) -> None:
    batch = [message(way.topic, f"case-{n % 7}", n) for n in range(300)]
    await way.publisher.publish(batch)
    rows = await way.read(300)
    for key in {one.key for one in batch}:
        wanted = [one.id for one in batch if one.key == key]
        assert [header(row, "ce_id") for row in rows if row[0] == key.encode()] == wanted


async def test_a_message_arrives_with_key_value_and_headers(way: Way) -> None:
    await way.publisher.publish([message(way.topic, "case", 1)])
    [(key, value, headers)] = await way.read(1)
    assert (key, value) == (b"case", '{"words": "路灯 🚦"}'.encode())
    assert sorted(headers) == sorted(message(way.topic, "case", 1).record[2])


async def test_raw_records_arrive_unchanged(way: Way) -> None:
    raw: RawRecord = (b"\xff", None, [("x", b"\xfe"), ("y", None), ("x", b"")])
    await way.publisher.publish_raw({way.topic: [raw]})
    [(key, value, headers)] = await way.read(1)
    assert (key, value, [(name, value) for name, value in headers if value is not None]) == (
        b"\xff",
        None,
        [("x", b"\xfe"), ("x", b"")],
    )


async def test_publishing_an_empty_list_does_nothing(way: Way) -> None:
    await way.publisher.publish([])
    await way.publisher.publish_raw({})


async def test_a_too_large_record_is_rejected_and_later_ones_are_published(way: Way) -> None:
    with pytest.raises(TooLarge, match="larger than"):
        await way.publisher.publish([message(way.topic, "case", 1, "x" * (RECORD_BYTES_MAX + 1))])
    await way.publisher.publish([message(way.topic, "case", 2)])
    assert [header(row, "ce_id") for row in await way.read(1)] == ["id-2"]


async def test_a_message_published_again_has_the_same_id(way: Way) -> None:
    for _ in range(2):
        await way.publisher.publish([message(way.topic, "case", 1)])
    assert [header(row, "ce_id") for row in await way.read(2)] == ["id-1", "id-1"]


async def test_many_large_messages_arrive_in_several_batches(way: Way) -> None:
    await way.publisher.publish([message(way.topic, "case", n, "字" * 100_000) for n in range(20)])
    assert [header(row, "ce_id") for row in await way.read(20)] == [f"id-{n}" for n in range(20)]


@pytest.mark.integration
async def test_publishing_works_after_a_rejection_by_the_broker(
    running: object, request: pytest.FixtureRequest
) -> None:
    kafka = request.getfixturevalue("running").kafka
    small, topic = f"small.{uuid4().hex[:12]}", f"try.{uuid4().hex[:12]}"
    await create_topics(kafka, [Topic(small, 1, 1, record_mib=1), Topic(topic, 1, 1)], 1)
    publisher, before = Publisher(kafka, "try"), renewals()
    try:
        for turn in range(1, 3):
            with pytest.raises(KafkaError):
                await publisher.publish([message(small, "case", 1, "x" * 2_000_000)])
            assert publisher.refusal == "MessageSizeTooLargeError"
            assert renewals() == before + turn
            await publisher.publish([message(small, "case", 2), message(topic, "case", 2)])
            assert publisher.refusal is None
    finally:
        await publisher.stop()


def renewals() -> float:
    return REGISTRY.get_sample_value("chorus_producer_renewals_total", {"service": "try"}) or 0.0


async def test_an_unreachable_broker_is_a_retriable_error() -> None:
    fake = FakePublisher()
    fake.away = True
    with pytest.raises(KafkaError):
        await fake.start()
    with pytest.raises(KafkaError):
        await fake.publish([message("a", "case", 1)])
    fake.away = False
    await fake.publish([message("a", "case", 1)])
    assert fake.ids() == ["id-1"]
    real = Publisher("127.0.0.1:1", "try")
    for _ in range(2):
        with pytest.raises(KafkaError):
            await real.start()
    await real.stop()
