"""The core on a real store: each input makes one decision, despite repeats, failures and races."""

import asyncio
from collections.abc import Sequence

import pytest

from services.router.core.handlers import Core
from services.router.desk.case_list import CaseList, read_row
from services.router.domain.city_index import CityIndex, city_index
from services.router.domain.decision import Decision, Input, Place
from services.router.stores.decisions import Decisions
from services.router.stores.store import RouterStore
from shared.kafka import topics
from shared.kafka.failures import DependencyUnavailable
from shared.kafka.publisher import Publishable
from shared.service.city_feed import CityFeed
from shared.store.mongo import Database, StoreUnavailable
from tests.builders import INQUIRY, Story, accepted, contributed, received, record_of, told
from tests.fakes import FakePublisher
from tests.patience import PATIENCE_S

STORY = told(received("路灯和路面"), accepted("roads"), contributed("lighting", "亮了"), contributed("roads", "补了"))
NUMBERS = tuple(f"20260316-0000000{digit}" for digit in "ABCDE")


class Watched(Core):
    """The core with a publisher; fails instead of looping without end."""

    def __init__(self, store: RouterStore, publisher: FakePublisher, city: CityFeed[CityIndex]) -> None:
        super().__init__(store, city)
        self.publisher = publisher

    async def decide_inputs(self, batch: Sequence[Input]) -> list[Publishable]:
        async with asyncio.timeout(PATIENCE_S):
            outputs = await super().decide_inputs(batch)
            await self.publisher.publish(outputs)
            return outputs


@pytest.fixture
async def store(database: Database) -> RouterStore:
    one = RouterStore(database)
    await one.prepare()
    return one


@pytest.fixture
def core(store: RouterStore, publisher: FakePublisher, city: CityFeed[CityIndex]) -> Core:
    return Watched(store, publisher, city)


async def decided(store: RouterStore, inquiry_id: str = INQUIRY) -> list[Decision]:
    return await store.decisions.of(inquiry_id)


def sent(story: Story) -> list[str]:
    return [message.id for message in story.messages]


async def test_a_batch_is_decided_and_its_messages_are_published(
    core: Core, store: RouterStore, publisher: FakePublisher
) -> None:
    await core.decide_inputs(STORY.inputs)
    assert tuple(await decided(store)) == STORY.decisions
    assert sorted(publisher.ids()) == sorted(sent(STORY))
    for topic in (topics.EVENTS, topics.RESIDENTS, topics.inbox("roads")):
        assert publisher.ids(topic) == [one.id for one in STORY.messages if one.topic == topic]


async def test_several_inquiries_are_decided_in_one_batch(core: Core, store: RouterStore) -> None:
    stories = [told(*(received("路灯"), accepted("lighting")), inquiry_id=number) for number in NUMBERS]
    batch: Sequence[Input] = [one for pair in zip(*(story.inputs for story in stories), strict=True) for one in pair]
    batch = [
        Input(**{f: getattr(one, f) for f in Input._fields} | {"id": f"{one.inquiry_id}/{one.id}"}) for one in batch
    ]
    await core.decide_inputs(batch)
    for number in NUMBERS:
        assert [one.n for one in await decided(store, number)] == [1, 2]


async def test_a_repeated_batch_is_not_decided_again_and_publishes_the_same_messages(
    core: Core, store: RouterStore, publisher: FakePublisher
) -> None:
    await core.decide_inputs(STORY.inputs)
    first = list(publisher.records)
    publisher.records.clear()
    await core.decide_inputs(STORY.inputs)
    assert tuple(await decided(store)) == STORY.decisions
    assert publisher.records == first


def moved(story: Story, partition: int, further: int) -> list[Input]:
    """The story's inputs as copies at other offsets."""
    places = [Place(partition, given.at.offset + further) for given in story.inputs]
    return [given._replace(at=at) for given, at in zip(story.inputs, places, strict=True)]


