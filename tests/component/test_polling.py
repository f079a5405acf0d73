"""Polls and rebalances: the position after a failed poll, without skipping or repeating records."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaError, TopicAuthorizationFailedError, UnsupportedCodecError

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
    late: list[Any] = [FakeRecord("a", 0, 4, b"1")]
    await reader.pipeline.commit(late)
    await reader.pipeline.polling.rewind(reader.log)
    assert reader.log.positions == {FIRST: 7}


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
