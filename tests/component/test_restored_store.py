"""The router's store is restored from a backup while Kafka keeps its data: the core decides missing inputs again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import pytest
from aiokafka import TopicPartition

from services.router.core.handlers import Core
from services.router.core.input_decoder import read_input
from services.router.domain.city_index import CityIndex, city_index
from services.router.domain.decision import Input
from services.router.stores.progress import CoreProgress
from services.router.stores.store import RouterStore
from shared.kafka import topics
from shared.kafka.options import SubscriptionOptions
from shared.kafka.publisher import RawRecord
from shared.kafka.subscription import Subscription
from shared.service.city_feed import CityFeed
from shared.store.mongo import Database, Document
from tests.builders import CITY, accepted, contributed, input_record, received, told
from tests.consumers import Log
from tests.fakes import FakePublisher, FakeRecord, FakeSubscriber, header

BATCH = 4
COLLECTIONS = ("decisions", "parked", "progress", "published")
NUMBERS = [f"20260316-0000000{digit}" for digit in "ABCDEF"]
STEPS = (received("路灯和路面"), accepted("roads"), contributed("lighting", "亮了"), contributed("roads", "补了"))
Backup = Mapping[str, Sequence[Document]]


@dataclass
class InputsLog(Log):
    """One partition with these records and a committed offset."""

    records: list[FakeRecord] = field(default_factory=list)

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[FakeRecord]]:
        [place] = self.places
        found = self.records[self.positions[place] :][:max_records]
        self.positions[place] += len(found)
        return {place: found} if found else {}

    async def commit(self, offsets: Mapping[Any, int]) -> None:
        await super().commit(offsets)
        self.committed_offsets = {one.partition: offset for one, offset in offsets.items()}

    def append(self, given: Input, value: bytes | None = None) -> None:
        row = input_record(given)
        body = row.value if value is None else value
        self.records.append(
            FakeRecord("a", 0, len(self.records), body, row.key, row.timestamp_ms, tuple(row.headers)),
        )
        self.sizes[0] = len(self.records)


class Router:
    """The core on one log; each call of `run` is one process."""

    def __init__(self, database: Database) -> None:
        self.database, self.publisher = database, FakePublisher()
        self.log = InputsLog({0: 0})

    async def run(self, polls: int = 100) -> None:
        """Read as a newly started process until nothing is left, or a number of times."""
        store = RouterStore(self.database)
        await store.prepare()
        feed: CityFeed[CityIndex] = CityFeed(city_index)
        feed.use(CITY)
        core = Core(store, feed)
        options: SubscriptionOptions[Input] = SubscriptionOptions(
            "router",
            "router-core",
            read_input,
            core.decide_inputs,
            self.publisher,
            topics=("a",),
            parking=core,
            published=core.unpark_replayed,
            progress=CoreProgress(self.database, store.decisions),
            most=BATCH,
        )
        one: Subscription[Input] = Subscription(options)
        one.subscriber = FakeSubscriber(self.log)
        self.log.positions = {TopicPartition("a", 0): self.log.committed_offsets.get(0, 0)}
        await one.membership.on_partitions_assigned(self.log.places)
        for _ in range(polls):
            if found := await one._poll(self.log):
                await one.pipeline.consume(found)
                await one.pipeline.drained(10)

    async def dump(self) -> dict[str, list[Document]]:
        return {name: await self.database[name].find().sort("_id").to_list(None) for name in COLLECTIONS}

    async def restore(self, backup: Backup, *names: str) -> None:
        for name in names or COLLECTIONS:
            await self.database[name].drop()
            if backup[name]:
                await self.database[name].insert_many(list(backup[name]))

    def events(self) -> dict[tuple[str, str], set[bytes]]:
        """The published values by inquiry and sequence."""
        found: dict[tuple[str, str], set[bytes]] = {}
        for row in self.publisher.on(topics.EVENTS):
            found.setdefault((str(row[0]), header(row, "ce_sequence")), set()).add(row[1] or b"")
        return found

    @property
    def letters(self) -> list[RawRecord]:
        return self.publisher.on(topics.dead_letters("router"))


@pytest.fixture
def router(database: Database) -> Router:
    """A log with the stories of six inquiries interleaved: 24 inputs in six batches."""
    one = Router(database)
    stories = [told(*STEPS, inquiry_id=number) for number in NUMBERS]
    for given in chain.from_iterable(zip(*(story.inputs for story in stories), strict=True)):
        one.log.append(given._replace(id=f"{given.inquiry_id}/{given.id}"))
    return one


async def ended_as_before(router: Router, before: Backup) -> None:
    """Every decision is restored byte for byte, and no event has two versions."""
    after = await router.dump()
    assert after["decisions"] == before["decisions"]
    assert len(after["decisions"]) == len(NUMBERS) * len(STEPS)
    assert {len(values) for values in router.events().values()} == {1}
    assert router.log.committed_offsets == {0: len(router.log.records)}


@pytest.mark.parametrize("polls", range(6))
async def test_decisions_missing_in_a_backup_are_made_again_byte_for_byte(router: Router, polls: int) -> None:
    await router.run(polls)
    backup = await router.dump()
    await router.run()
    before = await router.dump()
    await router.restore(backup)
    await router.run()
    await ended_as_before(router, before)


@pytest.mark.parametrize("first", [2, 3])
async def test_a_backup_from_the_middle_of_a_batch_loses_no_input(router: Router, first: int) -> None:
    """A batch is stored in any order: this backup has a later input without earlier ones."""
    await router.run(2)
    backup = await router.dump()
    await router.run()
    before = await router.dump()
    batch = [one for one in before["decisions"] if 2 * BATCH <= one["at"]["offset"] < 3 * BATCH]
    some = sorted(batch, key=lambda one: int(one["at"]["offset"]))[first:]
    await router.restore({**backup, "decisions": [*backup["decisions"], *some]})
    await router.run()
    await ended_as_before(router, before)


async def test_a_restore_without_progress_starts_at_the_beginning(router: Router) -> None:
    await router.run(3)
    backup = await router.dump()
    await router.run()
    before = await router.dump()
    await router.restore(backup, "decisions")
    await router.run()
    await ended_as_before(router, before)


async def test_an_empty_store_is_filled_from_the_log(router: Router) -> None:
    await router.run()
    before = await router.dump()
    await router.restore({name: [] for name in COLLECTIONS})
    await router.run()
    await ended_as_before(router, before)


async def test_a_normal_start_reads_nothing_again(router: Router) -> None:
    """The log ends with an invalid record and a repeat, which make no decision."""
    first = told(*STEPS[:1], inquiry_id=NUMBERS[0]).inputs[0]
    given = first._replace(id=f"{first.inquiry_id}/{first.id}")
    router.log.append(given, b"{")
    router.log.append(given)
    await router.run()
    published, commits = list(router.publisher.records), list(router.log.commits)
    assert len(router.letters) == 1
    await router.run()
    assert (router.publisher.records, router.log.commits) == (published, commits)


async def test_an_invalid_record_read_again_writes_another_copy_of_its_dead_letter(router: Router) -> None:
    given = told(*STEPS[:1], inquiry_id=NUMBERS[0]).inputs[0]
    await router.run()
    backup = await router.dump()
    router.log.append(given, b"{")
    await router.run()
    await router.restore(backup)
    await router.run()
    places = [(header(row, "dl_partition"), header(row, "dl_offset")) for row in router.letters]
    assert places == [("0", "24"), ("0", "24")]
    assert len({(row[0], row[1], tuple(row[2])) for row in router.letters}) == 1
