"""The delivery layer: handle a batch, send invalid records to dead letters, wait for unavailable dependencies, commit."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import (
    CommitFailedError,
    KafkaConnectionError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
)
from faststream.kafka import KafkaBroker
from prometheus_client import REGISTRY

from shared.kafka import failure_policy, subscription, topics
from shared.kafka.dead_letters import dead_letter
from shared.kafka.failures import DependencyUnavailable, InvalidRecord, unavailable_dependency
from shared.kafka.options import SubscriptionOptions
from shared.kafka.publisher import PreparedRecord, Publisher, Row
from shared.kafka.records import Record
from shared.kafka.subscription import Subscription
from shared.kafka.topic_admin import create_topics
from shared.kafka.topics import Topic
from shared.store.mongo import StoreUnavailable, Unstorable
from tests.backing import Backing
from tests.builders import a_record
from tests.fakes import FakeConsumer, FakePublisher, FakeRecord, FakeSubscriber, header
from tests.patience import PATIENCE_S

LETTERS = topics.dead_letters("router")
Handle = Callable[[Sequence[bytes]], Awaitable[None]]


@pytest.fixture(autouse=True)
def no_long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the pauses between attempts."""
    monkeypatch.setattr(failure_policy, "LONGEST_PAUSE_S", 0.001)


class Hands:
    """A handler that records its batches and fails on demand."""

    def __init__(self) -> None:
        self.batches: list[list[bytes]] = []
        self.done: list[bytes] = []
        self.failures: list[Exception] = []
        self.poison: bytes | None = None

    async def take(self, batch: Sequence[bytes]) -> None:
        self.batches.append(list(batch))
        if self.failures:
            raise self.failures.pop(0)
        if self.poison in batch:
            raise RuntimeError("this one makes me fail")
        self.done += batch


def read(record: Record) -> bytes | None:
    if record.value is None or record.value.startswith(b"wrong"):
        raise InvalidRecord(f"{record.value!r} is wrong")
    if record.value.startswith(b"broken"):
        raise RecursionError("the reader did not expect this")
    return None if record.value == b"skipped" else record.value


class Reading:
    """A subscription with a fake handler, publisher and consumer."""

    def __init__(self, group: str | None = "router-core") -> None:
        self.hands, self.publisher, self.consumer = Hands(), FakePublisher(), FakeConsumer()
        self.options: SubscriptionOptions[bytes] = SubscriptionOptions(
            "router", group, read, self.hands.take, self.publisher, topics=("a",)
        )
        self.subscription: Subscription[bytes] = Subscription(self.options)
        self.subscription.subscriber = FakeSubscriber(self.consumer)

    async def take(self, *records: FakeRecord | bytes) -> None:
        rows = [r if isinstance(r, FakeRecord) else FakeRecord("a", 0, n, r) for n, r in enumerate(records)]
        await self.subscription.pipeline.consume(rows)
        await self.subscription.pipeline.drained(20)

    @property
    def aside(self) -> list[tuple[bytes | None, str]]:
        return [(row[1], header(row, "dl_kind")) for row in self.publisher.on(LETTERS)]


@pytest.fixture
def reading() -> Reading:
    return Reading()


async def test_a_batch_is_handled_as_a_whole_then_committed(reading: Reading) -> None:
    await reading.take(b"1", b"skipped", b"2")
    assert reading.hands.batches == [[b"1", b"2"]]
    assert reading.consumer.commits == [{("a", 0): 3}]


async def test_the_committed_offset_is_the_next_one_of_each_partition(reading: Reading) -> None:
    await reading.take(
        FakeRecord("a", 0, 7, b"1"),
        FakeRecord("b", 2, 40, b"2"),
        FakeRecord("a", 0, 9, b"3"),
        FakeRecord("a", 1, 0, b"4"),
    )
    assert reading.consumer.commits == [{("a", 0): 10, ("a", 1): 1, ("b", 2): 41}]


