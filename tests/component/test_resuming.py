"""A group with progress in the store: reading starts there if the store is older than the committed offset."""

import asyncio
import logging
from collections.abc import Collection, Mapping

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError

from shared.kafka import failure_policy
from shared.store.mongo import StoreUnavailable
from tests.consumers import Log, Reader
from tests.patience import PATIENCE_S

FIRST, SECOND = TopicPartition("a", 0), TopicPartition("a", 1)


@pytest.fixture(autouse=True)
def no_long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failure_policy, "LONGEST_PAUSE_S", 0.001)


class Place:
    """Progress in memory; the first `away` reads fail."""

    def __init__(self, stored: Mapping[int, int]) -> None:
        self.stored = dict(stored)
        self.asked: list[list[int]] = []
        self.away = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def next_offsets(self, partitions: Collection[int]) -> Mapping[int, int]:
        self.asked.append(list(partitions))
        await self.gate.wait()
        self._answers()
        return {one: self.stored[one] for one in partitions if one in self.stored}

    async def note(self, offsets: Mapping[int, int]) -> None:
        self._answers()
        self.stored.update(offsets)

    def _answers(self) -> None:
        if self.away:
            self.away -= 1
            raise StoreUnavailable("the store is away")


async def assigned(log: Log, stored: Mapping[int, int]) -> tuple[Reader, Place]:
    """A subscription with all partitions of this log assigned."""
    reader, place = Reader(log), Place(stored)
    reader.options.progress = place
    await reader.subscription.membership.on_partitions_assigned(log.places)
    return reader, place


async def test_reading_starts_at_the_progress_of_an_older_store() -> None:
    reader, _ = await assigned(Log({0: 5, 1: 5}, committed_offsets={0: 4, 1: 5}), {0: 2, 1: 5})
    await reader.read_on()
    assert reader.handled == [b"0/2", b"0/3", b"0/4"]


async def test_reading_starts_at_the_committed_offset_if_the_store_is_newer() -> None:
    reader, _ = await assigned(Log({0: 5}, committed_offsets={0: 2}), {0: 5})
    await reader.read_on()
    assert reader.handled == [b"0/2", b"0/3", b"0/4"]


async def test_reading_starts_at_the_beginning_with_an_empty_store() -> None:
    reader, _ = await assigned(Log({0: 3}, committed_offsets={0: 3}), {})
    await reader.read_on()
    assert reader.handled == [b"0/0", b"0/1", b"0/2"]


async def test_reading_starts_at_the_beginning_without_committed_offsets() -> None:
    reader, _ = await assigned(Log({0: 3}), {0: 9})
    await reader.read_on()
    assert reader.handled == [b"0/0", b"0/1", b"0/2"]


async def test_each_rewound_partition_is_logged_with_both_offsets(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "chorus")
    reader, _ = await assigned(Log({0: 5, 1: 5}, committed_offsets={0: 4, 1: 5}), {0: 2, 1: 5})
    await reader.read_on()
    await reader.read_on()
    [said] = [vars(one) for one in caplog.records if one.name == "chorus"]
    assert (said["partition"], said["committed"], said["read_from"]) == ("a-0", 4, 2)
    assert "read again" in said["msg"]


async def test_progress_is_read_once_after_each_assignment() -> None:
    reader, place = await assigned(Log({0: 2, 1: 2}), {})
    await reader.read_on()
    await reader.read_on()
    assert place.asked == [[0, 1]]
    await reader.subscription.membership.on_partitions_assigned({FIRST})
    reader.log.places = {FIRST}
    await reader.read_on()
    assert place.asked == [[0, 1], [0]]


async def test_nothing_is_polled_while_the_store_is_unavailable() -> None:
    reader, place = await assigned(Log({0: 3}, committed_offsets={0: 3}), {0: 1})
    place.gate.clear()
    place.away = 2
    going = asyncio.create_task(reader.read_on())
    place.gate.set()
    async with asyncio.timeout(PATIENCE_S):
        while reader.pipeline.policy.waiting_for is None:
            await asyncio.sleep(0)
    assert (reader.log.positions, reader.handled) == ({FIRST: 3}, [])
    assert reader.subscription.health.why_not_ready() == "router-core waits for mongodb"
    await asyncio.wait_for(going, 5)
    assert reader.handled == [b"0/1", b"0/2"]


async def test_a_batch_polled_before_reading_the_progress_is_discarded() -> None:
    """The first poll starts before partitions are assigned, and returns records from the committed offset."""
    reader, _ = await assigned(Log({0: 5}, committed_offsets={0: 3}), {0: 1})
    late = await reader.log.getmany()
    await reader.pipeline.consume(late[FIRST])
    assert (reader.handled, reader.log.commits, reader.pipeline.idle.is_set()) == ([], [], True)
    await reader.read_on()
    assert reader.handled == [b"0/1", b"0/2", b"0/3", b"0/4"]


async def test_a_rebalance_while_reading_the_progress_reads_it_again() -> None:
    reader, place = await assigned(Log({0: 5, 1: 5}, committed_offsets={0: 5, 1: 5}), {0: 1, 1: 2})
    reader.log.places = {FIRST}
    place.gate.clear()
    poll = asyncio.create_task(reader.poll())
    async with asyncio.timeout(PATIENCE_S):
        while not place.asked:
            await asyncio.sleep(0)
    reader.log.places = {SECOND}
    await reader.subscription.membership.on_partitions_assigned({SECOND})
    place.gate.set()
    await reader.pipeline.consume(await asyncio.wait_for(poll, 5))
    assert reader.handled == []
    await reader.read_on()
    assert (place.asked, reader.handled) == ([[0], [1]], [b"1/2", b"1/3", b"1/4"])


async def test_a_failed_poll_does_not_return_to_the_committed_offset() -> None:
    log = Log({0: 5}, committed_offsets={0: 5}, unpackable={(0, 4)})
    log.error = KafkaConnectionError
    reader, _ = await assigned(log, {0: 2})
    with pytest.raises(KafkaConnectionError):
        await reader.poll()
    log.unpackable = set()
    await reader.read_on()
    assert reader.handled == [b"0/2", b"0/3", b"0/4"]


async def test_progress_is_stored_before_the_commit() -> None:
    reader, place = await assigned(Log({0: 3}), {})
    noted: list[tuple[dict[int, int], int]] = []
    note = place.note

    async def watched(offsets: Mapping[int, int]) -> None:
        await note(offsets)
        noted.append((dict(offsets), len(reader.log.commits)))

    place.note = watched  # type: ignore[method-assign]
    await reader.read_on()
    assert noted == [({0: 3}, 0)]
    assert reader.log.commits == [{("a", 0): 3}]


async def test_offsets_are_not_committed_while_progress_cannot_be_stored() -> None:
    reader, place = await assigned(Log({0: 3}), {})
    await reader.poll()
    place.away = 3
    reader.log.positions = {FIRST: 0}
    await reader.read_on()
    assert (place.away, place.stored, reader.log.commits) == (0, {0: 3}, [{("a", 0): 3}])


async def test_a_process_killed_after_rewinding_rewinds_again() -> None:
    """It has committed earlier offsets than before; the store still has the progress of the rest."""
    log = Log({0: 9}, committed_offsets={0: 9})
    reader, place = await assigned(log, {0: 2})
    reader.options.most = 3
    await reader.read_on()
    assert log.commits == [{("a", 0): 5}]
    for committed in (5, 9):
        again, _ = await assigned(Log({0: 9}, committed_offsets={0: committed}), place.stored)
        await again.read_on()
        assert again.handled == [b"0/5", b"0/6", b"0/7", b"0/8"]
