"""The ledger on a real store: entries are stored, then acknowledged, then published in order, despite crashes."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from shared.kafka import topics
from shared.ledger import ledger, relay
from shared.ledger.ledger import Entry, Ledger, WriteUnconfirmed, Written
from shared.ledger.relay import Relay, pause_s
from shared.runtime import metrics, timestamps
from shared.store.mongo import Database, Document, PyMongoError, insert_new
from tests.builders import INQUIRY, MONDAY_NOON
from tests.component.conftest import in_background
from tests.fakes import FakePublisher
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.both_clients


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten leases to 50 ms, so that the relay acts at once; in production they take 5 s."""
    monkeypatch.setattr(ledger, "LEASE_S", 0.05)
    monkeypatch.setattr(relay, "LEASE_S", 0.05)
    monkeypatch.setattr(relay, "RELAY_EVERY_S", 0.01)


@pytest.fixture
async def book(database: Database, publisher: FakePublisher) -> AsyncIterator[Ledger]:
    one = Ledger(database, "ledger")
    await one.prepare()
    async with in_background(one.write_groups):
        yield one


def entry(id_: str, n: int = 0, words: str = "路灯", inquiry_id: str | None = None) -> Entry:
    value = json.dumps({"inquiry_id": inquiry_id or INQUIRY, "subject": words})
    inquiry = inquiry_id or (INQUIRY if n else f"20260316-{abs(hash(id_)) % 10**8:08d}")
    return Entry(id_, inquiry, n, "chorus.inquiry.received", MONDAY_NOON, value, words, "chorus/intake", "resident")


async def noted(book: Ledger) -> list[Document]:
    return await book.unpublished.find({}).to_list(None)


