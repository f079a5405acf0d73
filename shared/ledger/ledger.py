"""A door's ledger: what was accepted is written here first, then published in order; a relay publishes what was left.

`ledger` holds immutable entries, one for each accepted input. `unpublished` holds one note for each group of entries
that was written together and is not yet known to be on Kafka: `{_id, entries: [event id], noted_at, due_at, missing}`;
`missing` tells how many of them were not there when a relay looked last.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from shared.contracts.envelope import Message, Origin
from shared.kafka import topics
from shared.kafka.publisher import Publisher
from shared.runtime import metrics, timestamps
from shared.runtime.logging import log
from shared.store import leases
from shared.store.mongo import ASCENDING, Collection, Database, Document, PyMongoError, find_by, insert_new

LEASE_S = 5.0
RELAY_EVERY_S = 1.0
RELAY_NOTES = 50
GROUP_ENTRIES = 500
MISSING_FOR_GOOD_S = 3_600
ACCEPT_S = 8.0
PAUSE_AN_ENTRY_S = 0.0004
LONGEST_PAUSE_S = 0.04


class NotWritten(PyMongoError):
    """The store has not confirmed an entry: it may be written or not."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One accepted input; `n` orders the entries of one inquiry, `fingerprint` tells whether a repeat has the same body."""

    id: str
    inquiry_id: str
    n: int
    type: str
    recorded_at: datetime
    value: str
    fingerprint: str
    source: str

    def document(self) -> Document:
        """As it is stored, for ever."""
        return {
            "_id": self.id,
            "inquiry_id": self.inquiry_id,
            "n": self.n,
            "type": self.type,
            "recorded_at": self.recorded_at,
            "value": self.value,
            "fingerprint": self.fingerprint,
            "source": self.source,
        }


def message_of(stored: Mapping[str, Any]) -> Message:
    """The input that an entry becomes on the log of its case: the same bytes whoever publishes it, however often."""
    inquiry_id = stored["inquiry_id"]
    origin = Origin(stored["source"], inquiry_id, timestamps.to_text(stored["recorded_at"]))
    return Message(topics.INPUTS, inquiry_id, stored["_id"], stored["type"], origin, stored["value"].encode())


@dataclass(frozen=True, slots=True)
class Written:
    """What became of an entry: stored now, or `earlier` the document that holds its id; neither when its place was taken."""

    new: bool
    earlier: Document | None = None


def _outcome(entry: Entry, unique: Mapping[str, Entry], taken: set[str], earlier: Mapping[str, Document]) -> Written:
    """What to tell one of a group: of several with the same id in it, the first was written and the others repeat it."""
    if entry.id in taken:
        return Written(new=False, earlier=earlier.get(entry.id))
    first = unique[entry.id]
    return Written(new=True) if first is entry else Written(new=False, earlier=first.document())


Waiting = tuple[Entry, "asyncio.Future[Written]"]


def tell(group: Sequence[Waiting], error: Exception) -> None:
    """Let those of a group that still wait know what went wrong."""
    for _, written in group:
        if not written.done():
            written.set_exception(error)


def too_late(waiting: Waiting) -> None:
    """Let one who has waited long enough know that nothing is sure."""
    tell([waiting], NotWritten(f"the store has not confirmed within {ACCEPT_S:g} s"))


def pause_s(entries: int, took_s: float) -> float:
    """How long to wait, after publishing so many entries in so many seconds, before the next ones are published.

    Nothing as long as fewer than 2,500 a second come; beyond that they go out in larger groups, which cost Kafka and us less.
    """
    return max(min(entries * PAUSE_AN_ENTRY_S, LONGEST_PAUSE_S) - took_s, 0.0)


