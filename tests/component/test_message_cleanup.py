"""Stored messages are dropped from decisions a day after their input was committed, never earlier."""

from datetime import datetime, timedelta

import pytest

from services.router.core import message_cleanup
from services.router.core.handlers import Core
from services.router.core.message_cleanup import MessageCleanup
from services.router.domain.city_index import CityIndex, city_index
from services.router.domain.decision import Input, Place
from services.router.stores.parked_inputs import Parked
from services.router.stores.progress import CoreProgress
from services.router.stores.store import RouterStore
from shared.contracts.envelope import Message
from shared.kafka import topics
from shared.service.city_feed import CityFeed
from shared.store.mongo import Database, StoreUnavailable
from tests.builders import CITY, INQUIRY, MONDAY_NOON, accepted, contributed, input_record, received, told

DAY = timedelta(hours=24)
SECOND = timedelta(seconds=1)
INPUTS = told(
    received("路灯和路面"), accepted("roads"), contributed("lighting", "亮了"), contributed("roads", "补了")
).inputs
OTHER = told(received("路灯"), inquiry_id="20260316-0000000A").inputs[0]._replace(id="other", at=Place(1, 9))


class Clock:
    """A clock set by the test."""

    def __init__(self) -> None:
        self.now = MONDAY_NOON

    def __call__(self) -> datetime:
        return self.now


