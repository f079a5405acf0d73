"""How a batch is taken to its end: what is wrong is put aside, what is away is waited for, then the offsets are committed."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from aiokafka.errors import (
    CommitFailedError,
    KafkaConnectionError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
)
from prometheus_client import REGISTRY

from shared import delivery, topics
from shared.delivery import Subscription
from shared.mongo import StoreAway
from shared.records import Away, Record, Wrong, dead_letter, dependency
from tests.builders import a_record
from tests.fakes import FakeConsumer, FakePublisher, FakeRecord, FakeSubscriber, header

LETTERS = topics.dead_letters("router")
Handle = Callable[[Sequence[bytes]], Awaitable[None]]


@pytest.fixture(autouse=True)
def no_long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pauses between attempts are shortened; what happens in them is not."""
    monkeypatch.setattr(delivery, "LONGEST_PAUSE_S", 0.001)


class Hands:
    """A handler that keeps every batch it was given, and fails as it is told."""

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
        raise Wrong(f"{record.value!r} is wrong")
    if record.value.startswith(b"broken"):
        raise RecursionError("the reader did not expect this")
    return None if record.value == b"skipped" else record.value


class Reading:
    """A subscription with a handler, a publisher and a consumer of its own."""

    def __init__(self, group: str | None = "router-core") -> None:
        self.hands, self.publisher, self.consumer = Hands(), FakePublisher(), FakeConsumer()
        self.subscription: Subscription[bytes] = Subscription(
            "router", group, read, self.hands.take, self.publisher, topics=("a",)
        )
        self.subscription.subscriber = FakeSubscriber(self.consumer)

    async def take(self, *records: FakeRecord | bytes) -> None:
        rows = [r if isinstance(r, FakeRecord) else FakeRecord("a", 0, n, r) for n, r in enumerate(records)]
        await self.subscription.consume(rows)

    @property
    def aside(self) -> list[tuple[bytes | None, str]]:
        return [(row[1], header(row, "dl_kind")) for row in self.publisher.on(LETTERS)]


@pytest.fixture
def reading() -> Reading:
    return Reading()


async def test_a_batch_is_handled_whole_and_committed_after_it(reading: Reading) -> None:
    await reading.take(b"1", b"skipped", b"2")
    assert reading.hands.batches == [[b"1", b"2"]]
    assert reading.consumer.commits == [{("a", 0): 3}]


async def test_what_is_committed_is_the_next_offset_of_every_partition(reading: Reading) -> None:
    await reading.take(
        FakeRecord("a", 0, 7, b"1"),
        FakeRecord("b", 2, 40, b"2"),
        FakeRecord("a", 0, 9, b"3"),
        FakeRecord("a", 1, 0, b"4"),
    )
    assert reading.consumer.commits == [{("a", 0): 10, ("a", 1): 1, ("b", 2): 41}]


async def test_without_a_group_nothing_is_committed() -> None:
    reading = Reading(group=None)
    await reading.take(b"1")
    assert (reading.hands.done, reading.consumer.commits) == ([b"1"], [])


async def test_a_wrong_record_is_put_aside_as_it_was_and_its_neighbours_go_on(reading: Reading) -> None:
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


async def test_a_batch_of_nothing_but_wrong_records_is_committed(reading: Reading) -> None:
    await reading.take(b"wrong 1", b"wrong 2")
    assert (reading.hands.batches, len(reading.aside)) == ([], 2)
    assert reading.consumer.commits == [{("a", 0): 2}]


async def test_a_record_on_which_the_reader_itself_fails_takes_no_neighbour_along(reading: Reading) -> None:
    await reading.take(b"1", b"broken", b"2")
    assert reading.hands.done == [b"1", b"2"]
    assert [value for value, _ in reading.aside] == [b"broken"]
    assert reading.consumer.commits == [{("a", 0): 3}]


async def test_while_a_dependency_is_away_the_batch_waits_in_place_and_then_goes_on(reading: Reading) -> None:
    reading.hands.failures = [Away("city", "none yet"), StoreAway[0]("gone"), KafkaConnectionError()] * 3
    waited = blocked("mongodb")
    await reading.take(b"1", b"2")
    assert reading.hands.batches == [[b"1", b"2"]] * 10
    assert (reading.aside, reading.consumer.commits) == ([], [{("a", 0): 2}])
    assert blocked("mongodb") > waited
    assert reading.subscription.waiting_for is None


