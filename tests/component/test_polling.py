"""Polls, rebalances and commits: where reading goes on after a failed poll, and that nothing is passed over or kept."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError, TopicAuthorizationFailedError, UnsupportedCodecError
from faststream.kafka import KafkaBroker

from shared.kafka import topics
from shared.kafka.options import SubscriptionOptions
from shared.kafka.records import Record
from shared.kafka.subscription import Subscription
from tests.consumers import Log, consumer_made_for
from tests.fakes import FakePublisher, FakeRecord, FakeSubscriber, header

LETTERS = topics.dead_letters("router")
FIRST, SECOND = TopicPartition("a", 0), TopicPartition("a", 1)


class Reader:
    """A subscription over a log in memory; `hold` keeps its batches in hand."""

    def __init__(self, log: Log, group: str | None = "router-core", instance: str | None = None) -> None:
        self.log, self.publisher = log, FakePublisher()
        self.handled: list[bytes] = []
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()
        self.go_on.set()
        self.options: SubscriptionOptions[bytes] = SubscriptionOptions(
            "router", group, lambda record: record.value, self.take, self.publisher, topics=("a",), instance=instance
        )
        self.subscription: Subscription[bytes] = Subscription(self.options)
        self.subscription.subscriber = FakeSubscriber(log)
        self.pipeline = self.subscription.pipeline

    async def take(self, batch: Sequence[bytes]) -> None:
        self.begun.set()
        await self.go_on.wait()
        self.handled += batch

    def hold(self) -> None:
        self.go_on.clear()

    async def poll(self) -> tuple[Any, ...]:
        """One poll, as FastStream asks for it; what it found."""
        found: tuple[Any, ...] = await self.subscription._poll(self.log)
        return found

    async def read_on(self) -> None:
        """One poll, and what it found taken to its commit."""
        if found := await self.poll():
            await self.pipeline.consume(found)
            await self.pipeline.drained(5)

    @property
    def letters(self) -> list[str]:
        """The places of the records that lie in the dead letters."""
        return [f"{header(row, 'dl_partition')}/{header(row, 'dl_offset')}" for row in self.publisher.on(LETTERS)]


def places(found: Sequence[Any]) -> list[tuple[int, int]]:
    return [(record.partition, record.offset) for record in found]


# ── who commits ──────────────────────────────────────────────────────────────


async def made(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The consumer that FastStream makes for a reader."""
    broker = KafkaBroker(logger=None, apply_types=False)
    reader.subscription.attach(broker)
    return await consumer_made_for(reader.subscription, broker, monkeypatch)