async def test_no_offsets_are_committed_without_a_group() -> None:
    reading = Reading(group=None)
    await reading.take(b"1")
    assert (reading.hands.done, reading.consumer.commits) == ([b"1"], [])


async def test_an_invalid_record_goes_to_dead_letters_unchanged_and_others_are_handled(reading: Reading) -> None:
    wrong = FakeRecord("a", 3, 17, b"wrong \xff", key=b"k", headers=[("x", b"\xfe"), ("y", None)])
    await reading.take(FakeRecord("a", 3, 16, b"1"), wrong, FakeRecord("a", 3, 18, b"2"))
    assert reading.hands.batches == [[b"1", b"2"]]
    [letter] = reading.publisher.on(LETTERS)
    assert letter[:2] == (b"k", b"wrong \xff")
    assert list(letter[2])[:2] == [("x", b"\xfe"), ("y", None)]
    origin = {name: header(letter, f"dl_{name}") for name in ("service", "topic", "partition", "offset", "timestamp")}
    assert origin == {
        "service": "router",
        "topic": "a",
        "partition": "3",
        "offset": "17",
        "timestamp": "1773633600000",
    }
    assert (header(letter, "dl_kind"), header(letter, "dl_attempts")) == ("permanent", "1")
    assert header(letter, "dl_reason") == "b'wrong \\xff' is wrong"
    assert reading.consumer.commits == [{("a", 3): 19}]


async def test_a_batch_with_only_invalid_records_is_committed(reading: Reading) -> None:
    await reading.take(b"wrong 1", b"wrong 2")
    assert (reading.hands.batches, len(reading.aside)) == ([], 2)
    assert reading.consumer.commits == [{("a", 0): 2}]


async def test_a_record_that_crashes_the_decoder_does_not_affect_others(reading: Reading) -> None:
    await reading.take(b"1", b"broken", b"2")
    assert reading.hands.done == [b"1", b"2"]
    assert [value for value, _ in reading.aside] == [b"broken"]
    assert reading.consumer.commits == [{("a", 0): 3}]


async def test_a_batch_waits_while_a_dependency_is_unavailable(reading: Reading) -> None:
    reading.hands.failures = [
        DependencyUnavailable("city", "none yet"),
        StoreUnavailable("gone"),
        KafkaConnectionError(),
    ] * 3
    waited = blocked("mongodb")
    await reading.take(b"1", b"2")
    assert reading.hands.batches == [[b"1", b"2"]] * 10
    assert (reading.aside, reading.consumer.commits) == ([], [{("a", 0): 2}])
    assert blocked("mongodb") > waited
    assert reading.subscription.pipeline.policy.waiting_for is None


async def test_a_blocked_subscription_names_the_dependency(reading: Reading) -> None:
    again = asyncio.Event()
    calls: list[int] = []

    async def handle(batch: Sequence[bytes]) -> None:
        calls.append(len(batch))
        if len(calls) > 1:
            again.set()
        raise DependencyUnavailable("city", "none yet")

    reading.options.handle = handle
    task = asyncio.create_task(reading.take(b"1"))
    await again.wait()
    assert reading.subscription.health.why_not_ready() == "router-core waits for city"
    assert reading.consumer.commits == []
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_temporary_failure_is_retried(reading: Reading) -> None:
    reading.hands.failures = [RuntimeError("once"), RuntimeError("twice")]
    await reading.take(b"1", b"2")
    assert (reading.hands.done, reading.aside) == ([b"1", b"2"], [])


async def test_only_the_failing_record_of_a_batch_goes_to_dead_letters(reading: Reading) -> None:
    reading.hands.poison = b"2"
    await reading.take(b"1", b"2", b"3")
    assert reading.hands.done == [b"1", b"3"]
    assert reading.aside == [(b"2", "exhausted")]
    [letter] = reading.publisher.on(LETTERS)
    assert header(letter, "dl_attempts") == "5"
    assert "this one makes me fail" in header(letter, "dl_reason")
    assert reading.consumer.commits == [{("a", 0): 3}]


