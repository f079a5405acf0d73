"""The pipeline stores, publishes and commits in this order; after a permanent failure it does not commit."""

import asyncio
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import pytest

from shared.kafka import failure_policy, pipeline, topics
from shared.kafka.dead_letters import dead_letter
from shared.kafka.failures import InvalidRecord
from shared.kafka.options import SubscriptionOptions
from shared.kafka.publisher import RECORD_BYTES_MAX, PreparedRecord, Row
from shared.kafka.records import Record
from shared.kafka.subscription import Subscription
from tests.builders import a_record
from tests.fakes import FakeConsumer, FakePublisher, FakeRecord, FakeSubscriber, header
from tests.patience import PATIENCE_S

LETTERS = topics.dead_letters("router")


@pytest.fixture(autouse=True)
def no_long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failure_policy, "LONGEST_PAUSE_S", 0.001)


class RefusingPublisher(FakePublisher):
    """Fails on dead letters with a permanent error."""

    async def deliver(self, topics: AbstractSet[str], rows: Iterable[Row]) -> None:
        if LETTERS in topics:
            raise ArithmeticError("a defect")
        await super().deliver(topics, rows)


class SlowConsumer(FakeConsumer):
    """Delays the first commit until the test releases it."""

    def __init__(self) -> None:
        super().__init__()
        self.first = asyncio.Event()
        self.asked = 0

    async def commit(self, offsets: Any) -> None:
        self.asked += 1
        if self.asked == 1:
            await self.first.wait()
        await super().commit(offsets)


def read(record: Record) -> bytes:
    if record.value is None or record.value == b"invalid":
        raise InvalidRecord("this one is invalid")
    return record.value


class Work:
    """A subscription that publishes each item to `out` and records the order of events."""

    def __init__(self, publisher: FakePublisher | None = None, consumer: FakeConsumer | None = None) -> None:
        self.publisher, self.consumer = publisher or FakePublisher(), consumer or FakeConsumer()
        self.broken: list[BaseException] = []
        self.published: list[tuple[bytes, int]] = []
        self.fails_when_published = False
        options: SubscriptionOptions[bytes] = SubscriptionOptions(
            "router", "router-core", read, self.take, self.publisher, topics=("a",), published=self.after_publishing
        )
        self.subscription: Subscription[bytes] = Subscription(options, self.broken.append)
        self.subscription.subscriber = FakeSubscriber(self.consumer)
        self.pipeline = self.subscription.pipeline

    async def take(self, batch: Sequence[bytes]) -> list[PreparedRecord]:
        return [PreparedRecord("out", (None, one, ())) for one in batch]

    async def after_publishing(self, batch: Sequence[bytes]) -> None:
        self.published += [(one, len(self.publisher.on("out"))) for one in batch]
        if self.fails_when_published:
            raise ArithmeticError("a defect")

    async def consume(self, offset: int, value: bytes = b"1", timestamp: int = 0) -> None:
        records: list[Any] = [FakeRecord("a", 0, offset, value, timestamp=timestamp)]
        await self.pipeline.consume(records)


async def settled() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


async def test_the_published_callback_runs_after_the_confirmation() -> None:
    work = Work()
    await work.consume(0)
    await work.pipeline.drained(5)
    assert work.published == [(b"1", 1)]


async def test_commits_are_sequential() -> None:
    consumer = SlowConsumer()
    work = Work(consumer=consumer)
    await work.consume(0)
    await settled()
    await work.consume(1)
    await settled()
    assert (consumer.asked, consumer.commits) == (1, [])
    consumer.first.set()
    await work.pipeline.drained(5)
    assert consumer.commits == [{("a", 0): 1}, {("a", 0): 2}]


async def test_batches_confirmed_during_a_commit_share_the_next_one() -> None:
    consumer = SlowConsumer()
    work = Work(consumer=consumer)
    for offset in range(4):
        await work.consume(offset)
        await settled()
    assert ([one for one, _ in work.published], consumer.commits) == ([b"1"] * 4, [])
    consumer.first.set()
    await work.pipeline.drained(5)
    assert consumer.commits == [{("a", 0): 1}, {("a", 0): 4}]


