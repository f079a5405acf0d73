"""Readiness of a consumer group member: joined, with partitions or as a spare, and not evicted."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import TopicPartition
from faststream.kafka import KafkaBroker

from shared.kafka.membership import MembershipState
from shared.kafka.options import SubscriptionOptions
from shared.kafka.subscription import Subscription
from shared.kafka.topic_admin import create_topics
from shared.kafka.topics import Topic
from tests.backing import Backing
from tests.fakes import FakeConsumer, FakePublisher, FakeSubscriber
from tests.patience import PATIENCE_S

NOT_JOINED = "scorer-replays has not joined its consumer group"
ADRIFT = "scorer-replays has no partitions and cannot reach its group coordinator"
PLACE = TopicPartition("a", 0)


def a_reading(group: str | None, *topics: str, instance: str | None = None) -> Subscription[bytes]:
    async def take(batch: Sequence[bytes]) -> None:
        return None

    options: SubscriptionOptions[bytes] = SubscriptionOptions(
        "scorer", group, lambda record: record.value, take, FakePublisher(), topics=topics, instance=instance
    )
    return Subscription(options)


class Member:
    """A subscription whose consumer is moved by the test."""

    def __init__(self, group: str | None = "scorer-replays") -> None:
        self.consumer = FakeConsumer()
        self.reading = a_reading(group, "a")
        self.reading.subscriber = FakeSubscriber(self.consumer)
        self.lost()
        self.consumer.places = set()

    async def given(self, *places: TopicPartition) -> None:
        """A complete rebalance."""
        await self.reading.membership.on_partitions_revoked(self.consumer.places)
        self.consumer._coordinator.generation = abs(self.consumer._coordinator.generation) + 1
        self.consumer.places = set(places)
        await self.reading.membership.on_partitions_assigned(set(places))

    def lost(self) -> None:
        """The broker no longer knows the member."""
        self.consumer._coordinator.generation = -1

    def without_coordinator(self) -> None:
        self.consumer._coordinator.coordinator_id = None

    @property
    def reason(self) -> str | None:
        return self.reading.health.why_not_ready()


@pytest.fixture
def member() -> Member:
    return Member()


def test_before_the_start_the_member_has_not_joined() -> None:
    assert a_reading("scorer-replays", "a").health.why_not_ready() == NOT_JOINED


async def test_a_member_that_has_not_joined_is_not_ready(member: Member) -> None:
    assert member.reason == NOT_JOINED


async def test_a_member_without_a_generation_is_not_ready(member: Member) -> None:
    member.consumer._coordinator.generation = 7
    assert member.reason == NOT_JOINED


async def test_a_member_with_partitions_is_ready(member: Member) -> None:
    await member.given(PLACE)
    assert member.reason is None


async def test_a_spare_without_partitions_is_ready(member: Member) -> None:
    await member.given()
    assert member.reason is None


async def test_a_member_that_loses_all_partitions_to_another_stays_ready(member: Member) -> None:
    await member.given(PLACE)
    await member.reading.membership.on_partitions_revoked({PLACE})
    assert member.reason is None
    await member.given()
    assert member.reason is None


@pytest.mark.parametrize("places", [(), (PLACE,)], ids=["a spare", "with partitions"])
async def test_an_evicted_member_is_not_ready_until_it_rejoins(
    member: Member, places: tuple[TopicPartition, ...]
) -> None:
    await member.given(*places)
    member.lost()
    assert member.reason == NOT_JOINED
    await member.given(*places)
    assert member.reason is None


async def test_a_spare_without_a_coordinator_is_not_ready(member: Member) -> None:
    await member.given()
    member.without_coordinator()
    assert member.reason == ADRIFT


async def test_a_member_with_partitions_stays_ready_while_the_coordinator_moves(member: Member) -> None:
    await member.given(PLACE)
    member.without_coordinator()
    assert member.reason is None


async def test_a_spare_that_does_not_poll_is_not_ready(member: Member) -> None:
    await member.given()
    member.reading.health.last_poll -= 31
    assert member.reason == "scorer-replays has not polled for 30 s"


async def test_a_subscription_without_a_group_needs_its_partitions() -> None:
    alone = Member(group=None)
    assert alone.reason == "a has no partitions assigned"
    alone.consumer.places = {PLACE}
    assert alone.reason is None


def test_every_standing_is_judged() -> None:
    ready = {one: one.why_not_ready() is None for one in (MembershipState(*some) for some in every())}
    assert {one for one in ready if ready[one]} == {
        MembershipState(joined=True, partitions=0, coordinator_known=True),
        MembershipState(joined=True, partitions=3, coordinator_known=True),
        MembershipState(joined=True, partitions=3, coordinator_known=False),
    }


def every() -> list[tuple[bool, int, bool]]:
    return [(joined, count, known) for joined in (True, False) for count in (0, 3) for known in (True, False)]


async def test_lag_counts_assigned_partitions_only(member: Member) -> None:
    await member.given(PLACE)
    assert member.reading.health.lag() == {"a": (2, 0.0)}
    await member.given()
    assert member.reading.health.lag() == {}


# ── what aiokafka and Apache Kafka really do ─────────────────────────────────


@asynccontextmanager
async def at_work(running: Backing, group: str, topic: str, instance: str | None) -> AsyncIterator[Subscription[bytes]]:
    """A subscription, started as a service starts it."""
    one = a_reading(group, topic, instance=instance)
    broker = KafkaBroker(running.kafka, consumer_only=True, apply_types=False, logger=None)
    one.attach(broker)
    await broker.start()
    try:
        yield one
    finally:
        await broker.stop()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await asyncio.sleep(0.02)


def partitions(one: Subscription[bytes]) -> int:
    return one.membership.state(one.subscriber.consumer).partitions


@pytest.mark.integration
@pytest.mark.parametrize("named", [False, True], ids=["unnamed", "named"])
async def test_two_members_of_one_partition_are_ready_until_the_spare_is_evicted(running: Backing, named: bool) -> None:
    topic = f"try.{uuid4().hex[:12]}"
    await create_topics(running.kafka, [Topic(topic, 1, 1)], 1)
    async with AsyncExitStack() as stack:
        first, second = [
            await stack.enter_async_context(at_work(running, f"{topic}.group", topic, name if named else None))
            for name in ("first", "second")
        ]
        await until(lambda: first.health.why_not_ready() is None and second.health.why_not_ready() is None)
        await until(lambda: {partitions(first), partitions(second)} == {0, 1})
        [spare] = [one for one in (first, second) if not partitions(one)]
        before = spare.health.last_poll
        await until(lambda: spare.health.last_poll > before)  # it keeps polling, so the watchdog does not end it
        coordinator: Any = spare.subscriber.consumer._coordinator
        # As the heartbeat does when the broker does not know the member.
        coordinator.reset_generation()
        assert spare.health.why_not_ready() == f"{topic}.group has not joined its consumer group"
        await until(lambda: spare.health.why_not_ready() is None)
        coordinator.coordinator_dead()
        assert bool(spare.health.why_not_ready()) is not bool(partitions(spare))
        await until(lambda: spare.health.why_not_ready() is None)