async def test_the_failing_record_is_found_by_bisection(reading: Reading) -> None:
    values = [b"%d" % n for n in range(500)]
    reading.hands.poison = b"321"
    await reading.take(*values)
    assert sorted(reading.hands.done, key=int) == [one for one in values if one != b"321"]
    assert reading.aside == [(b"321", "exhausted")]
    assert len(reading.hands.batches) < 50


async def test_no_offset_is_committed_before_the_dead_letter_is_confirmed(reading: Reading) -> None:
    reading.publisher.away = True
    task = asyncio.create_task(reading.take(b"wrong", b"1"))
    for _ in range(3):
        await reading.publisher.refused.acquire()
    assert (reading.consumer.commits, reading.hands.done) == ([], [])
    reading.publisher.away = False
    assert reading.subscription.pipeline.policy.dead_lettered_at is None
    await task
    assert (len(reading.aside), reading.consumer.commits) == (1, [{("a", 0): 2}])
    assert reading.subscription.pipeline.policy.dead_lettered_at is not None


async def test_a_commit_after_losing_the_partition_is_counted_and_not_raised(reading: Reading) -> None:
    before = failures()
    reading.consumer.lost = True
    await reading.take(b"1")
    assert failures() == before + 1


async def test_a_commit_rejected_by_the_group_is_counted_and_not_raised(reading: Reading) -> None:
    before = failures()
    reading.consumer.failing = [CommitFailedError()]
    await reading.take(b"1")
    assert (failures(), reading.consumer.commits) == (before + 1, [])


async def test_a_commit_is_retried_until_the_broker_answers(reading: Reading) -> None:
    before = failures()
    await reading.subscription.membership.on_partitions_assigned(reading.consumer.assignment())
    reading.consumer.failing = [KafkaConnectionError(), KafkaConnectionError()]
    told: list[str | None] = []
    commit = reading.consumer.commit

    async def watched(offsets: Any) -> None:
        told.append(reading.subscription.health.why_not_ready())
        await commit(offsets)

    reading.consumer.commit = watched  # type: ignore[method-assign]
    await reading.take(b"1")
    assert told == [None, "router-core waits for kafka", "router-core waits for kafka"]
    assert (failures(), reading.consumer.commits) == (before + 2, [{("a", 0): 1}])


async def test_draining_waits_for_the_current_batch(reading: Reading) -> None:
    going, go = asyncio.Event(), asyncio.Event()

    async def handle(batch: Sequence[bytes]) -> None:
        going.set()
        await go.wait()

    reading.options.handle = handle
    task = asyncio.create_task(reading.take(b"1"))
    await going.wait()
    await reading.subscription.pipeline.drained(0.01)
    assert reading.consumer.commits == []
    go.set()
    await reading.subscription.pipeline.drained(5)
    assert reading.consumer.commits == [{("a", 0): 1}]
    await task


# ── two batches in hand ──────────────────────────────────────────────────────


class Confirming(FakePublisher):
    """A handler that stores at once, with publish confirmations controlled by the test."""

    def __init__(self) -> None:
        super().__init__()
        self.stored: list[bytes] = []
        self.failures: list[Exception] = []
        self.poison: bytes | None = None
        self.broker = asyncio.Event()

    async def take(self, batch: Sequence[bytes]) -> list[PreparedRecord]:
        self.stored += batch
        return [PreparedRecord("out", (None, one, ())) for one in batch]

    async def deliver(self, topics: AbstractSet[str], rows: Iterable[Row]) -> None:
        rows = list(rows)
        if "out" in topics:
            await self.broker.wait()
            if self.failures:
                raise self.failures.pop(0)
            if self.poison in [row[1] for _, row in rows]:
                raise RuntimeError("this one cannot be confirmed")
        await super().deliver(topics, rows)

    @property
    def confirmed(self) -> list[bytes]:
        return [row[1] or b"" for row in self.on("out")]