async def test_copies_at_later_offsets_are_neither_decided_nor_published(
    core: Core, store: RouterStore, publisher: FakePublisher, city: CityFeed[CityIndex]
) -> None:
    """In the process that decided them and in any other."""
    await core.decide_inputs(STORY.inputs)
    publisher.records.clear()
    elsewhere = Watched(RouterStore(store.decisions.collection.database), publisher, city)
    for further in range(4, 300, 4):
        await core.decide_inputs(moved(STORY, 0, further))
        await elsewhere.decide_inputs(moved(STORY, 0, further))
    assert publisher.records == []
    assert await decided(store) == list(STORY.decisions)


@pytest.mark.parametrize(("partition", "further"), [(0, 0), (0, -1), (1, 0), (1, 9)])
async def test_the_same_offset_and_copies_in_another_partition_are_published_again(
    core: Core, publisher: FakePublisher, partition: int, further: int
) -> None:
    await core.decide_inputs(STORY.inputs)
    await core.decide_inputs(moved(STORY, partition, further))
    assert sorted(publisher.ids()) == sorted(2 * [one.id for one in STORY.messages])


async def test_a_copy_of_an_input_with_a_reused_id_is_not_published_again(core: Core, publisher: FakePublisher) -> None:
    story = told(received("路灯"), accepted("lighting", id="a"), contributed("lighting", "亮了", id="a"))
    await core.decide_inputs(story.inputs)
    publisher.records.clear()
    await core.decide_inputs(moved(story, 0, 3))
    assert publisher.records == []


async def test_another_process_finds_the_stored_decisions(
    core: Core, store: RouterStore, publisher: FakePublisher, city: CityFeed[CityIndex], database: Database
) -> None:
    await core.decide_inputs(STORY.inputs[:2])
    other = FakePublisher()
    await Watched(RouterStore(database), other, city).decide_inputs(STORY.inputs)
    assert tuple(await decided(store)) == STORY.decisions
    assert sorted(other.ids()) == sorted(sent(STORY))


async def test_losing_the_race_for_a_number_reloads_the_case_and_decides_again(
    core: Core, store: RouterStore, publisher: FakePublisher, city: CityFeed[CityIndex], database: Database
) -> None:
    await core.decide_inputs(STORY.inputs[:1])
    await Watched(RouterStore(database), FakePublisher(), city).decide_inputs(STORY.inputs[1:2])
    publisher.records.clear()
    await core.decide_inputs(STORY.inputs[2:])
    assert tuple(await decided(store)) == STORY.decisions
    assert sorted(publisher.ids()) == sorted(sent(STORY)[len(told_before(2)) :])


def told_before(n: int) -> list[str]:
    return [one.id for decision in STORY.decisions[:n] for one in decision.messages]


async def test_losing_the_race_for_an_input_publishes_the_winners_messages(
    core: Core, store: RouterStore, publisher: FakePublisher, city: CityFeed[CityIndex], database: Database
) -> None:
    await core.decide_inputs(STORY.inputs[:1])
    winner = FakePublisher()
    await Watched(RouterStore(database), winner, city).decide_inputs(STORY.inputs[1:2])
    publisher.records.clear()
    await core.decide_inputs(STORY.inputs[1:2])
    assert publisher.records == winner.records
    assert [one.n for one in await decided(store)] == [1, 2]


class UnsureDecisions(Decisions):
    """A decisions collection whose first insert is done wholly or partly, then fails unconfirmed."""

    def __init__(self, database: Database, done: int) -> None:
        super().__init__(database)
        self.done: int | None = done

    async def insert(self, decided: Sequence[tuple[object, Decision]]) -> set[str]:
        if self.done is not None:
            done, self.done = self.done, None
            await self.collection.insert_many([one.document() for _, one in decided[:done]])
            raise StoreUnavailable("no word from the store")
        return await super().insert(decided)  # type: ignore[arg-type]


class Unsure(RouterStore):
    """A store with UnsureDecisions."""

    def __init__(self, database: Database, done: int) -> None:
        super().__init__(database)
        self.decisions = UnsureDecisions(database, done)