class Ledger:
    """Accepts entries in groups: requests that come together share one journaled insert and one publish."""

    def __init__(self, database: Database, collection: str, publisher: Publisher) -> None:
        self.entries: Collection = database[collection]
        self.unpublished: Collection = database["unpublished"]
        self.publisher = publisher
        self._waiting: list[Waiting] = []
        self._arrived = asyncio.Event()
        self._fresh: asyncio.Queue[tuple[str, list[Document]]] = asyncio.Queue(maxsize=100)

    async def prepare(self) -> None:
        """Indexes: one entry for each n of an inquiry, and the notes by the time they are due."""
        await self.entries.create_index([("inquiry_id", ASCENDING), ("n", ASCENDING)], unique=True)
        await leases.index(self.unpublished)

    async def of(self, inquiry_id: str) -> list[Document]:
        """The entries of one inquiry, in order."""
        found = await self.entries.find({"inquiry_id": inquiry_id}).to_list(None)
        return sorted(found, key=lambda entry: int(entry["n"]))

    async def accept(self, entry: Entry) -> Written:
        """Write an entry durably and have it published; raises what the store raises, or NotWritten after ACCEPT_S.

        After an error the entry may be there all the same, or come to be there: whoever repeats it with the same id is
        told which. Safe to repeat: the id decides.
        """
        loop = asyncio.get_running_loop()
        written: asyncio.Future[Written] = loop.create_future()
        waiting = (entry, written)
        self._waiting.append(waiting)
        self._arrived.set()
        # A timer of its own is a third of the work of asyncio.timeout.
        late = loop.call_later(ACCEPT_S, too_late, waiting)
        try:
            return await written
        finally:
            late.cancel()

    async def write_groups(self) -> None:
        """Write what waits, together; run it for ever. However it ends, nobody is left waiting.

        Requests may come before the service's preparations are done, so the indexes are its own concern.
        """
        try:
            await self.prepare()
            while True:
                await self._arrived.wait()
                self._arrived.clear()
                while self._waiting:
                    group, self._waiting = self._waiting[:GROUP_ENTRIES], self._waiting[GROUP_ENTRIES:]
                    # Who gave up while it waited will send it again: written now, it could become two.
                    await self._write([one for one in group if not one[1].done()])
        finally:
            group, self._waiting = self._waiting, []
            tell(group, NotWritten("nothing is written at the moment"))

    async def _write(self, group: Sequence[Waiting]) -> None:
        """The note first, then the entries: an entry that is there and in no note is on Kafka.

        A note whose entries never came, because the process died in between, is kept by the relay for a while.
        """
        if not group:
            return
        unique = {entry.id: entry for entry, _ in reversed(group)}
        note: Document = {"_id": uuid4().hex, "entries": list(unique), "noted_at": timestamps.now()}
        note["due_at"] = note["noted_at"] + timedelta(seconds=LEASE_S)
        documents = [entry.document() for entry in unique.values()]
        try:
            await self.unpublished.insert_one(note)
            taken = await insert_new(self.entries, documents)
            earlier = {one["_id"]: one for one in await find_by(self.entries, "_id", sorted(taken))}
        except Exception as error:
            tell(group, error)
            return
        except BaseException:
            tell(group, NotWritten("the service is stopping"))
            raise
        for entry, written in group:
            if not written.done():
                written.set_result(_outcome(entry, unique, taken, earlier))
        log.info("accepted", extra={"inquiries": [one["inquiry_id"] for one in documents if one["_id"] not in taken]})
        if not self._fresh.full():
            self._fresh.put_nowait((note["_id"], [one for one in documents if one["_id"] not in taken]))

    async def publish_fresh(self) -> None:
        """Publish what was just written; run it for ever.

        What is lost from here when the process dies, what does not fit in, and what must wait for an earlier entry of
        its inquiry is the relay's. So is a note whose removal failed; that is why the next publish does not wait for it.
        """
        removal: asyncio.Future[Any] | None = None
        while True:
            note, documents = await self._fresh.get()
            notes = [note]
            while not self._fresh.empty() and len(documents) < GROUP_ENTRIES:
                note, more = self._fresh.get_nowait()
                notes.append(note)
                documents = documents + more
            if removal is not None and any(one["n"] for one in documents):
                # The note of the entry before may be on its way out: it is on Kafka, and nothing to wait for.
                await removal
            if await self.earlier_open(documents):
                continue
            began = time.monotonic()
            await self.publisher.publish([message_of(one) for one in documents])
            if removal is not None:
                await removal
            removal = asyncio.ensure_future(self.unpublished.delete_many({"_id": {"$in": notes}}))
            await asyncio.sleep(pause_s(len(documents), time.monotonic() - began))

    async def relay(self) -> None:
        """Publish what is due, oldest first, and in the order of n within an inquiry; run it for ever."""
        while True:
            notes = await leases.claim(self.unpublished, timestamps.now(), LEASE_S, RELAY_NOTES)
            notes = sorted(notes, key=lambda one: one["noted_at"])
            present = await self._present(notes)
            await self._measure()
            if notes:
                await self._relay(notes, present)
                await self._measure()
            if len(notes) < RELAY_NOTES:
                await asyncio.sleep(RELAY_EVERY_S)

    async def _present(self, notes: Sequence[Document]) -> dict[str, Document]:
        """The entries of these notes that are there, by id; how many are not stands in a note, so that they are not
        counted."""
        ids = list(dict.fromkeys(id_ for note in notes for id_ in note["entries"]))
        found = {one["_id"]: one for one in await find_by(self.entries, "_id", ids)}
        for note in notes:
            missing = sum(id_ not in found for id_ in note["entries"])
            if missing != note.get("missing", 0):
                await self.unpublished.update_one({"_id": note["_id"]}, {"$set": {"missing": missing}})
        return found

    async def _relay(self, notes: Sequence[Document], found: Mapping[str, Document]) -> None:
        """All of them together: after a long absence of Kafka there are very many."""
        documents = [found[id_] for note in notes for id_ in note["entries"] if id_ in found]
        before = await self.earlier_open(documents)
        ordered = sorted([*before, *documents], key=lambda one: int(one["n"]))
        await self.publisher.publish(message_of(one) for one in ordered)
        whole = []
        for note in notes:
            published = [id_ for id_ in note["entries"] if id_ in found]
            waited_s = (timestamps.now() - note["noted_at"]).total_seconds()
            if len(published) < len(note["entries"]) and waited_s < MISSING_FOR_GOOD_S:
                # Those may still be on their way into the store; what is published now must not be published again.
                await self.unpublished.update_one({"_id": note["_id"]}, {"$pullAll": {"entries": published}})
            else:
                whole.append(note["_id"])
        await self.unpublished.delete_many({"_id": {"$in": whole}})
        if documents:
            log.info("relayed", extra={"entries": len(documents)})

    async def earlier_open(self, documents: Sequence[Document]) -> list[Document]:
        """Entries that must be on Kafka before these, and may not be: lower ones of their inquiries that are still noted."""
        have = {one["_id"] for one in documents}
        lower: list[Document] = []
        for inquiry_id in sorted({one["inquiry_id"] for one in documents if one["n"] > 0}):
            last = max(one["n"] for one in documents if one["inquiry_id"] == inquiry_id)
            lower += [one for one in await self.of(inquiry_id) if one["n"] < last and one["_id"] not in have]
        if not lower:
            return []
        notes = await self.unpublished.find({"entries": {"$in": [one["_id"] for one in lower]}}).to_list(None)
        noted = {entry for note in notes for entry in note["entries"]}
        return [one for one in lower if one["_id"] in noted]

    async def _measure(self) -> None:
        """A note whose entries never came was never answered: nothing of it is unpublished."""
        notes = await self.unpublished.find({}, {"entries": 1, "noted_at": 1, "missing": 1}).to_list(None)
        there = [(note["noted_at"], max(0, len(note["entries"]) - note.get("missing", 0))) for note in notes]
        metrics.LEDGER_UNPUBLISHED.set(sum(count for _, count in there))
        metrics.LEDGER_OLDEST.set(min((at.timestamp() for at, count in there if count), default=0))
