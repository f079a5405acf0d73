"""The ledger's order of writes: whatever dies in between, what was answered is published, and nothing waits for the relay."""

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


@pytest.fixture
async def book(database: Database) -> AsyncIterator[Ledger]:
    one = Ledger(database, "ledger")
    await one.prepare()
    async with in_background(one.write_groups):
        yield one


def entry(id_: str, n: int = 0) -> Entry:
    return Entry(id_, INQUIRY, n, "chorus.inquiry.received", MONDAY_NOON, "{}", id_, "chorus/intake", "resident")


async def test_the_note_is_there_before_the_entry_so_that_a_crash_in_between_loses_nothing(
    book: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted_before: list[list[str]] = []

    async def watched(collection: Any, documents: Any) -> set[Any]:
        noted_before.extend([note["entries"] for note in await book.unpublished.find({}).to_list(None)])
        return await insert_new(collection, documents)

    monkeypatch.setattr(ledger, "insert_new", watched)
    await book.accept(entry("e1"))
    assert noted_before == [["e1"]]


async def test_a_note_is_not_the_relays_while_its_writer_publishes_it(book: Ledger) -> None:
    await book.accept(entry("e1"))
    [note] = await book.unpublished.find({}).to_list(None)
    assert note["due_at"] - note["noted_at"] == timedelta(seconds=LEASE_S)


async def test_until_kafka_has_confirmed_an_entry_its_note_stays(book: Ledger, publisher: FakePublisher) -> None:
    publisher.gate.clear()
    async with in_background(Relay(book, publisher).publish_fresh):
        await book.accept(entry("e1"))
        async with asyncio.timeout(10):
            while not publisher.calls:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        assert await book.unpublished.count_documents({}) == 1
        publisher.gate.set()
        await publisher.until(1, topics.INPUTS)
        async with asyncio.timeout(10):
            while await book.unpublished.count_documents({}):
                await asyncio.sleep(0.01)


async def test_the_relay_publishes_an_entry_after_the_earlier_one_that_another_process_holds(
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


async def test_with_very_much_to_publish_entries_are_accepted_and_left_to_the_relay(book: Ledger) -> None:
    book.fresh = asyncio.Queue(maxsize=1)
    for number in range(3):
        async with asyncio.timeout(10):
            assert (await book.accept(entry(f"e{number}", number))).new
    assert (book.fresh.qsize(), await book.unpublished.count_documents({})) == (1, 3)


async def test_no_two_entries_of_an_inquiry_have_the_same_number(book: Ledger) -> None:
    await book.entries.insert_one(entry("e1").document())
    with pytest.raises(DuplicateKeyError):
        await book.entries.insert_one(entry("e2").document())


async def test_every_write_is_confirmed_by_the_journal_of_a_majority() -> None:
    database = connect("mongodb://127.0.0.1:1", "nowhere")
    assert database.write_concern.document == {"w": "majority", "j": True}
    assert database["any"].write_concern.document == {"w": "majority", "j": True}
    await close(database)


@pytest.mark.parametrize("count", [1, 50, 51, 120])
async def test_documents_are_found_however_many_are_asked_for(database: Database, count: int) -> None:
    await database["many"].insert_many([{"_id": number} for number in range(count)])
    found = await find_by(database["many"], "_id", list(range(count)))
    assert sorted(one["_id"] for one in found) == list(range(count))
