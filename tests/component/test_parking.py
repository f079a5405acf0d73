"""Parking on a real store: a failing input parks its own inquiry only, and a replay handles all parked inputs in order."""

from collections.abc import Sequence

import pytest

from services.router.core.handlers import Core
from services.router.core.input_decoder import read_input
from services.router.domain.city_index import CityIndex, city_index
from services.router.domain.decision import Decision, Input
from services.router.stores.decisions import Decisions
from services.router.stores.parked_inputs import Parked
from services.router.stores.store import RouterStore
from shared.kafka import failure_policy, topics
from shared.kafka.options import SubscriptionOptions
from shared.kafka.records import Record
from shared.kafka.subscription import Subscription
from shared.service.city_feed import CityFeed
from shared.store.mongo import Database
from tests.builders import CITY, INQUIRY, Story, accepted, contributed, input_record, received, replayed, told
from tests.fakes import FakeConsumer, FakePublisher, FakeRecord, FakeSubscriber, header

pytestmark = pytest.mark.both_clients

OTHER = "20260316-0000000B"
STORY = told(received("路灯"), accepted("lighting"), contributed("lighting", "亮了"), replayed())
LETTERS = topics.dead_letters("router")


class FailingDecisions(Decisions):
    """Decisions that fail on one input, as with a bug, until the fault is removed."""

    def __init__(self, database: Database, poison: str) -> None:
        super().__init__(database)
        self.poison: str | None = poison

    async def insert(self, decided: Sequence[tuple[object, Decision]]) -> set[str]:
        if any((one.inquiry_id, one.cause) == (INQUIRY, self.poison) for _, one in decided):
            raise ArithmeticError("a defect")
        return await super().insert(decided)  # type: ignore[arg-type]


class Failing(RouterStore):
    """A store with FailingDecisions."""

    def __init__(self, database: Database, poison: str) -> None:
        super().__init__(database)
        self.decisions: FailingDecisions = FailingDecisions(database, poison)


class Router:
    """The core behind the delivery layer, as one process runs it."""

    def __init__(self, store: RouterStore, offset: int = 0) -> None:
        feed: CityFeed[CityIndex] = CityFeed(city_index)
        feed.use(CITY)
        self.store, self.publisher, self.consumer = store, FakePublisher(), FakeConsumer()
        self.core = Core(store, feed)
        options: SubscriptionOptions[Input] = SubscriptionOptions(
            "router",
            "router-core",
            read_input,
            self.core.decide_inputs,
            self.publisher,
            topics=(topics.INPUTS,),
            parking=self.core,
            published=self.core.unpark_replayed,
        )
        self.subscription: Subscription[Input] = Subscription(options)
        self.subscription.subscriber = FakeSubscriber(self.consumer)
        self.offset = offset

    async def take(self, *inputs: Input) -> None:
        rows = [on_the_log(given, self.offset + n) for n, given in enumerate(inputs)]
        self.offset += len(rows)
        await self.subscription.pipeline.consume(rows)
        await self.subscription.pipeline.drained(20)

    @property
    def aside(self) -> list[tuple[str, str]]:
        return [(header(row, "ce_id"), header(row, "dl_kind")) for row in self.publisher.on(LETTERS)]


def on_the_log(given: Input, offset: int) -> FakeRecord:
    record = input_record(given)
    return FakeRecord(topics.INPUTS, 0, offset, record.value, record.key, record.timestamp_ms, record.headers)


@pytest.fixture(autouse=True)
def no_long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failure_policy, "LONGEST_PAUSE_S", 0.001)


@pytest.fixture
async def store(database: Database) -> Failing:
    one = Failing(database, STORY.inputs[1].id)
    await one.prepare()
    return one


def ids(story: Story, *numbers: int) -> list[str]:
    return [story.inputs[number].id for number in numbers]


async def causes(store: RouterStore, inquiry_id: str = INQUIRY) -> list[str]:
    return [one.cause for one in await store.decisions.of(inquiry_id)]


async def test_only_the_inquiry_of_a_failing_input_is_parked(store: Failing) -> None:
    router = Router(store)
    other = told(received("水管"), contributed("water", "修了"), inquiry_id=OTHER)
    await router.take(STORY.inputs[0], other.inputs[0], STORY.inputs[1], STORY.inputs[2], other.inputs[1])
    assert await causes(store) == ids(STORY, 0)
    assert await causes(store, OTHER) == ids(other, 0, 1)
    first, second = ids(STORY, 1, 2)
    assert router.aside == [(first, "exhausted"), (second, "parked")]
    assert router.consumer.commits == [{(topics.INPUTS, 0): 5}]


