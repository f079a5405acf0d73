"""Polls and rebalances: the position after a failed poll, without skipping or repeating records."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaError, TopicAuthorizationFailedError, UnsupportedCodecError

from shared.kafka.fetched_batches import Unreadable
from shared.kafka.records import Record
from tests.consumers import LETTERS, Log, Reader
from tests.fakes import FakePublisher, FakeRecord, header

FIRST, SECOND = TopicPartition("a", 0), TopicPartition("a", 1)


def places(found: Sequence[Any]) -> list[tuple[int, int]]:
    return [(record.partition, record.offset) for record in found]


# ── where reading goes on after a failed poll ────────────────────────────────


async def test_after_a_failed_poll_reading_continues_at_the_first_unhandled_record() -> None:
    reader = Reader(Log({0: 5, 1: 9}))
    await reader.read_on()
    reader.log.sizes |= {0: 7, 1: 12}
    reader.log.unpackable = {(1, 10)}
    found = await reader.poll()
    assert places(found) == [(0, 5), (1, 9)]
    assert reader.log.positions == {FIRST: 6, SECOND: 10}


async def test_after_a_failed_first_poll_reading_continues_at_the_committed_offset() -> None:
    reader = Reader(Log({0: 5, 1: 5}, committed_offsets={0: 3, 1: 2}, unpackable={(1, 4)}))
    assert places(await reader.poll()) == [(0, 3), (1, 2)]


async def test_without_a_committed_offset_reading_continues_at_the_beginning() -> None:
    reader = Reader(Log({0: 5, 1: 5}, unpackable={(1, 4)}))
    assert places(await reader.poll()) == [(0, 0), (1, 0)]


async def test_a_committed_offset_of_0_is_used() -> None:
    reader = Reader(Log({0: 5, 1: 5}, committed_offsets={0: 0, 1: 0}, unpackable={(1, 4)}))
    assert places(await reader.poll()) == [(0, 0), (1, 0)]


async def test_without_a_group_reading_continues_at_the_beginning() -> None:
    reader = Reader(Log({0: 5, 1: 5}, committed_offsets={0: 3, 1: 3}, unpackable={(1, 4)}), group=None)
    assert places(await reader.poll()) == [(0, 0), (1, 0)]


async def test_the_poll_after_an_outage_reads_all_records() -> None:
    reader = Reader(Log({0: 2, 1: 2}, unpackable={(1, 1)}, error=KafkaConnectionError))
    with pytest.raises(KafkaConnectionError):
        await reader.poll()
    told = [reader.pipeline.polling.failure]
    reader.log.unpackable = set()
    assert places(await reader.poll()) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert [*told, reader.pipeline.polling.failure] == ["KafkaConnectionError", None]
    assert reader.letters == []


def ended() -> KafkaError:
    """The error of every poll after aiokafka's coordination task has ended."""
    return KafkaError("Unexpected error during coordination RuntimeError('the handler is closed')")


async def broken_by(error: Callable[[], Exception]) -> list[BaseException]:
    """The error that ends the process when a poll fails with this error; nothing goes to dead letters."""
    broken: list[BaseException] = []
    reader = Reader(Log({0: 2}, unpackable={(0, 0)}, error=error))
    reader.pipeline.polling.broken = broken.append
    with pytest.raises(type(error())):
        await reader.poll()
    assert reader.letters == []
    return broken


async def test_the_process_ends_when_the_consumers_coordination_task_has_ended() -> None:
    assert [str(one) for one in await broken_by(ended)] == [str(ended())]


async def test_other_kafka_errors_are_retried() -> None:
    assert await broken_by(KafkaConnectionError) == []
    assert await broken_by(lambda: KafkaError("Unable to get cluster metadata over all known brokers")) == []


async def test_losing_the_right_to_read_a_topic_ends_the_process() -> None:
    broken = await broken_by(TopicAuthorizationFailedError)
    assert [type(one) for one in broken] == [TopicAuthorizationFailedError]