@pytest.fixture
def confirming(reading: Reading) -> Confirming:
    hands = Confirming()
    reading.publisher = reading.options.publisher = hands
    reading.options.handle = hands.take
    return hands


async def consume(reading: Reading, *offsets: int) -> None:
    rows: list[Any] = [FakeRecord("a", 0, offset, b"%d" % offset) for offset in offsets]
    await reading.subscription.pipeline.consume(rows)


async def test_the_next_batch_is_stored_while_the_first_awaits_confirmation(
    reading: Reading, confirming: Confirming
) -> None:
    await consume(reading, 0, 1)
    second = asyncio.create_task(consume(reading, 2))
    async with asyncio.timeout(PATIENCE_S):
        while confirming.stored != [b"0", b"1", b"2"]:
            await asyncio.sleep(0)
    for _ in range(10):
        await asyncio.sleep(0)
    assert (confirming.confirmed, reading.consumer.commits, second.done()) == ([], [], False)
    confirming.broker.set()
    await second
    await reading.subscription.pipeline.drained(5)
    assert confirming.confirmed == [b"0", b"1", b"2"]
    assert reading.consumer.commits == [{("a", 0): 2}, {("a", 0): 3}]


async def test_an_abandoned_batch_is_no_longer_in_flight(reading: Reading, confirming: Confirming) -> None:
    await consume(reading, 0)
    let_go = asyncio.create_task(consume(reading, 1))
    await asyncio.sleep(0.01)
    let_go.cancel()
    with pytest.raises(asyncio.CancelledError):
        await let_go
    confirming.broker.set()
    async with asyncio.timeout(PATIENCE_S):
        await reading.subscription.pipeline.drained(10)
        assert reading.consumer.commits == [{("a", 0): 1}]
        await consume(reading, 1)
        await reading.subscription.pipeline.drained(10)
    assert reading.consumer.commits == [{("a", 0): 1}, {("a", 0): 2}]


async def test_a_second_batch_waits_until_the_first_is_confirmed(reading: Reading, confirming: Confirming) -> None:
    await consume(reading, 0)
    going = asyncio.create_task(consume(reading, 1))
    await asyncio.sleep(0.01)
    assert not going.done()
    assert confirming.stored == [b"0", b"1"]
    confirming.broker.set()
    await going
    await reading.subscription.pipeline.drained(5)
    assert reading.consumer.commits == [{("a", 0): 1}, {("a", 0): 2}]


async def test_waiting_for_a_confirmation_does_not_store_again(reading: Reading, confirming: Confirming) -> None:
    confirming.broker.set()
    confirming.failures = [KafkaConnectionError(), KafkaConnectionError()]
    await consume(reading, 0)
    await reading.subscription.pipeline.drained(5)
    assert (confirming.stored, confirming.confirmed) == ([b"0"], [b"0"])
    assert reading.consumer.commits == [{("a", 0): 1}]


async def test_only_the_unpublishable_record_goes_to_dead_letters(reading: Reading, confirming: Confirming) -> None:
    confirming.broker.set()
    confirming.poison = b"1"
    await consume(reading, 0, 1, 2)
    await reading.subscription.pipeline.drained(20)
    assert reading.aside == [(b"1", "exhausted")]
    assert set(confirming.confirmed) == {b"0", b"2"}
    assert reading.consumer.commits == [{("a", 0): 3}]


async def test_a_batch_of_an_earlier_assignment_is_confirmed_and_not_committed(
    reading: Reading, confirming: Confirming
) -> None:
    before = failures()
    await consume(reading, 0)
    reading.subscription.pipeline.forget()
    confirming.broker.set()
    await reading.subscription.pipeline.drained(5)
    assert (confirming.confirmed, reading.consumer.commits, failures()) == ([b"0"], [], before + 1)


