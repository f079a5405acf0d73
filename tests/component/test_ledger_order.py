"""The order of the ledger's writes: acknowledged entries are published after a crash at any point."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from shared.kafka import topics
from shared.ledger import ledger
from shared.ledger.ledger import LEASE_S, Entry, Ledger
from shared.ledger.relay import Relay
from shared.runtime import timestamps
from shared.store.mongo import Database, DuplicateKeyError, close, connect, find_by, insert_new
from tests.builders import INQUIRY, MONDAY_NOON
from tests.component.conftest import in_background
from tests.fakes import FakePublisher
from tests.patience import PATIENCE_S


@pytest.fixture
async def book(database: Database) -> AsyncIterator[Ledger]:
    one = Ledger(database, "ledger")
    await one.prepare()
    async with in_background(one.write_groups):
        yield one


def entry(id_: str, n: int = 0) -> Entry:
    return Entry(id_, INQUIRY, n, "chorus.inquiry.received", MONDAY_NOON, "{}", id_, "chorus/intake", "resident")


async def test_the_note_is_written_before_the_entry(book: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    noted_before: list[list[str]] = []

    async def watched(collection: Any, documents: Any) -> set[Any]:
        noted_before.extend([note["entries"] for note in await book.unpublished.find({}).to_list(None)])
        return await insert_new(collection, documents)

    monkeypatch.setattr(ledger, "insert_new", watched)
    await book.accept(entry("e1"))
    assert noted_before == [["e1"]]


async def test_the_relay_skips_notes_that_their_writer_is_publishing(book: Ledger) -> None:
    await book.accept(entry("e1"))
    [note] = await book.unpublished.find({}).to_list(None)
    assert note["due_at"] - note["noted_at"] == timedelta(seconds=LEASE_S)


async def test_the_note_stays_until_kafka_confirms_the_entry(book: Ledger, publisher: FakePublisher) -> None:
    publisher.gate.clear()
    async with in_background(Relay(book, publisher).publish_fresh):
        await book.accept(entry("e1"))
        async with asyncio.timeout(PATIENCE_S):
            while not publisher.calls:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        assert await book.unpublished.count_documents({}) == 1
        publisher.gate.set()
        await publisher.until(1, topics.INPUTS)
        async with asyncio.timeout(PATIENCE_S):
            while await book.unpublished.count_documents({}):
                await asyncio.sleep(0.01)


async def test_the_relay_waits_for_an_earlier_entry_claimed_by_another_process(
    book: Ledger, publisher: FakePublisher
) -> None:
    for number in range(2):
        await book.accept(entry(f"e{number}", number))
    held, due = timestamps.now() + timedelta(hours=1), timestamps.now() - timedelta(hours=1)
    await book.unpublished.update_one({"entries": "e0"}, {"$set": {"due_at": held}})
    await book.unpublished.update_one({"entries": "e1"}, {"$set": {"due_at": due}})
    async with in_background(Relay(book, publisher).run):
        await publisher.until(2, topics.INPUTS)
    assert publisher.ids(topics.INPUTS) == ["e0", "e1"]


async def test_with_a_long_backlog_entries_are_left_to_the_relay(book: Ledger) -> None:
    book.fresh = asyncio.Queue(maxsize=1)
    for number in range(3):
        async with asyncio.timeout(PATIENCE_S):
            assert (await book.accept(entry(f"e{number}", number))).new
    assert (book.fresh.qsize(), await book.unpublished.count_documents({})) == (1, 3)


async def test_entry_numbers_of_an_inquiry_are_unique(book: Ledger) -> None:
    await book.entries.insert_one(entry("e1").document())
    with pytest.raises(DuplicateKeyError):
        await book.entries.insert_one(entry("e2").document())


async def test_every_write_uses_a_journaled_majority_write_concern() -> None:
    database = connect("mongodb://127.0.0.1:1", "nowhere")
    assert database.write_concern.document == {"w": "majority", "j": True}
    assert database["any"].write_concern.document == {"w": "majority", "j": True}
    await close(database)


@pytest.mark.parametrize("count", [1, 50, 51, 120])
async def test_any_number_of_documents_can_be_requested(database: Database, count: int) -> None:
    await database["many"].insert_many([{"_id": number} for number in range(count)])
    found = await find_by(database["many"], "_id", list(range(count)))
    assert sorted(one["_id"] for one in found) == list(range(count))