async def test_a_failed_rewind_is_repeated_before_the_next_fetch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The failed fetch has moved past records of the other partition that it did not return."""
    reader = Reader(Log({0: 2, 1: 2}, unpackable={(1, 1)}, error=KafkaConnectionError))

    async def away(partition: TopicPartition) -> int | None:
        raise KafkaConnectionError

    with monkeypatch.context() as patched:
        patched.setattr(reader.log, "committed", away)
        for _ in range(2):
            with pytest.raises(KafkaConnectionError):
                await reader.poll()
    assert reader.log.positions[FIRST] == 2
    reader.log.unpackable = set()
    assert places(await reader.poll()) == [(0, 0), (0, 1), (1, 0), (1, 1)]


# ── a record that cannot be unpacked ─────────────────────────────────────────


@pytest.mark.parametrize("error", [None, UnsupportedCodecError, AssertionError])
async def test_a_corrupt_record_becomes_a_dead_letter_and_others_are_handled(
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


async def test_a_corrupt_record_becomes_one_dead_letter_after_repeated_polls() -> None:
    reader = Reader(Log({0: 4}, unpackable={(0, 0), (0, 2)}))
    for _ in range(4):
        await reader.read_on()
    assert reader.letters == ["0/0", "0/2"]
    assert reader.handled == [b"0/1", b"0/3"]


async def test_a_corrupt_last_record_becomes_a_dead_letter_too() -> None:
    reader = Reader(Log({0: 2, 1: 1}, unpackable={(0, 1)}))
    await reader.read_on()
    await reader.read_on()
    assert (reader.letters, sorted(reader.handled)) == (["0/1"], [b"0/0", b"1/0"])


async def test_partitions_read_to_the_end_do_not_delay_the_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reader(Log({0: 0, 1: 2}, unpackable={(1, 1)}))
    asked: list[TopicPartition] = []
    getmany = reader.log.getmany

    async def watched(*partitions: TopicPartition, **more: Any) -> Any:
        asked.extend(partitions)
        return await getmany(*partitions, **more)

    monkeypatch.setattr(reader.log, "getmany", watched)
    await reader.poll()
    assert asked == [SECOND]


async def test_a_late_commit_of_an_earlier_batch_does_not_move_the_position_back() -> None:
    reader = Reader(Log({0: 9}))
    reader.pipeline.polling.go_on_from({FIRST: 7})
    await reader.pipeline.commit({FIRST: 5})
    await reader.pipeline.polling.rewind(reader.log)
    assert reader.log.positions == {FIRST: 7}


async def test_an_unreadable_record_becomes_a_dead_letter_and_its_neighbours_are_handled() -> None:
    reader = Reader(Log({0: 3}))
    unreadable = FakeRecord("a", 0, 1, Unreadable("It cannot be decompressed."))
    records: list[Any] = [FakeRecord("a", 0, 0, b"0/0"), unreadable, FakeRecord("a", 0, 2, b"0/2")]
    await reader.pipeline.consume(records)
    await reader.pipeline.drained(5)
    assert (reader.handled, reader.letters) == ([b"0/0", b"0/2"], ["0/1"])
    [letter] = reader.publisher.on(LETTERS)
    assert (letter[:2], header(letter, "dl_reason")) == ((None, None), "It cannot be decompressed.")
    assert reader.log.commits == [{("a", 0): 3}]


# ── transactions ─────────────────────────────────────────────────────────────


def lag(reader: Reader) -> int:
    [(messages, _)] = reader.subscription.health.lag().values()
    return messages


async def test_control_records_at_the_end_are_no_lag_and_are_committed_once() -> None:
    reader = Reader(Log({0: 4, 1: 1}, controls={(0, 2), (0, 3), (1, 0)}))
    await reader.read_on()
    assert (reader.handled, lag(reader), reader.log.commits) == ([b"0/0", b"0/1"], 0, [{("a", 0): 2}])
    for _ in range(3):
        await reader.read_on()
    assert (reader.log.commits[1:], lag(reader)) == ([{("a", 0): 4, ("a", 1): 1}], 0)
    reader.log.sizes[0] = 5
    assert lag(reader) == 1
    await reader.read_on()
    assert (reader.handled[2:], reader.log.commits[2:], lag(reader)) == ([b"0/4"], [{("a", 0): 5}], 0)


async def test_control_records_after_a_batch_in_progress_are_not_committed_before_it() -> None:
    reader = Reader(Log({0: 3}, controls={(0, 2)}))
    reader.hold()
    work = asyncio.create_task(reader.read_on())
    await asyncio.wait_for(reader.begun.wait(), 5)
    assert await reader.poll() == ()
    assert (reader.log.commits, lag(reader)) == ([], 3)
    reader.go_on.set()
    await asyncio.wait_for(work, 5)
    assert await reader.poll() == ()
    assert (reader.log.commits, lag(reader)) == ([{("a", 0): 2}, {("a", 0): 3}], 0)


async def test_after_a_restart_a_control_record_at_the_end_is_committed_and_is_no_lag() -> None:
    reader = Reader(Log({0: 3}, committed_offsets={0: 2}, controls={(0, 2)}))
    await reader.read_on()
    assert (reader.log.commits, lag(reader)) == ([{("a", 0): 3}], 0)
    other = Reader(Log({0: 3}, committed_offsets={0: 3}))
    await other.read_on()
    assert other.log.commits == []


async def test_an_open_transaction_is_reported_and_is_no_lag_and_other_partitions_continue() -> None:
    reader = Reader(Log({0: 5, 1: 2}, open_at={0: 1}))
    now = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)
    health = reader.subscription.health
    health.open_transactions.now = lambda: now
    await reader.read_on()
    assert sorted(reader.handled) == [b"0/0", b"1/0", b"1/1"]
    assert (lag(reader), health.held_back(), health.open_transactions.warnings()) == (0, {"a": 4}, [])
    now += timedelta(seconds=5)
    reader.log.sizes[0] = 6
    assert health.held_back() == {"a": 5}
    assert health.open_transactions.warnings() == [
        "an open transaction on a-0 holds back 5 records since 2026-11-28T09:30:00.000Z"
    ]
    reader.log.open_at = {0: 3}  # another transaction, which has only begun
    assert (health.held_back(), health.open_transactions.warnings()) == ({"a": 3}, [])
    reader.log.open_at, reader.log.controls = {}, {(0, 5)}
    await reader.read_on()
    assert (health.held_back(), lag(reader), len(reader.handled)) == ({}, 0, 7)


# ── rebalances ───────────────────────────────────────────────────────────────


async def test_the_current_batch_is_committed_before_partitions_are_revoked() -> None:
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


async def test_a_batch_of_a_previous_assignment_is_not_committed() -> None:
    reader = Reader(Log({0: 2}))
    reader.hold()
    work = asyncio.create_task(reader.read_on())
    await asyncio.wait_for(reader.begun.wait(), 5)
    await reader.subscription.membership.on_partitions_assigned({FIRST})
    reader.go_on.set()
    await asyncio.wait_for(work, 5)
    assert (reader.handled, reader.log.commits) == ([b"0/0", b"0/1"], [])


async def test_after_a_rebalance_reading_continues_at_the_groups_committed_offset() -> None:
    reader = Reader(Log({0: 9}))
    await reader.read_on()
    reader.pipeline.forget()
    reader.log.committed_offsets = {0: 4}
    await reader.pipeline.polling.rewind(reader.log)
    assert reader.log.positions == {FIRST: 4}


# ── parking ──────────────────────────────────────────────────────────────────


class Lot:
    """Records the number of dead letters at the time an item was parked."""

    def __init__(self, publisher: FakePublisher) -> None:
        self.publisher = publisher
        self.letters_before: list[int] = []

    async def refresh(self) -> None:
        """Nothing is parked."""

    def waits(self, item: bytes) -> str | None:
        return "its inquiry is parked" if item == b"0/1" else None

    async def park(self, record: Record, item: bytes, kind: str, reason: str) -> None:
        self.letters_before.append(len(self.publisher.on(LETTERS)))


async def test_an_item_is_parked_before_its_dead_letter_is_published() -> None:
    """If the process dies in between, the inquiry is parked. In the other order, later inputs would overtake."""
    reader = Reader(Log({0: 2}))
    reader.options.parking = lot = Lot(reader.publisher)
    await reader.read_on()
    assert (lot.letters_before, reader.letters) == ([0], ["0/1"])
