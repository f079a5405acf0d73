"""The ledger of an entry point: what it accepts is written here first; a relay publishes it in order.

`ledger` holds one entry for each accepted input. It never changes, except that an erasure of its inquiry takes value,
salt and fingerprint away. `unpublished` holds one note for each group of entries that was written together and is not yet
known to be on Kafka: `{_id, entries: [event id], noted_at, due_at, missing}`; `missing` tells how many of them were not
there when a relay looked last.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

from shared.contracts.commitments import new_salt
from shared.runtime import timestamps
from shared.runtime.logging import log
from shared.store import leases
from shared.store.mongo import ASCENDING, Collection, Database, Document, PyMongoError, find_by, insert_new

LEASE_S = 5.0
GROUP_ENTRIES = 500
ACCEPT_S = 8.0


class NotWritten(PyMongoError):
    """The store has not confirmed an entry: it may be written or not."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One accepted input; `n` orders the entries of one inquiry, `fingerprint` tells whether a repeat has the same body.

    `actor` is who sent it, as `kind` or `kind/role`; `salt` is what the texts in it are committed with.
    """

    id: str
    inquiry_id: str
    n: int
    type: str
    recorded_at: datetime
    value: str
    fingerprint: str
    source: str
    actor: str
    salt: str = field(default_factory=lambda: new_salt().hex())

    def document(self) -> Document:
        """As it is stored."""
        return {
            "_id": self.id,
            "inquiry_id": self.inquiry_id,
            "n": self.n,
            "type": self.type,
            "recorded_at": self.recorded_at,
            "value": self.value,
            "fingerprint": self.fingerprint,
            "source": self.source,
            "actor": self.actor,
            "salt": self.salt,
        }

    def repeats(self, earlier: Document) -> bool:
        """Whether the entry that holds this id has the same body; one whose fingerprint is erased counts as a repeat."""
        return "fingerprint" not in earlier or bool(earlier["fingerprint"] == self.fingerprint)


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


class Ledger:
    """Accepts entries in groups: requests that come together share one journaled insert and one publish."""

    def __init__(self, database: Database, collection: str) -> None:
        self.entries: Collection = database[collection]
        self.unpublished: Collection = database["unpublished"]
        self._waiting: list[Waiting] = []
        self._arrived = asyncio.Event()
        self.fresh: asyncio.Queue[tuple[str, list[Document]]] = asyncio.Queue(maxsize=100)

    async def prepare(self) -> None:
        """Indexes: one entry for each n of an inquiry, and the notes by the time they are due."""
        await self.entries.create_index([("inquiry_id", ASCENDING), ("n", ASCENDING)], unique=True)
        await leases.index(self.unpublished)

    async def of(self, inquiry_id: str) -> list[Document]:
        """The entries of one inquiry, in order."""
        found = await self.entries.find({"inquiry_id": inquiry_id}).to_list(None)
        return sorted(found, key=lambda entry: int(entry["n"]))

    async def erase(self, inquiry_id: str) -> None:
        """Drop what was written in the entries of an inquiry; safe to repeat. What is not published yet never will be."""
        words = {"value": "", "salt": "", "fingerprint": ""}
        await self.entries.update_many({"inquiry_id": inquiry_id}, {"$unset": words})

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
        log.info("accepted", inquiries=[one["inquiry_id"] for one in documents if one["_id"] not in taken])
        if not self.fresh.full():
            self.fresh.put_nowait((note["_id"], [one for one in documents if one["_id"] not in taken]))