@pytest.mark.parametrize("group", ["router-core", None])
async def test_the_consumer_commits_nothing_by_itself_and_begins_at_the_beginning(
    group: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumer = await made(Reader(Log({0: 0}), group), monkeypatch)
    assert (consumer._enable_auto_commit, consumer._auto_offset_reset, consumer._group_id) == (False, "earliest", group)


async def test_the_consumer_tells_its_subscription_of_every_rebalance(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reader(Log({0: 0}))
    consumer = await made(reader, monkeypatch)
    assert consumer._subscription.subscription.topics == {"a"}
    assert consumer._subscription._listener is reader.subscription.membership


@pytest.mark.parametrize(
    ("group", "instance", "named", "session_s"),
    [
        ("router-core", None, None, 10),
        ("router-core", "router-1", "router-1.router-core", 30),
        (None, "router-1", None, 10),
    ],
)
async def test_a_process_with_a_name_keeps_its_partitions_over_a_restart_and_one_without_gives_them_up_soon(
    group: str | None, instance: str | None, named: str | None, session_s: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name tells the group too: one process is a member of several."""
    consumer = await made(Reader(Log({0: 0}), group, instance), monkeypatch)
    assert consumer._group_instance_id == named
    assert consumer._session_timeout_ms == session_s * 1000
    assert consumer._heartbeat_interval_ms == session_s * 100


async def test_a_batch_that_waits_for_a_dependency_loses_no_partitions(monkeypatch: pytest.MonkeyPatch) -> None:
    consumer = await made(Reader(Log({0: 0})), monkeypatch)
    assert consumer._max_poll_interval_ms == 2**31 - 1


async def test_headers_of_any_bytes_lose_no_batch_and_nobody_is_answered_where_a_header_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reader = Reader(Log({0: 0}))
    await made(reader, monkeypatch)
    subscriber = reader.subscription.subscriber
    headers = [("x", b"\xfe"), ("y", None), ("reply_to", b"inquiries.inputs")]
    await subscriber.process_message((FakeRecord("a", 0, 0, b"0/0", headers=headers), FakeRecord("a", 0, 1, b"0/1")))
    await reader.pipeline.drained(5)
    assert reader.handled == [b"0/0", b"0/1"]
    assert subscriber._no_reply


# ── where reading goes on after a failed poll ────────────────────────────────


async def test_after_a_failed_poll_reading_goes_on_at_the_first_record_that_was_not_handled() -> None:
    reader = Reader(Log({0: 5, 1: 9}))
    await reader.read_on()
    reader.log.sizes |= {0: 7, 1: 12}
    reader.log.unpackable = {(1, 10)}
    found = await reader.poll()
    assert places(found) == [(0, 5), (1, 9)]
    assert reader.log.positions == {FIRST: 6, SECOND: 10}


async def test_with_nothing_handled_yet_reading_goes_on_at_the_committed_offset() -> None:
    reader = Reader(Log({0: 5, 1: 5}, committed_offsets={0: 3, 1: 2}, unpackable={(1, 4)}))
    assert places(await reader.poll()) == [(0, 3), (1, 2)]


async def test_with_nothing_committed_either_reading_goes_on_at_the_beginning() -> None:
    reader = Reader(Log({0: 5, 1: 5}, unpackable={(1, 4)}))
    assert places(await reader.poll()) == [(0, 0), (1, 0)]


async def test_with_the_beginning_committed_reading_goes_on_there() -> None:
    reader = Reader(Log({0: 5, 1: 5}, committed_offsets={0: 0, 1: 0}, unpackable={(1, 4)}))
    assert places(await reader.poll()) == [(0, 0), (1, 0)]


async def test_without_a_group_reading_goes_on_at_the_beginning() -> None:
    reader = Reader(Log({0: 5, 1: 5}, committed_offsets={0: 3, 1: 3}, unpackable={(1, 4)}), group=None)
    assert places(await reader.poll()) == [(0, 0), (1, 0)]


async def test_while_kafka_is_away_a_poll_fails_and_the_next_one_reads_everything() -> None:
    reader = Reader(Log({0: 2, 1: 2}, unpackable={(1, 1)}, error=KafkaConnectionError))
    with pytest.raises(KafkaConnectionError):
        await reader.poll()
    told = [reader.pipeline.polling.failure]
    reader.log.unpackable = set()
    assert places(await reader.poll()) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert [*told, reader.pipeline.polling.failure] == ["KafkaConnectionError", None]
    assert reader.letters == []


async def test_who_may_not_read_a_topic_any_more_ends_the_process_and_polls_no_further() -> None:
    broken: list[BaseException] = []
    reader = Reader(Log({0: 2}, unpackable={(0, 0)}, error=TopicAuthorizationFailedError))
    reader.pipeline.polling.broken = broken.append
    with pytest.raises(TopicAuthorizationFailedError):
        await reader.poll()
    assert [type(one) for one in broken] == [TopicAuthorizationFailedError]
    assert reader.letters == []


# ── a record that cannot be unpacked ─────────────────────────────────────────


@pytest.mark.parametrize("error", [None, UnsupportedCodecError, AssertionError])
async def test_a_record_that_cannot_be_unpacked_leaves_a_dead_letter_and_all_others_are_handled(
    error: type[Exception] | None,
) -> None:
    log = Log({0: 3, 1: 3}, unpackable={(1, 1)})
    log.error = error or log.error
    reader = Reader(log)
    for _ in range(4):
        await reader.read_on()
    assert reader.letters == ["1/1"]
    assert sorted(reader.handled) == [b"0/0", b"0/1", b"0/2", b"1/0", b"1/2"]
    [letter] = reader.publisher.on(LETTERS)
    assert (header(letter, "dl_topic"), header(letter, "dl_kind")) == ("a", "permanent")
    assert "could not be unpacked" in header(letter, "dl_reason")


async def test_a_record_that_cannot_be_unpacked_leaves_one_dead_letter_however_often_polls_fail() -> None:
    reader = Reader(Log({0: 4}, unpackable={(0, 0), (0, 2)}))
    for _ in range(4):
        await reader.read_on()
    assert reader.letters == ["0/0", "0/2"]
    assert reader.handled == [b"0/1", b"0/3"]


async def test_the_last_record_of_a_partition_leaves_a_dead_letter_too() -> None:
    reader = Reader(Log({0: 2, 1: 1}, unpackable={(0, 1)}))
    await reader.read_on()
    await reader.read_on()
    assert (reader.letters, sorted(reader.handled)) == (["0/1"], [b"0/0", b"1/0"])


async def test_a_partition_that_was_read_to_its_end_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reader(Log({0: 0, 1: 2}, unpackable={(1, 1)}))
    asked: list[TopicPartition] = []
    getmany = reader.log.getmany

    async def watched(*partitions: TopicPartition, **more: Any) -> Any:
        asked.extend(partitions)
        return await getmany(*partitions, **more)

    monkeypatch.setattr(reader.log, "getmany", watched)
    await reader.poll()
    assert asked == [SECOND]


async def test_an_earlier_batch_that_is_committed_late_takes_no_position_back() -> None:
    reader = Reader(Log({0: 9}))
    reader.pipeline.polling.go_on_from({FIRST: 7})
    late: list[Any] = [FakeRecord("a", 0, 4, b"1")]
    await reader.pipeline.commit(late)
    await reader.pipeline.polling.rewind(reader.log)
    assert reader.log.positions == {FIRST: 7}


# ── rebalances ───────────────────────────────────────────────────────────────


async def test_before_partitions_go_the_batch_in_hand_is_committed() -> None:
    reader = Reader(Log({0: 2}))
    reader.hold()
    work = asyncio.create_task(reader.read_on())
    await asyncio.wait_for(reader.begun.wait(), 5)
    revoked = asyncio.create_task(reader.subscription.membership.on_partitions_revoked({FIRST}))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not revoked.done()
    reader.go_on.set()
    await asyncio.wait_for(revoked, 5)
    assert reader.log.commits == [{("a", 0): 2}]
    await work


async def test_after_an_assignment_a_batch_of_the_one_before_is_not_committed() -> None:
    reader = Reader(Log({0: 2}))
    reader.hold()
    work = asyncio.create_task(reader.read_on())
    await asyncio.wait_for(reader.begun.wait(), 5)
    await reader.subscription.membership.on_partitions_assigned({FIRST})
    reader.go_on.set()
    await asyncio.wait_for(work, 5)
    assert (reader.handled, reader.log.commits) == ([b"0/0", b"0/1"], [])


async def test_after_a_rebalance_reading_goes_on_where_the_group_is_whatever_was_handled_here_before() -> None:
    reader = Reader(Log({0: 9}))
    await reader.read_on()
    reader.pipeline.forget()
    reader.log.committed_offsets = {0: 4}
    await reader.pipeline.polling.rewind(reader.log)
    assert reader.log.positions == {FIRST: 4}


# ── parking ──────────────────────────────────────────────────────────────────


class Lot:
    """Notes how many dead letters there were when an item was parked."""

    def __init__(self, publisher: FakePublisher) -> None:
        self.publisher = publisher
        self.letters_before: list[int] = []

    async def refresh(self) -> None:
        """Nothing is parked."""

    def waits(self, item: bytes) -> str | None:
        return "its inquiry is parked" if item == b"0/1" else None

    async def park(self, record: Record, item: bytes, kind: str, reason: str) -> None:
        self.letters_before.append(len(self.publisher.on(LETTERS)))


async def test_an_item_is_parked_before_its_dead_letter_is_written() -> None:
    """A process that dies between the two leaves the inquiry held; the other way round it would be overtaken."""
    reader = Reader(Log({0: 2}))
    reader.options.parking = lot = Lot(reader.publisher)
    await reader.read_on()
    assert (lot.letters_before, reader.letters) == ([0], ["0/1"])