async def test_concurrent_requests_share_an_insert(book: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    inserts: list[int] = []

    async def counted(collection: Any, documents: Any) -> set[Any]:
        inserts.append(len(documents))
        return await insert_new(collection, documents)

    monkeypatch.setattr(ledger, "insert_new", counted)
    written = await asyncio.gather(*(book.accept(entry(f"e{number}")) for number in range(200)))
    assert all(one.new for one in written)
    assert sum(inserts) == 200
    assert len(inserts) <= 5
    assert await book.entries.count_documents({}) == 200


async def test_an_entry_is_durable_before_it_is_published(book: Ledger, publisher: FakePublisher) -> None:
    assert await book.accept(entry("e1")) == Written(new=True)
    assert publisher.records == []
    [note] = await noted(book)
    assert note["entries"] == ["e1"]
    async with in_background(Relay(book, publisher).publish_fresh):
        await publisher.until(1, topics.INPUTS)
    assert publisher.ids() == ["e1"]


async def test_the_note_is_deleted_after_publishing(book: Ledger, publisher: FakePublisher) -> None:
    async with in_background(Relay(book, publisher).publish_fresh):
        await book.accept(entry("e1"))
        await publisher.until(1, topics.INPUTS)
        async with asyncio.timeout(PATIENCE_S):
            while await noted(book):
                pass
    async with in_background(Relay(book, publisher).run):
        await book.accept(entry("e2"))
        await publisher.until(2, topics.INPUTS)
    assert publisher.ids() == ["e1", "e2"]


class SlowToRemove:
    """A collection with slow deletes."""

    def __init__(self, real: Any) -> None:
        self.real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    async def delete_many(self, query: Document) -> None:
        await asyncio.sleep(0.2)
        await self.real.delete_many(query)


async def test_the_next_entry_of_an_inquiry_does_not_wait_for_the_relay(
    book: Ledger, publisher: FakePublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(book, "unpublished", SlowToRemove(book.unpublished))
    async with in_background(Relay(book, publisher).publish_fresh):
        for n in range(3):
            await book.accept(entry(f"e{n}", n, inquiry_id=INQUIRY))
            await publisher.until(n + 1, topics.INPUTS)
    assert publisher.ids() == ["e0", "e1", "e2"]


async def test_a_repeat_returns_the_earlier_entry(book: Ledger) -> None:
    await book.accept(entry("e1"))
    repeat = await book.accept(entry("e1", words="别的"))
    assert not repeat.new
    assert repeat.earlier is not None
    assert (repeat.earlier["fingerprint"], repeat.earlier["inquiry_id"]) == ("路灯", entry("e1").inquiry_id)


async def test_a_repeated_id_in_one_group_is_inserted_once(book: Ledger) -> None:
    first, second = await asyncio.gather(book.accept(entry("e1")), book.accept(entry("e1", words="别的")))
    assert (first.new, second.new) == (True, False)
    assert second.earlier is not None
    assert second.earlier["fingerprint"] == "路灯"


async def test_an_entry_with_a_used_number_is_neither_new_nor_a_repeat(book: Ledger) -> None:
    one, other = await asyncio.gather(book.accept(entry("a", 1)), book.accept(entry("b", 1)))
    assert sorted([one.new, other.new]) == [False, True]
    lost = other if one.new else one
    assert lost.earlier is None


async def test_entries_of_an_inquiry_are_ordered_by_n(book: Ledger) -> None:
    for n in (2, 1, 3):
        await book.accept(entry(f"e{n}", n))
    assert [one["_id"] for one in await book.of(INQUIRY)] == ["e1", "e2", "e3"]


async def test_a_store_error_is_raised_to_its_caller_and_later_entries_work(
    book: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:

    async def failing(collection: Any, documents: Any) -> set[Any]:
        raise PyMongoError("the store broke")

    monkeypatch.setattr(ledger, "insert_new", failing)
    with pytest.raises(PyMongoError, match="the store broke"):
        await book.accept(entry("e1"))
    monkeypatch.setattr(ledger, "insert_new", insert_new)
    assert (await book.accept(entry("e1"))).new


async def test_the_relay_publishes_an_entry_left_by_a_crash_once(
    book: Ledger, publisher: FakePublisher, database: Database
) -> None:
    await asyncio.gather(*(book.accept(entry(f"e{n}", n)) for n in (1, 2, 3)))
    after_the_crash, other = Ledger(database, "ledger"), Ledger(database, "ledger")
    async with in_background(Relay(after_the_crash, publisher).run, Relay(other, publisher).run):
        await publisher.until(3, topics.INPUTS)
        async with asyncio.timeout(PATIENCE_S):
            while await noted(book):
                pass
    assert publisher.ids() == ["e1", "e2", "e3"]


async def test_the_relay_publishes_an_inquiry_in_order_across_notes(
    book: Ledger, publisher: FakePublisher, database: Database
) -> None:
    for n in (1, 2, 3):
        await book.accept(entry(f"e{n}", n))
    newest_first = timestamps.now() - timedelta(hours=1)
    await book.unpublished.update_one({"entries": "e3"}, {"$set": {"due_at": newest_first}})
    async with in_background(Relay(Ledger(database, "ledger"), publisher).run):
        await publisher.until(3, topics.INPUTS)
    seen = list(dict.fromkeys(publisher.ids()))
    assert seen == ["e1", "e2", "e3"]


async def test_after_a_long_outage_of_kafka_the_relay_publishes_notes_in_batches(
    book: Ledger, publisher: FakePublisher, database: Database
) -> None:
    ids = [f"e{number}" for number in range(relay.RELAY_NOTES)]
    for id_ in ids:
        await book.accept(entry(id_))
    async with asyncio.timeout(PATIENCE_S):
        while await book.unpublished.count_documents({"due_at": {"$gt": timestamps.now()}}):
            await asyncio.sleep(0.01)
    async with in_background(Relay(Ledger(database, "ledger"), publisher).run):
        await publisher.until(len(ids), topics.INPUTS)
        async with asyncio.timeout(PATIENCE_S):
            while await noted(book):
                pass
    assert publisher.ids() == ids
    assert publisher.calls == 1


async def test_an_entry_waits_for_an_earlier_unpublished_one(
    book: Ledger, publisher: FakePublisher, database: Database
) -> None:
    await book.accept(entry("e1", 1))
    process = Ledger(database, "ledger")
    async with in_background(
        process.write_groups, Relay(process, publisher).publish_fresh, Relay(process, publisher).run
    ):
        await process.accept(entry("e2", 2))
        await publisher.until(2, topics.INPUTS)
    assert list(dict.fromkeys(publisher.ids())) == ["e1", "e2"]


async def test_a_note_without_entries_is_deleted_after_a_while(book: Ledger, publisher: FakePublisher) -> None:
    young: Document = {"_id": "young", "entries": ["ghost"], "noted_at": timestamps.now(), "due_at": MONDAY_NOON}
    old: Document = young | {"_id": "old", "noted_at": timestamps.now() - timedelta(hours=2)}
    await book.unpublished.insert_many([young, old])
    async with in_background(Relay(book, publisher).run):
        await book.accept(entry("e1"))
        await publisher.until(1, topics.INPUTS)
    assert "young" in {note["_id"] for note in await noted(book)}
    assert "old" not in {note["_id"] for note in await noted(book)}
    assert publisher.ids() == ["e1"]


async def test_entries_are_accepted_without_kafka_and_published_later(book: Ledger, publisher: FakePublisher) -> None:
    publisher.away = True
    await asyncio.gather(*(book.accept(entry(f"e{n}", n)) for n in (1, 2, 3)))
    with pytest.raises(Exception, match="away"):
        await Relay(book, publisher).publish_fresh()
    with pytest.raises(Exception, match="away"):
        await asyncio.wait_for(Relay(book, publisher).run(), 5)
    publisher.away = False
    async with in_background(Relay(book, publisher).run):
        await publisher.until(3, topics.INPUTS)
        async with asyncio.timeout(PATIENCE_S):
            while await noted(book):
                pass
    assert publisher.ids() == ["e1", "e2", "e3"]


async def test_relay_and_writer_publish_the_same_bytes(
    book: Ledger, publisher: FakePublisher, database: Database
) -> None:
    await book.accept(entry("e1", 1))
    [note] = await noted(book)
    async with in_background(Relay(book, publisher).publish_fresh):
        await publisher.until(1, topics.INPUTS)
        async with asyncio.timeout(PATIENCE_S):
            while await noted(book):
                pass
    await book.unpublished.insert_one(note)
    other = FakePublisher()
    async with in_background(Relay(Ledger(database, "ledger"), other).run):
        await other.until(1, topics.INPUTS)
    assert other.records == publisher.records


async def test_the_next_message_does_not_wait_for_the_deletion_of_a_note(
    book: Ledger, publisher: FakePublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = asyncio.Event()

    async def slow(query: Document) -> None:
        await released.wait()

    monkeypatch.setattr(book.unpublished, "delete_many", slow)
    async with in_background(Relay(book, publisher).publish_fresh):
        await book.accept(entry("e1"))
        await publisher.until(1, topics.INPUTS)
        await book.accept(entry("e2"))
        await publisher.until(2, topics.INPUTS)
        released.set()
    assert publisher.ids() == ["e1", "e2"]


async def test_a_repeat_is_not_published_again(book: Ledger, publisher: FakePublisher) -> None:
    async with in_background(Relay(book, publisher).publish_fresh):
        await book.accept(entry("e1"))
        await book.accept(entry("e1"))
        await book.accept(entry("e2"))
        await publisher.until(2, topics.INPUTS)
    assert publisher.ids() == ["e1", "e2"]


def gauge() -> float:
    return float(metrics.LEDGER_UNPUBLISHED._value.get())


async def test_the_existing_entries_of_an_incomplete_note_are_published_once(
    book: Ledger, publisher: FakePublisher
) -> None:
    there, late = [[entry(f"{kind}{n}").document() for n in range(3)] for kind in ("there", "late")]
    await book.entries.insert_many(there)
    ids = [one["_id"] for one in there + late]
    await book.unpublished.insert_one(
        {"_id": "note", "entries": ids, "noted_at": timestamps.now(), "due_at": MONDAY_NOON}
    )
    async with in_background(Relay(book, publisher).run):
        await publisher.until(3, topics.INPUTS)
        await asyncio.sleep(0.3)
        assert sorted(publisher.ids()) == ["there0", "there1", "there2"]
        assert gauge() == 0
        [note] = await noted(book)
        assert note["entries"] == ["late0", "late1", "late2"]
        await book.entries.insert_many(late)
        await publisher.until(6, topics.INPUTS)
        async with asyncio.timeout(PATIENCE_S):
            while await noted(book):
                pass
    assert sorted(publisher.ids()) == sorted(ids)


async def test_entries_that_were_not_acknowledged_are_not_counted_as_unpublished(
    book: Ledger, publisher: FakePublisher
) -> None:
    publisher.away = True
    await asyncio.gather(*(book.accept(entry(f"e{n}")) for n in range(2)))
    await book.unpublished.insert_one(
        {"_id": "ghosts", "entries": ["a", "b"], "noted_at": timestamps.now(), "due_at": MONDAY_NOON}
    )
    await asyncio.sleep(0.1)
    with pytest.raises(Exception, match="away"):
        await asyncio.wait_for(Relay(book, publisher).run(), 5)
    assert gauge() == 2


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Make the store hang until the event is set; then the operation completes."""
    go = asyncio.Event()

    async def slowly(collection: Any, documents: Any) -> set[Any]:
        await go.wait()
        return await insert_new(collection, documents)

    monkeypatch.setattr(ledger, "insert_new", slowly)
    monkeypatch.setattr(ledger, "ACCEPT_S", 0.2)
    return go


async def test_a_store_that_does_not_answer_is_an_error_in_time_and_a_repeat_finds_what_was_written(
    book: Ledger, stuck: asyncio.Event
) -> None:
    with pytest.raises(WriteUnconfirmed):
        await asyncio.wait_for(book.accept(entry("e1")), 5)
    with pytest.raises(WriteUnconfirmed):
        await asyncio.wait_for(book.accept(entry("e2")), 5)
    stuck.set()
    repeat = await book.accept(entry("e1"))
    assert repeat.earlier is not None
    assert repeat.earlier["_id"] == "e1"
    assert [one["_id"] for one in await book.entries.find({}).to_list(None)] == ["e1"]


async def test_an_ended_writer_rejects_waiting_callers(
    database: Database, publisher: FakePublisher, stuck: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "ACCEPT_S", 60)
    one = Ledger(database, "ledger")
    writer = asyncio.create_task(one.write_groups())
    waiting = [asyncio.create_task(one.accept(entry(f"e{n}"))) for n in range(3)]
    await asyncio.sleep(0.2)
    waiting += [asyncio.create_task(one.accept(entry(f"e{n}"))) for n in range(3, 5)]
    await asyncio.sleep(0.05)
    writer.cancel()
    told = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 5)
    assert [type(one) for one in told] == [WriteUnconfirmed] * 5


async def test_callers_do_not_wait_forever_without_a_writer(
    database: Database, publisher: FakePublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "ACCEPT_S", 0.1)
    with pytest.raises(WriteUnconfirmed):
        await asyncio.wait_for(Ledger(database, "ledger").accept(entry("e1")), 5)


@pytest.mark.parametrize(
    ("entries", "took_s", "pause"),
    [(1, 0.005, 0.0), (12, 0.005, 0.0), (50, 0.005, 0.015), (500, 0.005, 0.035), (500, 1.0, 0.0)],
)
def test_callers_wait_only_when_the_queue_is_full(entries: int, took_s: float, pause: float) -> None:
    assert pause_s(entries, took_s) == pytest.approx(pause)
