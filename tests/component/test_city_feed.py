"""A service reads the whole city before its first record, and hands each revision on until that succeeds."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from shared.city import City
from shared.kafka import topics
from shared.kafka.connection import Connection
from shared.kafka.records import Record
from shared.kafka.topic_reader import OffsetRange
from shared.runtime.settings import Settings
from shared.service import city_feed
from shared.service.city_feed import CityFeed
from shared.service.service import Service
from shared.store.mongo import StoreUnavailable, close
from tests.backing import Backing
from tests.builders import a_city, a_record

CITY = TopicPartition(topics.CITY, 0)


def revision(number: int) -> City:
    return a_city().model_copy(update={"revision": number})


class Topic:
    """`city.directory` with these revisions, which the reader gets one by one."""

    def __init__(self, *revisions: int, exists: bool = True) -> None:
        self.values = [revision(one).model_dump_json().encode() for one in revisions]
        self.exists = exists

    async def offset_ranges(self, names: Collection[str]) -> dict[TopicPartition, OffsetRange]:
        assert list(names) == [topics.CITY]
        return {CITY: OffsetRange(0, len(self.values))} if self.exists else {}

    async def records(self, partition: TopicPartition, start: int, end: int) -> AsyncIterator[tuple[list[Record], int]]:
        for at in range(start, end):
            yield [a_record(self.values[at], topic=partition.topic, offset=at)], at + 1


def given(monkeypatch: pytest.MonkeyPatch, topic: Topic) -> None:
    @asynccontextmanager
    async def reader(kafka: Connection) -> AsyncIterator[Topic]:
        yield topic

    monkeypatch.setattr(city_feed, "topic_reader", reader)


@pytest.mark.parametrize(
    ("topic", "newest"), [(Topic(1, 2, 3), 3), (Topic(3, 2), 3), (Topic(), None), (Topic(exists=False), None)]
)
async def test_the_whole_topic_is_read(monkeypatch: pytest.MonkeyPatch, topic: Topic, newest: int | None) -> None:
    given(monkeypatch, topic)
    feed = CityFeed(lambda city: city)
    await feed.load(Connection.of(Settings()))
    assert (feed.city.revision if feed.city else None) == newest


async def test_no_topic_is_read_before_the_city(monkeypatch: pytest.MonkeyPatch, running: Backing) -> None:
    given(monkeypatch, Topic(1, 2))
    service = Service("scorer", Settings(mongodb=running.mongodb, kafka="127.0.0.1:1"))
    feed = CityFeed(lambda city: city)
    service.follows_city(feed)
    seen: list[int | None] = []

    async def start() -> None:
        seen.append(feed.city.revision if feed.city else None)
        raise KafkaError("stop here")

    monkeypatch.setattr(service.broker, "start", start)
    with pytest.raises(KafkaError, match="stop here"):
        await service._start_reading()
    assert seen == [2]
    await close(service.database)


async def test_a_revision_that_could_not_be_handed_on_is_handed_on_again() -> None:
    feed = CityFeed(lambda city: city)
    handed: list[int] = []

    async def save(city: City) -> None:
        handed.append(city.revision)
        if len(handed) == 1:
            raise StoreUnavailable("the store is away")

    feed.on_change = save
    with pytest.raises(StoreUnavailable):
        await feed.follow([revision(7)])
    for _ in range(2):
        await feed.follow([revision(7), revision(6)])
    assert handed == [7, 7]