async def test_records_count_as_lag_until_committed(reading: Reading, confirming: Confirming) -> None:
    now = time.time()
    rows: list[Any] = [FakeRecord("a", 0, offset, b"x", timestamp=int((now - 60) * 1000)) for offset in (5, 6)]
    await reading.subscription.pipeline.consume(rows)
    [(messages, seconds)] = reading.subscription.health.lag().values()
    assert messages == 2
    assert 59 < seconds < 120
    confirming.broker.set()
    await reading.subscription.pipeline.drained(5)
    assert list(reading.subscription.health.lag().values()) == [(0, 0.0)]


async def test_stopping_abandons_unconfirmed_batches(reading: Reading, confirming: Confirming) -> None:
    await consume(reading, 0)
    await reading.subscription.pipeline.drained(0.01)
    await reading.subscription.pipeline.stop()
    assert (confirming.stored, reading.consumer.commits) == ([b"0"], [])


# ── parking ──────────────────────────────────────────────────────────────────


class Lot:
    """Parks items by their first letter; an item that ends with `!` releases its letter."""

    def __init__(self) -> None:
        self.letters: set[bytes] = set()
        self.kept: list[tuple[bytes, str]] = []
        self.refreshed = 0
        self.away: list[Exception] = []

    async def refresh(self) -> None:
        self.refreshed += 1
        if self.away:
            raise self.away.pop(0)

    def waits(self, item: bytes) -> str | None:
        if item.endswith(b"!"):
            self.letters.discard(item[:1])
        return f"{item[:1]!r} is parked" if item[:1] in self.letters else None

    async def park(self, record: Record, item: bytes, kind: str, reason: str) -> None:
        self.letters.add(item[:1])
        self.kept.append((item, kind))


@pytest.fixture
def lot(reading: Reading) -> Lot:
    parking = Lot()
    reading.options.parking = parking
    return parking


async def test_a_failing_item_is_parked_and_only_its_own_key_is_held(reading: Reading, lot: Lot) -> None:
    reading.hands.poison = b"a1"
    await reading.take(b"a1", b"b1", b"a2", b"b2")
    await reading.take(FakeRecord("a", 0, 4, b"a3"), FakeRecord("a", 0, 5, b"b3"))
    assert reading.hands.done == [b"b1", b"b2", b"b3"]
    assert lot.kept == [(b"a1", "exhausted"), (b"a2", "parked"), (b"a3", "parked")]
    assert reading.aside == [(b"a1", "exhausted"), (b"a2", "parked"), (b"a3", "parked")]
    assert reading.consumer.commits == [{("a", 0): 4}, {("a", 0): 6}]


async def test_items_after_a_replay_in_the_same_batch_are_handled(reading: Reading, lot: Lot) -> None:
    lot.letters = {b"a"}
    await reading.take(b"a1", b"a!", b"a2")
    assert lot.kept == [(b"a1", "parked")]
    assert reading.hands.done == [b"a!", b"a2"]


async def test_a_failed_replay_parks_the_following_items_again(reading: Reading, lot: Lot) -> None:
    lot.letters = {b"a"}
    reading.hands.poison = b"a!"
    await reading.take(b"a!", b"a2")
    assert lot.kept == [(b"a!", "exhausted"), (b"a2", "parked")]


async def test_what_is_parked_is_learnt_once_for_each_assignment_and_waited_for(reading: Reading, lot: Lot) -> None:
    lot.away = [StoreUnavailable("gone")] * 2
    await reading.take(b"a1")
    await reading.take(FakeRecord("a", 0, 1, b"a2"))
    assert (lot.refreshed, reading.hands.done) == (3, [b"a1", b"a2"])
    reading.subscription.pipeline.forget()
    await reading.take(FakeRecord("a", 0, 2, b"a3"))
    assert lot.refreshed == 4


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (DependencyUnavailable("city", "x"), "city"),
        (StoreUnavailable("x"), "mongodb"),
        (KafkaConnectionError(), "kafka"),
        (TopicAuthorizationFailedError(), "kafka-rights"),
        (MessageSizeTooLargeError(), None),
        (Unstorable("x"), None),
        (ValueError("x"), None),
    ],
    ids=repr,
)
def test_the_unavailable_dependency_is_derived_from_the_error(error: Exception, away: str | None) -> None:
    assert unavailable_dependency(error) == away