async def test_who_waits_says_for_what(reading: Reading) -> None:
    again = asyncio.Event()
    calls: list[int] = []

    async def handle(batch: Sequence[bytes]) -> None:
        calls.append(len(batch))
        if len(calls) > 1:
            again.set()
        raise Away("city", "none yet")

    reading.subscription.handle = handle
    task = asyncio.create_task(reading.take(b"1"))
    await again.wait()
    assert reading.subscription.why_not_ready() == "router-core waits for city"
    assert reading.consumer.commits == []
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_failure_that_passes_hurts_nobody(reading: Reading) -> None:
    reading.hands.failures = [RuntimeError("once"), RuntimeError("twice")]
    await reading.take(b"1", b"2")
    assert (reading.hands.done, reading.aside) == ([b"1", b"2"], [])


async def test_of_a_batch_that_fails_again_and_again_only_the_culprit_is_put_aside(reading: Reading) -> None:
    reading.hands.poison = b"2"
    await reading.take(b"1", b"2", b"3")
    assert reading.hands.done == [b"1", b"3"]
    assert reading.aside == [(b"2", "exhausted")]
    [letter] = reading.publisher.on(LETTERS)
    assert header(letter, "dl_attempts") == "5"
    assert "this one makes me fail" in header(letter, "dl_reason")
    assert reading.consumer.commits == [{("a", 0): 3}]


async def test_a_dead_letter_waits_for_the_broker_and_nothing_is_committed_before_it(reading: Reading) -> None:
    reading.publisher.away = True
    task = asyncio.create_task(reading.take(b"wrong", b"1"))
    for _ in range(3):
        await reading.publisher.refused.acquire()
    assert (reading.consumer.commits, reading.hands.done) == ([], [])
    reading.publisher.away = False
    await task
    assert (len(reading.aside), reading.consumer.commits) == (1, [{("a", 0): 2}])


async def test_a_commit_after_the_partition_went_is_counted_and_not_raised(reading: Reading) -> None:
    before = failures()
    reading.consumer.lost = True
    await reading.take(b"1")
    assert failures() == before + 1


async def test_a_commit_that_the_group_refuses_is_counted_and_not_raised(reading: Reading) -> None:
    before = failures()
    reading.consumer.failing = [CommitFailedError()]
    await reading.take(b"1")
    assert (failures(), reading.consumer.commits) == (before + 1, [])


async def test_a_commit_waits_for_the_broker(reading: Reading) -> None:
    before = failures()
    reading.consumer.failing = [KafkaConnectionError(), KafkaConnectionError()]
    await reading.take(b"1")
    assert (failures(), reading.consumer.commits) == (before + 2, [{("a", 0): 1}])


async def test_who_drains_waits_for_the_batch_in_hand(reading: Reading) -> None:
    going, go = asyncio.Event(), asyncio.Event()

    async def handle(batch: Sequence[bytes]) -> None:
        going.set()
        await go.wait()

    reading.subscription.handle = handle
    task = asyncio.create_task(reading.take(b"1"))
    await going.wait()
    await reading.subscription.drained(0.01)
    assert reading.consumer.commits == []
    go.set()
    await reading.subscription.drained(5)
    assert reading.consumer.commits == [{("a", 0): 1}]
    await task


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (Away("city", "x"), "city"),
        (StoreAway[0]("x"), "mongodb"),
        (KafkaConnectionError(), "kafka"),
        (TopicAuthorizationFailedError(), "kafka"),
        (MessageSizeTooLargeError(), None),
        (ValueError("x"), None),
    ],
    ids=repr,
)
def test_which_dependency_is_away_follows_from_the_error(error: Exception, away: str | None) -> None:
    assert dependency(error) == away


def test_a_reason_of_any_length_fits_into_a_dead_letter() -> None:
    letter = dead_letter("router", a_record(None), "permanent", "字" * 100_000, 1)
    assert letter[:2] == (None, None)
    assert len(header(letter, "dl_reason")) == 2_000


def failures() -> float:
    return REGISTRY.get_sample_value("chorus_commit_failures_total", {"service": "router"}) or 0.0


def blocked(name: str) -> float:
    labels: dict[str, Any] = {"service": "router", "dependency": name}
    return REGISTRY.get_sample_value("chorus_blocked_seconds_total", labels) or 0.0