class Router:
    """The core, progress and cleanup of one process."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.store = RouterStore(database)
        self.progress = CoreProgress(database, self.store.decisions, clock)
        self.cleanup = MessageCleanup(self.progress, self.store, DAY, clock)
        city: CityFeed[CityIndex] = CityFeed(city_index)
        city.use(CITY)
        self.core = Core(self.store, city)
        self.database = database

    async def decide(self, *inputs: Input) -> list[Message]:
        outputs = await self.core.decide_inputs(inputs)
        return [one for one in outputs if isinstance(one, Message)]

    async def with_messages(self) -> list[int]:
        """The offsets of inputs whose decisions still have their messages."""
        found = await self.database["decisions"].find({"messages": {"$exists": True}}).to_list(None)
        return sorted(one["at"]["offset"] for one in found)

    async def lists(self) -> list[list[str]]:
        """The recorded lists of decisions to clean up, oldest first."""
        found = await self.database["published"].find().sort("at").to_list(None)
        return [sorted(one["decisions"]) for one in found]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def router(database: Database, clock: Clock) -> Router:
    one = Router(database, clock)
    await one.store.prepare()
    await one.progress.prepare()
    return one


def ids(*numbers: int) -> list[str]:
    return [f"{INQUIRY}/{n}" for n in numbers]


async def test_messages_are_dropped_a_day_after_their_input_was_committed(router: Router, clock: Clock) -> None:
    await router.decide(*INPUTS)
    await router.progress.note({0: 2})
    clock.now += DAY - SECOND
    await router.progress.note({0: 4})
    assert await router.cleanup.round() is False
    assert await router.with_messages() == [0, 1, 2, 3]
    clock.now += SECOND
    await router.cleanup.round()
    assert await router.with_messages() == [2, 3]
    clock.now += DAY - SECOND
    await router.cleanup.round()
    assert (await router.with_messages(), await router.lists()) == ([], [])


async def test_messages_of_uncommitted_inputs_are_kept(router: Router, clock: Clock) -> None:
    await router.decide(*INPUTS)
    await router.progress.note({0: 2})
    for _ in range(3):
        clock.now += DAY
        await router.cleanup.round()
    assert await router.with_messages() == [2, 3]


async def test_cleanup_drops_messages_and_picture_and_keeps_facts_and_texts(router: Router, clock: Clock) -> None:
    await router.decide(*INPUTS)
    before = await router.database["decisions"].find().sort("n").to_list(None)
    await router.progress.note({0: 4})
    clock.now += DAY
    await router.cleanup.round()
    after = await router.database["decisions"].find().sort("n").to_list(None)
    gone = ("messages", "picture")
    assert any("picture" in one for one in before)
    assert after == [{name: value for name, value in one.items() if name not in gone} for one in before]


async def test_an_input_read_again_after_cleanup_publishes_only_its_events(
    router: Router, clock: Clock, database: Database
) -> None:
    said = await router.decide(*INPUTS)
    await router.progress.note({0: 4})
    clock.now += DAY
    await router.cleanup.round()
    again = await Router(database, clock).decide(*INPUTS)
    assert again == [one for one in said if one.topic == topics.EVENTS]
    assert len(again) < len(said)
    assert [one.n for one in await router.store.decisions.of(INQUIRY)] == [1, 2, 3, 4]


async def test_partitions_are_cleaned_up_independently(router: Router, clock: Clock) -> None:
    await router.decide(*INPUTS, OTHER)
    await router.progress.note({0: 4})
    clock.now += DAY
    await router.cleanup.round()
    assert await router.with_messages() == [9]
    await router.progress.note({0: 4, 1: 10})
    clock.now += DAY
    await router.cleanup.round()
    assert await router.with_messages() == []


# ── what is noted, and when ──────────────────────────────────────────────────


async def test_each_decision_is_recorded_once(router: Router) -> None:
    await router.decide(*INPUTS)
    await router.progress.note({0: 2})
    await router.progress.note({0: 2})
    await router.progress.note({0: 4})
    await router.progress.note({0: 5})
    assert await router.lists() == [ids(1, 2), ids(3, 4)]


async def test_a_failed_recording_is_repeated_completely(router: Router, monkeypatch: pytest.MonkeyPatch) -> None:
    await router.decide(*INPUTS)

    async def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("the store is away")

    with monkeypatch.context() as during:
        during.setattr(router.progress, "collection", type("Away", (), {"bulk_write": away})())
        with pytest.raises(StoreUnavailable):
            await router.progress.note({0: 4})
    await router.progress.note({0: 4})
    assert {id_ for one in await router.lists() for id_ in one} == set(ids(1, 2, 3, 4))
    assert await router.progress.next_offsets([0]) == {0: 4}


async def test_decisions_of_a_killed_process_are_recorded_when_read_again(
    router: Router, clock: Clock, database: Database
) -> None:
    await router.decide(*INPUTS)
    second = Router(database, clock)
    await second.decide(*INPUTS)
    await second.progress.note({0: 4})
    clock.now += DAY
    await second.cleanup.round()
    assert await router.with_messages() == []


async def test_records_of_lost_partitions_are_discarded(router: Router) -> None:
    await router.decide(*INPUTS, OTHER)
    await router.progress.next_offsets([1])
    await router.progress.note({0: 4, 1: 10})
    assert await router.lists() == [["20260316-0000000A/1"]]


# ── restarts, two routers, bounded work ──────────────────────────────────────


async def test_a_new_process_continues_with_recorded_lists(router: Router, clock: Clock, database: Database) -> None:
    await router.decide(*INPUTS)
    await router.progress.note({0: 3})
    clock.now += DAY
    await Router(database, clock).cleanup.round()
    assert await router.with_messages() == [3]


async def test_a_round_is_limited_and_reports_whether_more_is_left(
    router: Router, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_cleanup, "BATCHES", 2)
    await router.decide(*INPUTS)
    for offset in range(1, 4):
        await router.progress.note({0: offset})
        clock.now += SECOND
    clock.now += DAY
    assert await router.cleanup.round() is True
    assert len(await router.lists()) == 1
    assert await router.cleanup.round() is False
    assert (await router.with_messages(), await router.lists()) == ([3], [])


async def test_two_routers_can_clean_up_the_same_batch(
    router: Router, clock: Clock, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await router.decide(*INPUTS)
    await router.progress.note({0: 4})
    clock.now += DAY
    second = Router(database, clock)
    taken = await second.progress.published_until(clock.now - DAY, 10)
    await router.cleanup.round()

    async def the_same(*_: object) -> object:
        return taken

    monkeypatch.setattr(CoreProgress, "published_until", the_same)
    await second.cleanup.round()
    assert (await router.with_messages(), await router.lists()) == ([], [])


# ── parked inputs ────────────────────────────────────────────────────────────


async def test_a_case_with_parked_inputs_keeps_its_messages_until_a_day_after_the_release(
    router: Router, clock: Clock
) -> None:
    """A parked input is committed long before its replay decides and publishes it."""
    await router.decide(*INPUTS, OTHER)
    parked = Parked(input_record(INPUTS[1]), INQUIRY, "exhausted", "a defect")
    await router.store.parked.add(parked)
    await router.progress.note({0: 4, 1: 10})
    clock.now += DAY
    await router.cleanup.round()
    assert (await router.with_messages(), await router.lists()) == ([0, 1, 2, 3], [ids(1, 2, 3, 4)])
    await router.store.parked.remove([parked])
    await router.cleanup.round()
    assert await router.with_messages() == [0, 1, 2, 3]
    clock.now += DAY
    await router.cleanup.round()
    assert (await router.with_messages(), await router.lists()) == ([], [])
