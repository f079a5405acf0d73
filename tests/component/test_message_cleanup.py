"""Messages are dropped from decisions a day after they went out: never earlier, however often and by however many."""

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
from shared.store.mongo import Database
from tests.builders import CITY, INQUIRY, MONDAY_NOON, accepted, contributed, input_record, received, told

DAY = timedelta(hours=24)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
INPUTS = told(
    received("路灯和路面"), accepted("roads"), contributed("lighting", "亮了"), contributed("roads", "补了")
).inputs
OTHER = "20260316-0000000A"


class Clock:
    """The time that a test sets."""

    def __init__(self) -> None:
        self.now = MONDAY_NOON

    def __call__(self) -> datetime:
        return self.now


class Router:
    """A process's core, progress and cleanup over one database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.store = RouterStore(database)
        self.progress = CoreProgress(database, self.store.decisions)
        self.cleanup = MessageCleanup(self.progress, self.store, DAY, clock)
        city: CityFeed[CityIndex] = CityFeed(city_index)
        city.use(CITY)
        self.core = Core(self.store, city)
        self.database = database

    async def decide(self, *inputs: Input) -> list[Message]:
        outputs = await self.core.decide_inputs(inputs)
        return [one for one in outputs if isinstance(one, Message)]

    async def with_messages(self) -> list[int]:
        """The offsets of the inputs whose decisions still have their messages."""
        found = await self.database["decisions"].find({"messages": {"$exists": True}}).to_list(None)
        return sorted(one["at"]["offset"] for one in found)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def router(database: Database, clock: Clock) -> Router:
    one = Router(database, clock)
    await one.store.prepare()
    return one


async def test_messages_go_when_their_input_has_been_committed_for_a_day(router: Router, clock: Clock) -> None:
    await router.decide(*INPUTS)
    await router.progress.note({0: 2})
    await router.cleanup.round()
    await router.progress.note({0: 4})
    clock.now += DAY - SECOND
    await router.cleanup.round()
    assert await router.with_messages() == [0, 1, 2, 3]
    clock.now += SECOND
    assert await router.cleanup.round() is False
    assert await router.with_messages() == [2, 3], "the mark of a second ago says nothing yet"
    clock.now += DAY
    await router.cleanup.round()
    assert await router.with_messages() == []


async def test_what_was_never_committed_keeps_its_messages(router: Router, clock: Clock) -> None:
    await router.decide(*INPUTS)
    for _ in range(3):
        await router.cleanup.round()
        clock.now += DAY
    assert await router.with_messages() == [0, 1, 2, 3]


async def test_facts_and_words_stay_and_messages_and_picture_go(router: Router, clock: Clock) -> None:
    await router.decide(*INPUTS)
    before = await router.database["decisions"].find().sort("n").to_list(None)
    await router.progress.note({0: 4})
    await router.cleanup.round()
    clock.now += DAY
    await router.cleanup.round()
    after = await router.database["decisions"].find().sort("n").to_list(None)
    gone = ("messages", "picture")
    assert any("picture" in one for one in before)
    assert after == [{name: value for name, value in one.items() if name not in gone} for one in before]


async def test_an_input_read_again_without_messages_says_its_events_and_nothing_else(
    router: Router, clock: Clock, database: Database
) -> None:
    said = await router.decide(*INPUTS)
    await router.progress.note({0: 4})
    await router.cleanup.round()
    clock.now += DAY
    await router.cleanup.round()
    again = await Router(database, clock).decide(*INPUTS)
    assert again == [one for one in said if one.topic == topics.EVENTS]
    assert len(again) < len(said)
    assert [one.n for one in await router.store.decisions.of(INQUIRY)] == [1, 2, 3, 4]


async def test_other_partitions_keep_theirs(router: Router, clock: Clock) -> None:
    other = told(received("路灯"), inquiry_id=OTHER).inputs[0]
    await router.decide(*INPUTS, other._replace(id="other", at=Place(1, 9)))
    await router.progress.note({0: 4})
    await router.cleanup.round()
    clock.now += DAY
    await router.cleanup.round()
    assert await router.with_messages() == [9]


# ── marks ────────────────────────────────────────────────────────────────────


async def test_a_mark_is_made_once_an_hour_by_whoever_comes_and_only_where_the_core_has_moved(
    router: Router, clock: Clock, database: Database
) -> None:
    second = Router(database, clock)
    for minutes in range(0, 181, 20):
        clock.now = MONDAY_NOON + timedelta(minutes=minutes)
        await router.progress.note({0: minutes})
        await router.cleanup.round()
        await second.cleanup.round()
    [one] = await router.progress.all()
    assert [(mark.at - MONDAY_NOON, mark.next) for mark in one.marks] == [(n * HOUR, n * 60) for n in range(4)]
    clock.now += 5 * HOUR
    await router.cleanup.round()
    assert await router.progress.all() == [one]


async def test_two_that_mark_at_the_same_moment_leave_one_mark(
    router: Router, clock: Clock, database: Database
) -> None:
    await router.progress.note({0: 4})
    [seen] = await router.progress.all()
    for number in (1, 2):
        marks = message_cleanup.with_mark(seen._replace(next=number), clock.now + number * SECOND, DAY)
        await router.progress.keep_marks(seen, marks)
    [one] = await router.progress.all()
    assert [mark.next for mark in one.marks] == [1]


async def test_marks_are_bounded_and_the_one_that_counts_is_kept(router: Router, clock: Clock) -> None:
    for hour in range(100):
        clock.now = MONDAY_NOON + hour * HOUR
        await router.progress.note({0: hour})
        await router.cleanup.round()
    [one] = await router.progress.all()
    assert [mark.next for mark in one.marks] == list(range(75, 100))
    assert one.dropped == 75


async def test_a_clock_that_was_ahead_stops_nothing_once_it_is_right(router: Router, clock: Clock) -> None:
    await router.progress.note({0: 1})
    clock.now = MONDAY_NOON + 10 * DAY
    await router.cleanup.round()
    clock.now = MONDAY_NOON
    await router.cleanup.round()
    [one] = await router.progress.all()
    assert [mark.at for mark in one.marks] == [MONDAY_NOON]


# ── restarts, two routers, bounded work ──────────────────────────────────────


async def test_a_process_that_starts_later_goes_on_from_the_marks_that_are_there(
    router: Router, clock: Clock, database: Database
) -> None:
    await router.decide(*INPUTS)
    await router.progress.note({0: 3})
    await router.cleanup.round()
    clock.now += DAY
    await Router(database, clock).cleanup.round()
    assert await router.with_messages() == [3]


async def test_a_round_drops_some_at_a_time_and_what_it_has_dropped_is_not_looked_up_again(
    router: Router, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_cleanup, "OFFSETS_AT_ONCE", 2)
    await router.decide(*INPUTS)
    await router.progress.note({0: 4})
    await router.cleanup.round()
    clock.now += DAY
    assert await router.cleanup.round() is True
    assert await router.with_messages() == [2, 3]
    looked: list[range] = []
    found = router.store.decisions.on_inputs

    async def watched(partition: int, offsets: range) -> list[tuple[str, int]]:
        looked.append(offsets)
        return await found(partition, offsets)

    monkeypatch.setattr(router.store.decisions, "on_inputs", watched)
    assert await router.cleanup.round() is False
    assert await router.cleanup.round() is False
    assert (await router.with_messages(), looked) == ([], [range(2, 4)])


async def test_a_long_stretch_without_decisions_is_passed_over_round_by_round(
    router: Router, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_cleanup, "OFFSETS_AT_ONCE", 10)
    await router.progress.note({0: 1_000})
    await router.cleanup.round()
    clock.now += DAY
    rounds = 1
    while await router.cleanup.round():
        rounds += 1
    assert rounds == 1_000 // 10 // message_cleanup.EMPTY_STRETCHES


async def test_two_routers_at_the_same_stretch_do_no_harm(router: Router, clock: Clock, database: Database) -> None:
    await router.decide(*INPUTS)
    await router.progress.note({0: 4})
    await router.cleanup.round()
    clock.now += DAY
    second = Router(database, clock)
    [seen] = await router.progress.all()
    await router.cleanup.round()
    await second.cleanup._drop(seen, 2)
    assert await router.with_messages() == []
    await router.cleanup.round()
    [one] = await router.progress.all()
    assert one.dropped == 4


async def test_a_topic_that_was_made_anew_is_followed_from_its_beginning(router: Router, clock: Clock) -> None:
    await router.progress.note({0: 100})
    await router.cleanup.round()
    clock.now += DAY
    await router.cleanup.round()
    await router.decide(*INPUTS)
    await router.progress.note({0: 4})
    clock.now += DAY
    await router.cleanup.round()
    clock.now += DAY
    await router.cleanup.round()
    assert await router.with_messages() == []


async def test_a_case_with_a_parked_input_keeps_what_may_not_have_gone_out(router: Router, clock: Clock) -> None:
    """A parked input is committed long before its replay decides it."""
    await router.decide(*INPUTS)
    await router.store.parked.add(Parked(input_record(INPUTS[1]), INQUIRY, "exhausted", "a defect"))
    await router.progress.note({0: 4})
    await router.cleanup.round()
    clock.now += DAY
    await router.cleanup.round()
    assert await router.with_messages() == [0, 1, 2, 3]