async def test_a_replay_handles_parked_inputs_in_log_order(store: Failing) -> None:
    router = Router(store)
    await router.take(*STORY.inputs[:3])
    store.decisions.poison = None
    await router.take(STORY.inputs[3])
    assert await causes(store) == ids(STORY, 0, 1, 2, 3)
    assert tuple(await store.decisions.of(INQUIRY)) == STORY.decisions
    assert await store.parked.of([INQUIRY]) == []
    assert sorted(router.publisher.ids(topics.EVENTS)) == sorted(
        one.id for one in STORY.messages if one.topic == topics.EVENTS
    )


async def test_after_a_replay_new_inputs_are_decided(store: Failing) -> None:
    router = Router(store)
    await router.take(*STORY.inputs[:2])
    store.decisions.poison = None
    await router.take(STORY.inputs[3], STORY.inputs[2])
    assert await causes(store) == ids(STORY, 0, 1, 3, 2)
    assert [kind for _, kind in router.aside] == ["exhausted"]


async def test_a_failed_replay_leaves_the_inquiry_parked(store: Failing) -> None:
    router = Router(store)
    await router.take(*STORY.inputs[:3])
    await router.take(STORY.inputs[3])
    assert await causes(store) == ids(STORY, 0)
    assert [kind for _, kind in router.aside] == ["exhausted", "parked", "exhausted"]
    assert router.core._replayed == {}
    store.decisions.poison = None
    await router.take(STORY.inputs[3])
    assert await causes(store) == ids(STORY, 0, 1, 2, 3)


async def test_another_process_loads_parked_inquiries(store: Failing, database: Database) -> None:
    await Router(store).take(*STORY.inputs[:2])
    other = Router(RouterStore(database), offset=2)
    await other.take(STORY.inputs[2])
    assert other.aside == [(ids(STORY, 2)[0], "parked")]
    await other.take(STORY.inputs[3])
    assert await causes(store) == ids(STORY, 0, 1, 2, 3)


async def test_a_repeated_batch_with_a_replay_changes_nothing(store: Failing, database: Database) -> None:
    router = Router(store)
    await router.take(*STORY.inputs[:3])
    store.decisions.poison = None
    await router.take(STORY.inputs[3])
    again = Router(RouterStore(database))
    await again.take(*STORY.inputs)
    assert tuple(await store.decisions.of(INQUIRY)) == STORY.decisions
    assert (again.aside, await store.parked.of([INQUIRY])) == ([], [])


async def test_discarded_inputs_are_skipped(store: Failing) -> None:
    router = Router(store)
    await router.take(*STORY.inputs[:3])
    assert await store.parked.discard(f"{topics.INPUTS}-0-1")
    await router.take(STORY.inputs[3])
    assert await causes(store) == ids(STORY, 0, 2, 3)
    assert not await store.parked.discard(f"{topics.INPUTS}-0-1")


async def test_a_replayed_invalid_record_does_not_park_its_inquiry(store: Failing) -> None:
    store.decisions.poison = None
    router = Router(store)
    unread = Record(topics.INPUTS, 0, 90, 0, INQUIRY.encode(), b"{", [("ce_type", b"chorus.case.replay")])
    readable = input_record(STORY.inputs[1])
    await router.take(STORY.inputs[0])
    await store.parked.add(Parked(unread, INQUIRY, "permanent", "read again"))
    await store.parked.add(Parked(readable, INQUIRY, "permanent", "read again"))
    await Router(store).take(STORY.inputs[2])
    await router.take(STORY.inputs[3])
    assert await causes(store) == ids(STORY, 0, 2, 1, 3)
    [letter] = router.publisher.on(LETTERS)
    assert (header(letter, "dl_kind"), header(letter, "dl_offset")) == ("permanent", "90")
    assert await store.parked.of([INQUIRY]) == []


async def test_parked_inputs_are_stored_byte_for_byte(store: Failing) -> None:
    odd = Record("t", 3, 7, 11, b"\xff", None, [("a", None), ("b", b"\xfe"), ("b", b"")])
    parked = Parked(odd, INQUIRY, "exhausted", "why")
    await store.parked.add(parked)
    await store.parked.add(parked)
    assert await store.parked.of([INQUIRY]) == [parked]
    assert await store.parked.inquiries() == {INQUIRY}
