"""Transactions of clients on Kafka: aborted records are not read, an open transaction delays only its partition."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest
from aiokafka import TopicPartition
from confluent_kafka import Consumer, Producer
from confluent_kafka import TopicPartition as Place
from faststream.kafka import KafkaBroker

from deploy.cli.department.topic_client import DepartmentTopics
from shared.kafka import open_transactions, topics
from shared.kafka.connection import Connection
from shared.kafka.options import SubscriptionOptions
from shared.kafka.publisher import Publisher
from shared.kafka.subscription import Subscription
from shared.kafka.topic_admin import create_topics
from shared.kafka.topic_reader import OffsetRange, topic_reader, wait_until_committed
from shared.kafka.topics import Topic, department_topics
from tests.backing import Backing
from tests.conftest import RunningStack
from tests.integration.outside import Resident, departments_write, read_all
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.integration
NOISE = {"subject": "工地夜间施工噪音扰民", "body": "工地每天夜间施工，噪音很大。", "language": "zh"}
LAG = 'chorus_consumer_lag_messages{service="router",topic="departments.*.outbox"}'
HELD = 'chorus_held_back_messages{service="router",topic="departments.*.outbox"}'


class Writer:
    """A producer with transactions."""

    def __init__(self, kafka: str) -> None:
        self.producer = Producer({"bootstrap.servers": kafka, "transactional.id": f"try-{uuid4()}"})
        self.producer.init_transactions(PATIENCE_S)

    def begin(self, topic: str, *values: str, partition: int = 0, headers: Any = None) -> None:
        """Write in a transaction and leave it open."""
        self.producer.begin_transaction()
        for value in values:
            self.producer.produce(topic, value.encode(), partition=partition, headers=headers)
        assert self.producer.flush(PATIENCE_S) == 0

    def commit(self) -> None:
        self.producer.commit_transaction(PATIENCE_S)

    def abort(self) -> None:
        self.producer.abort_transaction(PATIENCE_S)


def plain(kafka: str, topic: str, value: str, partition: int = 0) -> None:
    producer = Producer({"bootstrap.servers": kafka, "acks": "all"})
    producer.produce(topic, value.encode(), partition=partition)
    assert producer.flush(PATIENCE_S) == 0


def committed(kafka: str, group: str, topic: str, partitions: int) -> list[int]:
    """The committed offsets of a group, as any other tool sees them."""
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": group})
    try:
        return [
            one.offset for one in consumer.committed([Place(topic, n) for n in range(partitions)], timeout=PATIENCE_S)
        ]
    finally:
        consumer.close()


async def until(look: Callable[[], bool], complaint: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not look():
        assert time.monotonic() < end, complaint()
        await asyncio.sleep(0.05)


@asynccontextmanager
async def reading(
    kafka: str, topic: str, partitions: int, group: str | None
) -> AsyncIterator[tuple[Subscription[str], list[str]]]:
    """A subscription as in every service, and the items that it has handled."""
    handled: list[str] = []

    async def handle(batch: Sequence[str]) -> None:
        handled.extend(batch)

    publisher = Publisher(kafka, "try")
    broker = KafkaBroker(kafka, consumer_only=True, allow_auto_create_topics=False, apply_types=False, logger=None)
    options: SubscriptionOptions[str] = SubscriptionOptions(
        "try", group, lambda record: (record.value or b"").decode(), handle, publisher, topics=(topic,)
    )
    subscription: Subscription[str] = Subscription(options)
    subscription.attach(broker)
    await broker.start()
    try:
        yield subscription, handled
    finally:
        await subscription.pipeline.stop()
        await broker.stop()
        await publisher.stop()


async def a_topic(kafka: str, partitions: int = 1) -> str:
    topic = f"try.{uuid4().hex[:12]}"
    await create_topics(kafka, [Topic(topic, partitions, 1)], 1)
    return topic


@pytest.mark.parametrize("group", ["a group", None])
async def test_aborted_records_are_not_handled_and_markers_are_no_lag(running: Backing, group: str | None) -> None:
    topic, writer = await a_topic(running.kafka), Writer(running.kafka)
    group = group and f"try-{uuid4()}"
    writer.begin(topic, "aborted 1", "aborted 2")
    writer.abort()
    writer.begin(topic, "committed 1", "committed 2", "committed 3")
    writer.commit()
    async with reading(running.kafka, topic, 1, group) as (subscription, handled):
        health = subscription.health
        await until(lambda: len(handled) == 3, lambda: handled)
        await until(lambda: health.lag() == {topic: (0, 0.0)}, health.lag)
        assert not await health.behind()
        if group:
            # Two aborted, their marker, three committed, their marker.
            await until(lambda: committed(running.kafka, group, topic, 1) == [7], lambda: "the marker is not committed")
        writer.begin(topic, "aborted 3")
        writer.abort()
        consumer: Any = subscription.consumer()
        await until(lambda: bool(consumer.highwater(TopicPartition(topic, 0)) == 9), lambda: "not fetched")
        await until(lambda: health.lag() == {topic: (0, 0.0)}, health.lag)
        if group:
            await until(lambda: committed(running.kafka, group, topic, 1) == [9], lambda: "the marker is not committed")
            assert await wait_until_committed(Connection(running.kafka), group, [topic], 0) == {}
        assert handled == ["committed 1", "committed 2", "committed 3"]


async def test_a_marker_written_during_a_restart_is_no_lag(running: Backing) -> None:
    topic, group, writer = await a_topic(running.kafka), f"try-{uuid4()}", Writer(running.kafka)
    plain(running.kafka, topic, "first")
    async with reading(running.kafka, topic, 1, group) as (_, handled):
        await until(lambda: committed(running.kafka, group, topic, 1) == [1], lambda: handled)
    writer.begin(topic, "aborted")
    writer.abort()
    async with reading(running.kafka, topic, 1, group) as (subscription, handled):
        await until(lambda: committed(running.kafka, group, topic, 1) == [3], lambda: "the marker is not committed")
        assert (handled, subscription.health.lag()) == ([], {topic: (0, 0.0)})


async def test_an_open_transaction_delays_only_its_partition_and_is_reported(
    running: Backing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_transactions, "WARN_AFTER", open_transactions.WARN_AFTER * 0)
    topic, group, writer = await a_topic(running.kafka, 2), f"try-{uuid4()}", Writer(running.kafka)
    plain(running.kafka, topic, "before")
    writer.begin(topic, "open 1", "open 2")
    plain(running.kafka, topic, "behind")
    plain(running.kafka, topic, "beside", partition=1)
    async with reading(running.kafka, topic, 2, group) as (subscription, handled):
        health = subscription.health
        await until(lambda: sorted(handled) == ["before", "beside"], lambda: handled)
        await until(lambda: health.held_back() == {topic: 3}, health.held_back)
        await asyncio.sleep(1)
        assert (sorted(handled), health.lag(), health.held_back()) == (
            ["before", "beside"],
            {topic: (0, 0.0)},
            {topic: 3},
        )
        [remark] = health.open_transactions.warnings()
        assert remark.startswith(f"an open transaction on {topic}-0 holds back 3 records since 20")
        assert committed(running.kafka, group, topic, 2) == [1, 1]
        assert await wait_until_committed(Connection(running.kafka), group, [topic], 0) == {}
        writer.commit()
        await until(lambda: handled[2:] == ["open 1", "open 2", "behind"], lambda: handled)
        await until(lambda: (health.lag(), health.held_back()) == ({topic: (0, 0.0)}, {}), health.lag)
        await until(lambda: committed(running.kafka, group, topic, 2) == [5, 1], lambda: "the marker is not committed")


async def test_a_topic_reader_returns_committed_records_and_reaches_the_end(running: Backing) -> None:
    topic, writer = await a_topic(running.kafka), Writer(running.kafka)
    place = TopicPartition(topic, 0)
    writer.begin(topic, "aborted")
    writer.abort()
    plain(running.kafka, topic, "plain")
    writer.begin(topic, "committed")
    writer.commit()
    async with topic_reader(Connection(running.kafka)) as look:
        assert await look.offset_ranges([topic]) == {place: OffsetRange(0, 5)}
        seen = [(one.offset, one.value) async for some, _ in look.records(place, 0, 5) for one in some]
        assert seen == [(2, b"plain"), (3, b"committed")]
        found = [await look.record(place, offset) for offset in range(5)]
        assert [one.value if one else None for one in found] == [None, None, b"plain", b"committed", None]
        writer.begin(topic, "open")
        assert await look.offset_ranges([topic]) == {place: OffsetRange(0, 5)}
        assert await look.record(place, 5) is None
        writer.abort()


async def test_the_department_client_reaches_the_end_of_an_inbox_that_ends_with_a_marker(running: Backing) -> None:
    code = f"try-{uuid4().hex[:8]}"
    await create_topics(running.kafka, department_topics([code], 1), 1)
    inbox, writer = topics.inbox(code), Writer(running.kafka)
    writer.begin(inbox, '{"n": 1}')
    writer.commit()
    writer.begin(inbox, '{"n": 2}')
    writer.abort()
    found = await asyncio.to_thread(DepartmentTopics(Connection(running.kafka), code).so_far)
    assert [one.data for one in found] == [{"n": 1}]


def test_an_aborted_record_of_a_department_has_no_effect_and_an_open_transaction_is_reported(
    running: Backing, stack: RunningStack
) -> None:
    about = json.loads((stack.data / "stack.json").read_text())
    router, resident = about["urls"]["router"], Resident(about["urls"]["intake"])
    receipt = resident.write(NOISE)
    resident.wait_for(receipt, "assigned")
    part = json.dumps({"part_id": f"{receipt['inquiry_id']}-p1"})
    writer, outbox = Writer(running.kafka), topics.outbox("environment")
    headers = [("ce_type", b"chorus.part.accepted"), ("ce_id", uuid4().hex.encode())]
    writer.begin(outbox, part, headers=headers)
    wait_for_metric(router, HELD, 1.0)
    sentence = wait(lambda: [one for one in ready(router)[1] if "open transaction" in one])
    assert sentence[0].startswith(f"an open transaction on {outbox}-0 holds back 1 record since ")
    assert ready(router)[0] is True
    # The other department continues.
    other = {"part_id": f"{receipt['inquiry_id']}-p2", "text": "已处理。"}
    departments_write(running.kafka, "urban-management", "part.contributed", other)
    resident.wait_for(receipt, "in-progress")
    writer.abort()
    wait_for_metric(router, HELD, 0.0)
    wait_for_metric(router, LAG, 0.0)
    states = {one["code"]: one["state"] for one in resident.look(receipt)["departments"]}
    assert states == {"environment": "offered", "urban-management": "contributed"}
    writer.begin(outbox, part, headers=headers)
    writer.commit()
    wait(lambda: resident.look(receipt)["departments"][0]["state"] == "accepted")
    events = [one for one in read_all(running.kafka, [topics.EVENTS]) if one.key == receipt["inquiry_id"]]
    assert [one.headers["ce_type"] for one in events].count("chorus.part.accepted") == 2  # a contribution implies one
    wait_for_metric(router, LAG, 0.0)


def ready(router: str) -> tuple[bool, list[str]]:
    told = httpx.get(f"{router}/readyz", timeout=PATIENCE_S).json()
    return told["ready"], told["reasons"]


def wait_for_metric(router: str, metric: str, value: float) -> None:
    """Wait until the metric has this value."""

    def told() -> bool:
        lines = httpx.get(f"{router}/metrics", timeout=PATIENCE_S).text.splitlines()
        return [float(line.split()[-1]) for line in lines if line.startswith(metric)] == [value]

    wait(told)


def wait(look: Callable[[], Any]) -> Any:
    end = time.monotonic() + PATIENCE_S
    while not (found := look()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.2)
    return found