def test_long_reasons_are_shortened_in_dead_letters() -> None:
    letter = dead_letter("router", a_record(None), "permanent", "字" * 100_000, 1)
    assert letter[:2] == (None, None)
    assert len(header(letter, "dl_reason")) == 2_000


def failures() -> float:
    return REGISTRY.get_sample_value("chorus_commit_failures_total", {"service": "router"}) or 0.0


def blocked(name: str) -> float:
    labels: dict[str, Any] = {"service": "router", "dependency": name}
    return REGISTRY.get_sample_value("chorus_blocked_seconds_total", labels) or 0.0


@pytest.mark.parametrize(("end", "behind"), [(2, False), (3, True)])
async def test_lag_is_the_difference_to_the_end_offsets(reading: Reading, end: int, behind: bool) -> None:
    assert await reading.subscription.health.behind()  # no offsets are known yet
    reading.consumer.ends = {TopicPartition("a", 0): end}
    reading.consumer.at = 2
    await reading.take(b"1", b"2")
    assert await reading.subscription.health.behind() is behind


@pytest.mark.integration
async def test_the_lag_on_a_real_topic_includes_the_current_batch(running: Backing) -> None:
    topic, publisher = f"try.{uuid4().hex[:12]}", Publisher(running.kafka, "try")
    await create_topics(running.kafka, [Topic(topic, 2, 1)], 1)
    came, go = asyncio.Event(), asyncio.Event()

    async def handle(batch: Sequence[bytes]) -> None:
        came.set()
        await go.wait()

    options: SubscriptionOptions[bytes] = SubscriptionOptions("router", None, read, handle, publisher, topics=(topic,))
    subscription: Subscription[bytes] = Subscription(options)
    broker = KafkaBroker(running.kafka, consumer_only=True, apply_types=False, logger=None)
    subscription.attach(broker)
    await publisher.publish_raw({topic: [(b"%d" % n, b"1", []) for n in range(9)]})
    await broker.start()
    try:
        await asyncio.wait_for(came.wait(), 20)
        assert await subscription.health.behind()
        go.set()
        async with asyncio.timeout(PATIENCE_S):
            while await subscription.health.behind():
                await asyncio.sleep(0.05)
    finally:
        await subscription.pipeline.stop()
        await broker.stop()
        await publisher.stop()


# ── polls ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("at_leisure", "pauses"), [(False, 0), (True, 2)])
async def test_a_low_priority_subscription_pauses_between_polls_unless_behind(
    reading: Reading, monkeypatch: pytest.MonkeyPatch, at_leisure: bool, pauses: int
) -> None:
    slept: list[float] = []
    waiting = [1, 2, 2, 1]

    async def sleep(for_s: float) -> None:
        slept.append(for_s)

    async def getmany(**asked: int) -> dict[str, list[FakeRecord]]:
        return {"a": [FakeRecord("a", 0, at, b"1") for at in range(waiting.pop(0))]}

    monkeypatch.setattr("asyncio.sleep", sleep)
    monkeypatch.setattr(subscription, "LEISURE_S", 60)
    reading.consumer.getmany = getmany  # type: ignore[attr-defined]
    reading.options.at_leisure, reading.options.most = at_leisure, 2
    reading.subscription.attach(KafkaBroker())
    sizes = [len(await reading.subscription.subscriber.get_msg(reading.consumer)) for _ in range(4)]
    assert sizes == [1, 2, 2, 1]
    assert len(slept) == pauses
    assert all(pause_s > 0 for pause_s in slept)