@pytest.mark.parametrize("done", [1, 2])
async def test_repeating_an_unconfirmed_insert_makes_one_decision(
    database: Database, publisher: FakePublisher, city: CityFeed[CityIndex], done: int
) -> None:
    store = Unsure(database, done)
    core = Watched(store, publisher, city)
    stories = [told(received("路灯"), inquiry_id=number) for number in NUMBERS[:2]]
    batch = [one for story in stories for one in story.inputs]
    with pytest.raises(StoreUnavailable):
        await core.decide_inputs(batch)
    assert publisher.records == []
    await core.decide_inputs(batch)
    for story, number in zip(stories, NUMBERS, strict=False):
        assert tuple(await decided(store, number)) == story.decisions
    assert sorted(publisher.ids(topics.EVENTS)) == sorted(
        one.id for story in stories for one in story.messages if one.topic == topics.EVENTS
    )


async def test_unpublished_messages_are_published_when_the_batch_is_repeated(
    core: Core, store: RouterStore, publisher: FakePublisher
) -> None:
    publisher.away = True
    with pytest.raises(Exception, match="away"):
        await core.decide_inputs(STORY.inputs)
    publisher.away = False
    await core.decide_inputs(STORY.inputs)
    assert tuple(await decided(store)) == STORY.decisions
    assert sorted(publisher.ids()) == sorted(sent(STORY))


async def test_inputs_are_not_decided_without_a_city(store: RouterStore, publisher: FakePublisher) -> None:
    with pytest.raises(DependencyUnavailable):
        await Watched(store, publisher, CityFeed(city_index)).decide_inputs(STORY.inputs)
    assert (await decided(store), publisher.records) == ([], [])


async def test_a_reused_id_with_other_bytes_is_refused_across_processes(
    core: Core, store: RouterStore, publisher: FakePublisher, city: CityFeed[CityIndex], database: Database
) -> None:
    story = told(received("路灯"), accepted("lighting", id="a"), contributed("lighting", "亮了", id="a"))
    await core.decide_inputs(story.inputs[:2])
    await Watched(RouterStore(database), publisher, city).decide_inputs(story.inputs[2:] * 2)
    decisions = await decided(store)
    assert tuple(decisions) == story.decisions
    assert decisions[-1].refusal is not None


async def test_the_cache_evicts_the_oldest_cases_and_reloads_them(
    core: Core, store: RouterStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.router.stores.decisions.CASES_KEPT", 1)
    await core.decide_inputs(STORY.inputs[:2])
    await core.decide_inputs(told(received("水管"), inquiry_id=NUMBERS[0]).inputs)
    await core.decide_inputs(STORY.inputs[2:])
    assert tuple(await decided(store)) == STORY.decisions


# ── the view ─────────────────────────────────────────────────────────────────


async def test_the_view_shows_the_newest_event_in_any_order_of_arrival(store: RouterStore) -> None:
    rows = [read_row(record_of(one)) for one in STORY.messages if one.topic == topics.EVENTS]
    view = CaseList(store)
    await view.follow(rows)
    [shown] = await store.cases.page({}, 10)
    assert (shown["_id"], shown["state"], shown["sequence"]) == (INQUIRY, "answered", len(rows))
    assert (shown["departments"], shown["channel"]) == (["lighting", "roads"], "web")
    await view.follow(rows[:2])
    await view.follow(rows)
    assert await store.cases.page({}, 10) == [shown]


async def test_the_view_keeps_fields_of_earlier_events_across_batches(store: RouterStore) -> None:
    rows = [read_row(record_of(one)) for one in STORY.messages if one.topic == topics.EVENTS]
    view = CaseList(store)
    for row in rows:
        await view.follow([row])
    [shown] = await store.cases.page({"state": "answered"}, 10)
    assert (shown["channel"], shown["received_at"]) == ("web", "2026-03-16T04:00:00.000Z")
