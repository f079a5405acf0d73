"""The ledger on a real store: written first, answered then, published in order, whatever dies in between."""

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

pytestmark = pytest.mark.both_clients


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases of 50 ms: the relay takes at once what in production it takes after 5 s."""
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


async def test_requests_that_come_together_share_an_insert(book: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
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


async def test_what_is_accepted_is_durable_before_it_is_published(book: Ledger, publisher: FakePublisher) -> None:
    assert await book.accept(entry("e1")) == Written(new=True)
    assert publisher.records == []
    [note] = await noted(book)
    assert note["entries"] == ["e1"]
    async with in_background(Relay(book, publisher).publish_fresh):
        await publisher.until(1, topics.INPUTS)
    assert publisher.ids() == ["e1"]


async def test_once_it_is_published_nothing_is_noted_and_the_relay_has_nothing_to_do(
    book: Ledger, publisher: FakePublisher
) -> None:
    async with in_background(Relay(book, publisher).publish_fresh):
        await book.accept(entry("e1"))
        await publisher.until(1, topics.INPUTS)
        async with asyncio.timeout(5):
            while await noted(book):
                pass
    async with in_background(Relay(book, publisher).run):
        await book.accept(entry("e2"))
        await publisher.until(2, topics.INPUTS)
    assert publisher.ids() == ["e1", "e2"]


class SlowToRemove:
    """A collection that is."""

    def __init__(self, real: Any) -> None:
        self.real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    async def delete_many(self, query: Document) -> None:
        await asyncio.sleep(0.2)
        await self.real.delete_many(query)


async def test_an_entry_that_follows_at_once_does_not_wait_for_the_relay(
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


async def test_of_the_same_id_twice_in_one_group_one_is_new(book: Ledger) -> None:
    first, second = await asyncio.gather(book.accept(entry("e1")), book.accept(entry("e1", words="别的")))
    assert (first.new, second.new) == (True, False)
    assert second.earlier is not None
    assert second.earlier["fingerprint"] == "路灯"


async def test_a_place_that_is_taken_is_neither_new_nor_earlier(book: Ledger) -> None:
    one, other = await asyncio.gather(book.accept(entry("a", 1)), book.accept(entry("b", 1)))
    assert sorted([one.new, other.new]) == [False, True]
    lost = other if one.new else one
    assert lost.earlier is None


async def test_the_entries_of_an_inquiry_are_in_the_order_of_n(book: Ledger) -> None:
    for n in (2, 1, 3):
        await book.accept(entry(f"e{n}", n))
    assert [one["_id"] for one in await book.of(INQUIRY)] == ["e1", "e2", "e3"]


async def test_an_error_of_the_store_reaches_the_caller_and_the_next_one_goes_on(
    book: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:

    async def failing(collection: Any, documents: Any) -> set[Any]:
        raise PyMongoError("the store broke")

    monkeypatch.setattr(ledger, "insert_new", failing)
    with pytest.raises(PyMongoError, match="the store broke"):
        await book.accept(entry("e1"))
    monkeypatch.setattr(ledger, "insert_new", insert_new)
    assert (await book.accept(entry("e1"))).new


async def test_what_a_crash_left_between_insert_and_publish_the_relay_publishes_once(
    book: Ledger, publisher: FakePublisher, database: Database
) -> None:
    await asyncio.gather(*(book.accept(entry(f"e{n}", n)) for n in (1, 2, 3)))
    after_the_crash, other = Ledger(database, "ledger"), Ledger(database, "ledger")
    async with in_background(Relay(after_the_crash, publisher).run, Relay(other, publisher).run):
        await publisher.until(3, topics.INPUTS)
        async with asyncio.timeout(5):
            while await noted(book):
                pass
    assert publisher.ids() == ["e1", "e2", "e3"]


async def test_the_relay_keeps_the_order_of_an_inquiry_across_notes(
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


async def test_after_a_long_absence_of_kafka_the_relay_publishes_many_notes_together(
    book: Ledger, publisher: FakePublisher, database: Database
) -> None:
    ids = [f"e{number}" for number in range(relay.RELAY_NOTES)]
    for id_ in ids:
        await book.accept(entry(id_))
    async with asyncio.timeout(5):
        while await book.unpublished.count_documents({"due_at": {"$gt": timestamps.now()}}):
            await asyncio.sleep(0.01)
    async with in_background(Relay(Ledger(database, "ledger"), publisher).run):
        await publisher.until(len(ids), topics.INPUTS)
        async with asyncio.timeout(5):
            while await noted(book):
                pass
    assert publisher.ids() == ids
    assert publisher.calls == 1


async def test_a_later_entry_waits_for_an_earlier_one_that_is_not_yet_published(
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


async def test_a_note_whose_entries_never_came_is_kept_and_then_forgotten(
    book: Ledger, publisher: FakePublisher
) -> None:
    young: Document = {"_id": "young", "entries": ["ghost"], "noted_at": timestamps.now(), "due_at": MONDAY_NOON}
    old: Document = young | {"_id": "old", "noted_at": timestamps.now() - timedelta(hours=2)}
    await book.unpublished.insert_many([young, old])
    async with in_background(Relay(book, publisher).run):
        await book.accept(entry("e1"))
        await publisher.until(1, topics.INPUTS)
    assert "young" in {note["_id"] for note in await noted(book)}
    assert "old" not in {note["_id"] for note in await noted(book)}
    assert publisher.ids() == ["e1"]


async def test_while_the_broker_is_away_all_is_accepted_and_goes_out_when_it_is_back(
    book: Ledger, publisher: FakePublisher
) -> None:
    publisher.away = True
    await asyncio.gather(*(book.accept(entry(f"e{n}", n)) for n in (1, 2, 3)))
    with pytest.raises(Exception, match="away"):
        await Relay(book, publisher).publish_fresh()
    with pytest.raises(Exception, match="away"):
        await asyncio.wait_for(Relay(book, publisher).run(), 5)
    publisher.away = False
    async with in_background(Relay(book, publisher).run):
        await publisher.until(3, topics.INPUTS)
        async with asyncio.timeout(5):
            while await noted(book):
                pass
    assert publisher.ids() == ["e1", "e2", "e3"]


async def test_whoever_publishes_an_entry_publishes_the_same_bytes(
    book: Ledger, publisher: FakePublisher, database: Database
) -> None:
    await book.accept(entry("e1", 1))
    [note] = await noted(book)
    async with in_background(Relay(book, publisher).publish_fresh):
        await publisher.until(1, topics.INPUTS)
        async with asyncio.timeout(5):
            while await noted(book):
                pass
    await book.unpublished.insert_one(note)
    other = FakePublisher()
    async with in_background(Relay(Ledger(database, "ledger"), other).run):
        await other.until(1, topics.INPUTS)
    assert other.records == publisher.records


async def test_while_a_note_is_being_removed_the_next_message_goes_out(
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


async def test_of_a_note_that_is_not_whole_what_is_there_is_published_once_and_the_rest_when_it_comes(
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
        async with asyncio.timeout(5):
            while await noted(book):
                pass
    assert sorted(publisher.ids()) == sorted(ids)


async def test_what_was_never_answered_is_not_counted_while_kafka_is_away(
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
    """A store that does not answer until the event is set, then does what it was asked."""
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


async def test_nobody_waits_for_a_writer_that_has_ended(
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


async def test_without_any_writer_nobody_waits_for_ever(
    database: Database, publisher: FakePublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "ACCEPT_S", 0.1)
    with pytest.raises(WriteUnconfirmed):
        await asyncio.wait_for(Ledger(database, "ledger").accept(entry("e1")), 5)


@pytest.mark.parametrize(
    ("entries", "took_s", "pause"),
    [(1, 0.005, 0.0), (12, 0.005, 0.0), (50, 0.005, 0.015), (500, 0.005, 0.035), (500, 1.0, 0.0)],
)
def test_only_where_very_many_come_the_next_ones_wait_a_moment(entries: int, took_s: float, pause: float) -> None:
    assert pause_s(entries, took_s) == pytest.approx(pause)
