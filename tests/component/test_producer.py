"""The publisher with a fake producer: its settings, partitioning, and confirmations."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError, TopicAuthorizationFailedError

from shared.contracts.envelope import Message, Origin
from shared.kafka import publisher as publishing
from shared.kafka.publisher import (
    BATCH_BYTES,
    RECORD_BYTES_MAX,
    VALUE_BYTES_MAX,
    Publisher,
    RawRecord,
    TooLarge,
    placement,
)
from tests.patience import PATIENCE_S

PARTITIONS = 6


class Batch:
    """Has room for two records."""

    def __init__(self) -> None:
        self.values: list[bytes | None] = []

    def append(self, *, key: bytes | None, value: bytes | None, timestamp: int | None, headers: Any) -> object | None:
        if len(self.values) == 2:
            return None
        self.values.append(value)
        return object()


class Producer:
    """Records what is sent, by partition; the test confirms with `answer`."""

    def __init__(self, **settings: Any) -> None:
        self.settings = settings
        self.sent: dict[int, list[bytes | None]] = {}
        self.confirmations: list[asyncio.Future[object]] = []
        self.confirms, self.stopped = True, False
        self.client = SimpleNamespace(cluster=SimpleNamespace(partitions_for_topic=lambda topic: range(PARTITIONS)))

    async def start(self) -> None: ...

    async def stop(self) -> None:
        self.stopped = True

    async def partitions_for(self, topic: str) -> range:
        return range(PARTITIONS)

    def create_batch(self) -> Batch:
        return Batch()

    async def send_batch(self, batch: Batch, topic: str, *, partition: int) -> "asyncio.Future[object]":
        self.sent.setdefault(partition, []).extend(batch.values)
        confirmation: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self.confirmations.append(confirmation)
        if self.confirms:
            confirmation.set_result(object())
        return confirmation


@pytest.fixture
def producers(monkeypatch: pytest.MonkeyPatch) -> list[Producer]:
    """Every producer that a publisher has created."""
    made: list[Producer] = []

    def make(**settings: Any) -> Producer:
        made.append(Producer(**settings))
        return made[-1]

    monkeypatch.setattr(publishing, "AIOKafkaProducer", make)
    monkeypatch.setattr(publishing, "LOOK_EVERY_S", 0.01)
    return made


def rows(*values: bytes, key: bytes = b"case") -> list[RawRecord]:
    return [(key, value, ()) for value in values]


async def under_way(publisher: Publisher, producers: list[Producer], *values: bytes) -> "asyncio.Task[None]":
    """A publish call that waits for its confirmation."""
    await publisher.start()
    producers[-1].confirms = False
    before = len(producers[-1].confirmations)
    going = asyncio.create_task(publisher.publish_raw({"a": rows(*values)}))
    async with asyncio.timeout(PATIENCE_S):
        while len(producers[-1].confirmations) == before:
            await asyncio.sleep(0)
    return going


@pytest.mark.parametrize(
    ("key", "murmur2"),
    [
        (b"21", -973_932_308),
        (b"foobar", -790_332_482),
        (b"a-little-bit-long-string", -985_981_536),
        (b"a-little-bit-longer-string", -1_486_304_829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
        (b"abc", 479_470_107),
    ],
)
def test_keys_are_partitioned_like_in_java_clients(key: bytes, murmur2: int) -> None:
    """The hashes come from Apache Kafka's UtilsTest."""
    assert placement(key) == murmur2 & 0x7FFFFFFF


async def test_the_producer_is_idempotent_with_acks_all(producers: list[Producer]) -> None:
    await Publisher("nowhere:0", "try").start()
    settings = producers[0].settings
    assert (settings["acks"], settings["enable_idempotence"]) == ("all", True)
    assert (settings["max_request_size"], settings["max_batch_size"]) == (RECORD_BYTES_MAX, BATCH_BYTES)


async def test_records_of_a_key_go_to_one_partition_in_order_over_several_batches(
    producers: list[Producer],
) -> None:
    await Publisher("nowhere:0", "try").publish_raw({"a": rows(b"1", b"2", b"3", b"4", b"5")})
    assert producers[0].sent == {placement(b"case") % PARTITIONS: [b"1", b"2", b"3", b"4", b"5"]}


async def test_publish_returns_when_every_batch_is_confirmed(producers: list[Producer]) -> None:
    publisher = Publisher("nowhere:0", "try")
    going = await under_way(publisher, producers, b"1", b"2", b"3")
    first, second = producers[0].confirmations
    first.set_result(object())
    await asyncio.sleep(0.05)
    assert not going.done()
    second.set_result(object())
    await going


async def test_a_rejected_batch_fails_the_publish_and_the_producer_is_recreated(
    producers: list[Producer],
) -> None:
    """After a rejection, an idempotent producer fails every later write to the partition."""
    publisher = Publisher("nowhere:0", "try")
    going = await under_way(publisher, producers, b"1", b"2", b"3")
    first, second = producers[0].confirmations
    first.set_result(object())
    second.set_exception(TopicAuthorizationFailedError())
    with pytest.raises(TopicAuthorizationFailedError):
        await going
    assert (publisher.refusal, producers[0].stopped) == ("TopicAuthorizationFailedError", True)
    await publisher.publish_raw({"a": rows(b"4")})
    assert len(producers) == 2
    assert publisher.refusal is None


async def test_pending_publishes_of_a_replaced_producer_fail_as_retriable(producers: list[Producer]) -> None:
    publisher = Publisher("nowhere:0", "try")
    going = await under_way(publisher, producers, b"1")
    await publisher.stop()
    with pytest.raises(KafkaConnectionError):
        await asyncio.wait_for(going, 5)


async def test_the_age_of_the_oldest_unconfirmed_message_is_reported(producers: list[Producer]) -> None:
    publisher = Publisher("nowhere:0", "try")
    assert publisher.unconfirmed_s() < 0.01
    first = await under_way(publisher, producers, b"1")
    await asyncio.sleep(0.1)
    second = await under_way(publisher, producers, b"2")
    assert publisher.unconfirmed_s() >= 0.1
    for confirmation in producers[0].confirmations:
        confirmation.set_result(object())
    await asyncio.gather(first, second)
    assert publisher.unconfirmed_s() < 0.01


@pytest.mark.parametrize("beside", [0, 1])
async def test_a_raw_record_too_large_for_any_topic_is_rejected_before_sending(
    producers: list[Producer], beside: int
) -> None:
    publisher = Publisher("nowhere:0", "try")
    with pytest.raises(TooLarge, match=f"{RECORD_BYTES_MAX + 1} bytes for 'a'"):
        await publisher.publish_raw({"a": [*rows(b"1") * beside, (None, bytes(RECORD_BYTES_MAX + 1), ())]})
    assert not producers
    await publisher.publish_raw({"a": [(None, bytes(RECORD_BYTES_MAX), ())]})


async def test_a_message_too_large_for_any_topic_is_rejected_before_sending(
    producers: list[Producer],
) -> None:
    origin = Origin("chorus/test", "case", "2026-03-16T04:00:00.000Z")
    large = Message("a", "case", "id-1", "chorus.part.accepted", origin, bytes(VALUE_BYTES_MAX + 1), 1)
    with pytest.raises(TooLarge, match=f"{VALUE_BYTES_MAX + 1} bytes for 'a'"):
        await Publisher("nowhere:0", "try").publish([large])
    assert not producers
