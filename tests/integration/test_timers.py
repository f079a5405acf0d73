"""Timers on Kafka and the store: three processes of which one is killed, and what the gate has not read."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from uuid import uuid4

import pytest
from aiokafka import TopicPartition
from confluent_kafka import Consumer, Producer
from confluent_kafka import TopicPartition as Place

from services.router.core.handlers import Core
from services.router.core.input_decoder import read_input
from services.router.domain.city_index import CityIndex, city_index
from services.router.domain.facts import Broken, DueSoon
from services.router.stores.store import RouterStore
from shared.contracts import ids
from shared.kafka import topics
from shared.kafka.connection import Connection
from shared.kafka.records import Record
from shared.kafka.topic_admin import create_topics
from shared.kafka.topic_reader import topic_reader
from shared.kafka.topics import Topic
from shared.kafka.unread_records import unread_topics
from shared.runtime import timestamps
from shared.service.city_feed import CityFeed
from shared.store.mongo import Database, close, connect
from tests.backing import Backing
from tests.builders import assigned, later, received, returned, told
from tests.conftest import REPOSITORY
from tests.integration.timer_city import NEAR
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.integration
ROUNDS = int(os.environ.get("CHORUS_TIMER_ROUNDS", "5"))
CASES = 12
QUIET_S = 3
"""Longer than the lease: what the killed process had claimed is looked at again."""


@pytest.fixture
async def database(running: Backing) -> AsyncIterator[Database]:
    one = connect(running.mongodb, f"test_{uuid4().hex[:16]}")
    yield one
    await one.client.drop_database(one.name)
    await close(one)


@contextmanager
def process(running: Backing, database: Database, step: str = "") -> Iterator[subprocess.Popen[bytes]]:
    """A router's timer loop; it may have killed itself before the end of the block."""
    words = [running.kafka, running.mongodb, database.name, "nobody", *([step] if step else [])]
    command = [sys.executable, "-m", "tests.integration.timer_process", *words]
    one = subprocess.Popen(
        command, cwd=REPOSITORY, env=os.environ | {"PYTHONPATH": str(REPOSITORY)}, stdout=subprocess.PIPE
    )
    try:
        yield one
    finally:
        one.kill()
        one.wait()


async def appended(kafka: str, since: Mapping[TopicPartition, int]) -> list[Record]:
    """The records of the log after these offsets."""
    found: list[Record] = []
    async with topic_reader(Connection.of(kafka)) as reader:
        for place, offsets in (await reader.offset_ranges([topics.INPUTS])).items():
            async for records, _ in reader.records(place, since.get(place, 0), offsets.end):
                found += records
    return found


async def ends_of_the_log(kafka: str) -> dict[TopicPartition, int]:
    async with topic_reader(Connection.of(kafka)) as reader:
        return {place: one.end for place, one in (await reader.offset_ranges([topics.INPUTS])).items()}


@pytest.mark.parametrize("round_", range(ROUNDS))
async def test_of_three_processes_one_is_killed_and_each_reminder_is_recorded_once(
    running: Backing, database: Database, round_: int
) -> None:
    await create_topics(running.kafka, [Topic(topics.INPUTS, 6, 1)], 1)
    store, city = RouterStore(database), CityFeed[CityIndex](city_index)
    await store.prepare()
    city.use(NEAR)
    core = Core(store, city)
    since = await ends_of_the_log(running.kafka)
    step = ("publish", "claim")[round_ % 2]
    with (
        process(running, database, step) as killed,
        process(running, database) as one,
        process(running, database) as two,
    ):
        for started in (killed, one, two):
            await asyncio.to_thread(ready, started)
        now, holders = timestamps.now(), dict[str, str]()
        for at in range(CASES):
            number = ids.new_inquiry_id(now.date())
            moves = [returned("lighting"), assigned("roads")] if at % 2 else []
            holders[number] = "roads" if moves else "lighting"
            steps = [later(one, now) for one in (received("路灯不亮"), *moves)]
            story = told(*steps, city=city.current(), inquiry_id=number)
            await core.decide_inputs([given._replace(id=f"{number}/{given.id}") for given in story.inputs])
        until, taken, copies = time.monotonic() + PATIENCE_S, set[tuple[int, int]](), dict[str, list[Record]]()
        settled: float | None = None
        while settled is None or time.monotonic() < settled + QUIET_S:
            assert time.monotonic() < until, f"{len(copies)} of {2 * CASES} timers rang"
            rows = [row for row in await appended(running.kafka, since) if (row.key or b"").decode() in holders]
            fresh = [row for row in rows if (row.partition, row.offset) not in taken]
            taken |= {(row.partition, row.offset) for row in fresh}
            for row in fresh:
                copies.setdefault(row.header("ce_id") or "", []).append(row)
            await core.decide_inputs([read_input(row) for row in fresh])
            if settled is None and len(copies) == 2 * CASES:
                settled = time.monotonic()
        assert await asyncio.to_thread(killed.wait, PATIENCE_S) == -9
    for rows in copies.values():
        assert len({(row.value, tuple(row.headers)) for row in rows}) == 1
    for number, holder in holders.items():
        found = [fact for one in await store.decisions.of(number) for fact in one.facts]
        told_of = [(type(one), one.department) for one in found if isinstance(one, DueSoon | Broken)]
        assert told_of == [(DueSoon, holder), (Broken, holder)]


