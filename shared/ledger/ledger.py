"""The ledger of an entry point: an input is stored here before the caller gets an answer; a relay publishes it.

`ledger` has one entry for each accepted input. Entries are immutable, except that the erasure of an inquiry removes their
value, salt and fingerprint. `unpublished` has one note for each group of entries that were stored together and are not
yet known to be on Kafka: `{_id, entries: [event id], noted_at, due_at, missing}`. `missing` is how many of the entries the
relay did not find when it last read them.
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


class WriteUnconfirmed(PyMongoError):
    """The store has not confirmed an entry: it may be stored or not."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One accepted input. `n` orders the entries of an inquiry; `fingerprint` tells whether a repeat has the same body.

    `actor` is the sender, as `kind` or `kind/role`; `user` is the number of a staff user; `salt` is for the commitments to
    its texts (see `commitments`).
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
    user: int | None = None

    def document(self) -> Document:
        document: Document = {
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
        if self.user is not None:
            document["user"] = self.user
        return document

    def repeats(self, earlier: Document) -> bool:
        """Whether the stored entry with this id has the same body. An erased entry counts as having the same one."""
        return "fingerprint" not in earlier or bool(earlier["fingerprint"] == self.fingerprint)


@dataclass(frozen=True, slots=True)
class Written:
    """The outcome of an entry.

    `new`: it was stored now. Otherwise `earlier` is the stored entry with the same id, or None when another entry has the
    same `n` in its inquiry: the caller tries again with another `n` or ticket number.
    """

    new: bool
    earlier: Document | None = None


def _outcome(entry: Entry, unique: Mapping[str, Entry], taken: set[str], earlier: Mapping[str, Document]) -> Written:
    """The outcome of one entry of a group. Of several entries with the same id, the first was stored, the others repeat it."""
    if entry.id in taken:
        return Written(new=False, earlier=earlier.get(entry.id))
    first = unique[entry.id]
    return Written(new=True) if first is entry else Written(new=False, earlier=first.document())


Waiting = tuple[Entry, "asyncio.Future[Written]"]


def fail(group: Sequence[Waiting], error: Exception) -> None:
    """Raise `error` in every caller that still waits for an entry of this group."""
    for _, written in group:
        if not written.done():
            written.set_exception(error)


class Ledger:
    """Stores entries in groups: concurrent requests share one journaled insert and one publish."""

    def __init__(self, database: Database, collection: str) -> None:
        self.entries: Collection = database[collection]
        self.unpublished: Collection = database["unpublished"]
        self._waiting: list[Waiting] = []
        self._arrived = asyncio.Event()
        self.fresh: asyncio.Queue[tuple[str, list[Document]]] = asyncio.Queue(maxsize=100)

    async def prepare(self) -> None:
        await self.entries.create_index([("inquiry_id", ASCENDING), ("n", ASCENDING)], unique=True)
        await leases.index(self.unpublished)

    async def of(self, inquiry_id: str) -> list[Document]:
        """The entries of one inquiry, in the order of `n`."""
        found = await self.entries.find({"inquiry_id": inquiry_id}).to_list(None)
        return sorted(found, key=lambda entry: int(entry["n"]))

    async def waiting(self, inquiry_ids: Sequence[str]) -> set[str]:
        """Those of these inquiries with an entry that is not known to be on Kafka."""
        entries = {one["_id"]: one["inquiry_id"] for one in await find_by(self.entries, "inquiry_id", inquiry_ids)}
        notes = await self.unpublished.find({"entries": {"$in": sorted(entries)}}).to_list(None) if entries else []
        return {entries[id_] for note in notes for id_ in note["entries"] if id_ in entries}

    async def erase(self, inquiry_id: str) -> None:
        """Remove value, salt and fingerprint from an inquiry's entries. Unpublished ones stay unpublished. Safe to repeat."""
        words = {"value": "", "salt": "", "fingerprint": ""}
        await self.entries.update_many({"inquiry_id": inquiry_id}, {"$unset": words})

    async def accept(self, entry: Entry) -> Written:
        """Store an entry durably and queue it for publishing. Raises PyMongoError, after ACCEPT_S WriteUnconfirmed.

        After an error the entry may be stored all the same, or be stored a moment later: a repeat with the same id tells.
        Safe to repeat: the id is a unique key.
        """
        written: asyncio.Future[Written] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, written))
        self._arrived.set()
        try:
            async with asyncio.timeout(ACCEPT_S):
                return await written
        except TimeoutError as error:
            raise WriteUnconfirmed(f"The store has not confirmed within {ACCEPT_S:g} s.") from error

    async def write_groups(self) -> None:
        """Store the waiting entries, in groups; runs until cancelled. However it ends, no caller is left waiting.

        It creates the indexes itself, because requests may arrive before the service's preparations are done.
        """
        try:
            await self.prepare()
            while True:
                await self._arrived.wait()
                self._arrived.clear()
                while self._waiting:
                    group, self._waiting = self._waiting[:GROUP_ENTRIES], self._waiting[GROUP_ENTRIES:]
                    # A caller that timed out will repeat its request: storing the first one too could make two inquiries.
                    await self._write([one for one in group if not one[1].done()])
        finally:
            group, self._waiting = self._waiting, []
            fail(group, WriteUnconfirmed("The ledger's writer has stopped."))

    async def _write(self, group: Sequence[Waiting]) -> None:
        """Insert the note first, then the entries, so that an entry without a note is always on Kafka.

        If the process dies in between, the relay finds a note without entries; it deletes the note after an hour.
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
            # Each waiting request handles the error; the writer goes on with the next group.
            fail(group, error)
            return
        except BaseException:
            fail(group, WriteUnconfirmed("The service is stopping."))
            raise
        for entry, written in group:
            if not written.done():
                written.set_result(_outcome(entry, unique, taken, earlier))
        log.info("accepted", inquiries=[one["inquiry_id"] for one in documents if one["_id"] not in taken])
        if not self.fresh.full():
            self.fresh.put_nowait((note["_id"], [one for one in documents if one["_id"] not in taken]))