async def test_a_batch_waits_for_a_commit_when_too_many_are_uncommitted() -> None:
    consumer = SlowConsumer()
    work = Work(consumer=consumer)
    for offset in range(pipeline.UNCOMMITTED_BATCHES_MAX):
        await work.consume(offset)
        await settled()
    waiting = asyncio.create_task(work.consume(pipeline.UNCOMMITTED_BATCHES_MAX))
    await settled()
    assert not waiting.done()
    consumer.first.set()
    await waiting
    await work.pipeline.drained(5)
    assert consumer.commits[-1] == {("a", 0): pipeline.UNCOMMITTED_BATCHES_MAX + 1}


async def test_a_permanent_failure_before_the_confirmation_is_reported_and_blocks_the_batch() -> None:
    work = Work(RefusingPublisher())
    going = asyncio.create_task(work.consume(0, b"invalid"))
    await settled()
    assert [type(one) for one in work.broken] == [ArithmeticError]
    assert (going.done(), work.consumer.commits) == (False, [])
    going.cancel()
    with pytest.raises(asyncio.CancelledError):
        await going


async def test_after_a_permanent_failure_of_a_confirmation_nothing_is_committed() -> None:
    work = Work(RefusingPublisher())
    work.fails_when_published = True
    await work.consume(0)
    async with asyncio.timeout(PATIENCE_S):
        while not work.broken:
            await asyncio.sleep(0.001)
    work.fails_when_published = False
    later = asyncio.create_task(work.consume(1))
    await settled()
    assert ([type(one) for one in work.broken], later.done()) == ([ArithmeticError], False)
    assert work.consumer.commits == []
    later.cancel()
    with pytest.raises(asyncio.CancelledError):
        await later
    await work.pipeline.stop()


async def test_a_failing_record_becomes_a_dead_letter_after_the_maximum_of_attempts() -> None:
    work = Work()
    work.fails_when_published = True
    await work.consume(0)
    await work.pipeline.drained(5)
    # Once in its batch, then alone.
    assert len(work.published) == 1 + failure_policy.ATTEMPTS
    [letter] = work.publisher.on(LETTERS)
    assert header(letter, "dl_attempts") == str(failure_policy.ATTEMPTS)


async def test_the_lag_in_seconds_is_the_age_of_the_oldest_record_in_flight() -> None:
    work = Work()
    work.publisher.gate.clear()
    records: list[Any] = [FakeRecord("a", 0, offset, b"1", timestamp=at) for offset, at in ((0, 1_000), (1, 9_000))]
    await work.pipeline.consume(records)
    assert list(work.pipeline.oldest_ms) == [{"a": 1_000}]
    work.publisher.gate.set()
    await work.pipeline.drained(5)


# ── health ───────────────────────────────────────────────────────────────────


async def test_hanging_batches_and_failing_or_missing_polls_are_reported() -> None:
    work = Work()
    health = work.subscription.health
    assert health.stuck(30) is None
    health.last_poll -= 31
    assert health.stuck(30) == "router-core has not polled for 30 s"
    work.publisher.gate.clear()
    await work.consume(0)
    assert health.stuck(30) is None
    work.pipeline.progressed_at -= 31
    assert health.stuck(30) == "router-core has made no progress with a batch for more than 30 s"
    work.pipeline.polling.failure = "KafkaConnectionError"
    assert health.why_not_ready() == "router-core cannot poll: KafkaConnectionError"
    work.publisher.gate.set()
    await work.pipeline.drained(5)


def test_a_record_too_large_for_any_topic_leaves_a_dead_letter_with_its_location() -> None:
    whole = dead_letter("router", a_record(bytes(RECORD_BYTES_MAX - 10_000)), "permanent", "why", 1)
    assert len(whole[1] or b"") == RECORD_BYTES_MAX - 10_000
    cut = dead_letter("router", a_record(bytes(RECORD_BYTES_MAX), offset=7), "permanent", "why", 1)
    assert (cut[0], cut[1], header(cut, "dl_offset")) == (None, None, "7")
    assert int(header(cut, "dl_cut")) > RECORD_BYTES_MAX