def ready(process: subprocess.Popen[bytes]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"


# What the gate has not read


class Outbox:
    """A topic and a group that commits what it has read of it."""

    def __init__(self, kafka: str) -> None:
        self.kafka, self.topic, self.group = kafka, f"try.{uuid4().hex[:12]}", f"try-{uuid4().hex[:12]}"

    def write(self) -> int:
        """Append a record; returns its time."""
        producer, times = Producer({"bootstrap.servers": self.kafka, "acks": "all"}), list[int]()
        producer.produce(self.topic, b"x", partition=0, on_delivery=lambda _, one: times.append(one.timestamp()[1]))
        assert producer.flush(PATIENCE_S) == 0
        return times[0]

    def commit(self, offset: int) -> None:
        consumer = Consumer({"bootstrap.servers": self.kafka, "group.id": self.group})
        consumer.commit(offsets=[Place(self.topic, 0, offset)], asynchronous=False)
        consumer.close()

    async def unread(self, until_ms: int, *more: str) -> set[str]:
        wanted = dict.fromkeys((self.topic, *more), until_ms)
        return await unread_topics(Connection.of(self.kafka), self.group, wanted)


@pytest.fixture
async def outbox(running: Backing) -> Outbox:
    one = Outbox(running.kafka)
    await create_topics(running.kafka, [Topic(one.topic, 1, 1)], 1)
    return one


async def test_a_record_is_unread_until_the_group_commits_it(outbox: Outbox) -> None:
    assert await outbox.unread(0) == set()
    written = outbox.write()
    assert await outbox.unread(written) == {outbox.topic}
    outbox.commit(1)
    assert await outbox.unread(written) == set()


async def test_a_record_that_was_written_later_does_not_count(outbox: Outbox) -> None:
    first = outbox.write()
    await asyncio.sleep(0.05)
    second = outbox.write()
    assert second > first
    outbox.commit(1)
    assert await outbox.unread(first) == set()
    assert await outbox.unread(second) == {outbox.topic}


async def test_an_open_transaction_counts_and_another_topic_does_not(outbox: Outbox, running: Backing) -> None:
    other = Outbox(running.kafka)
    await create_topics(running.kafka, [Topic(other.topic, 1, 1)], 1)
    writer = Producer({"bootstrap.servers": running.kafka, "transactional.id": f"try-{uuid4()}"})
    writer.init_transactions(PATIENCE_S)
    writer.begin_transaction()
    writer.produce(outbox.topic, b"x", partition=0)
    assert writer.flush(PATIENCE_S) == 0
    outbox.commit(0)
    now = int(time.time() * 1000) + 1_000
    assert await outbox.unread(now, other.topic) == {outbox.topic}
    writer.abort_transaction(PATIENCE_S)
    outbox.commit(2)
    assert await outbox.unread(now) == set()


async def test_a_topic_that_does_not_exist_has_no_unread_records(outbox: Outbox) -> None:
    assert await outbox.unread(2**52, "departments.nowhere.outbox") == set()
