"""The relay: publishes what the ledger has accepted, in order for each inquiry, until Kafka has confirmed it.

`publish_fresh` publishes what was just written. `run` publishes what a crash or an outage left behind.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

from shared.contracts.envelope import Message, Origin
from shared.contracts.inputs import InquiryReceived
from shared.kafka import topics
from shared.kafka.publisher import Publisher
from shared.ledger.ledger import GROUP_ENTRIES, LEASE_S, Ledger
from shared.runtime import metrics, timestamps
from shared.runtime.logging import log
from shared.store import leases
from shared.store.mongo import Document, find_by

RELAY_EVERY_S = 1.0
RELAY_NOTES = 50
MISSING_FOR_GOOD_S = 3_600
PAUSE_AN_ENTRY_S = 0.0004
LONGEST_PAUSE_S = 0.04


def message_of(stored: Mapping[str, Any]) -> Message:
    """The input that an entry becomes on the log of its case: the same bytes whoever publishes it, however often."""
    inquiry_id = stored["inquiry_id"]
    at = timestamps.to_text(stored["recorded_at"])
    origin = Origin(stored["source"], inquiry_id, at, actor=stored["actor"], salt=stored["salt"])
    return Message(topics.INPUTS, inquiry_id, stored["_id"], stored["type"], origin, stored["value"].encode())


def erased(stored: Mapping[str, Any]) -> bool:
    """Whether an erasure has taken what was written: there is nothing to publish."""
    return "value" not in stored


def pause_s(entries: int, took_s: float) -> float:
    """How long to wait, after publishing so many entries in so many seconds, before the next ones are published.

    Nothing as long as fewer than 2,500 a second come; beyond that they go out in larger groups, which cost Kafka and us less.
    """
    return max(min(entries * PAUSE_AN_ENTRY_S, LONGEST_PAUSE_S) - took_s, 0.0)


class Relay:
    """Publishes the entries of one ledger."""

    def __init__(self, ledger: Ledger, publisher: Publisher) -> None:
        self.ledger = ledger
        self.publisher = publisher

    async def publish_fresh(self) -> None:
        """Publish what was just written; run it for ever.

        What is lost from here when the process dies, what does not fit in, and what must wait for an earlier entry of
        its inquiry is the relay's. So is a note whose removal failed; that is why the next publish does not wait for it.
        """
        removal: asyncio.Future[Any] | None = None
        while True:
            note, documents = await self.ledger.fresh.get()
            notes = [note]
            while not self.ledger.fresh.empty() and len(documents) < GROUP_ENTRIES:
                note, more = self.ledger.fresh.get_nowait()
                notes.append(note)
                documents = documents + more
            if removal is not None and any(one["n"] for one in documents):
                # The note of the entry before may be on its way out: it is on Kafka, and nothing to wait for.
                await removal
            if await self.earlier_open(documents):
                continue
            began = time.monotonic()
            await self.publisher.publish([message_of(one) for one in await self._not_erased(documents)])
            if removal is not None:
                await removal
            removal = asyncio.ensure_future(self.ledger.unpublished.delete_many({"_id": {"$in": notes}}))
            await asyncio.sleep(pause_s(len(documents), time.monotonic() - began))

    async def run(self) -> None:
        """Publish what is due, oldest first, and in the order of n within an inquiry; run it for ever."""
        while True:
            notes = await leases.claim(self.ledger.unpublished, timestamps.now(), LEASE_S, RELAY_NOTES)
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
        found = {one["_id"]: one for one in await find_by(self.ledger.entries, "_id", ids)}
        for note in notes:
            missing = sum(id_ not in found for id_ in note["entries"])
            if missing != note.get("missing", 0):
                await self.ledger.unpublished.update_one({"_id": note["_id"]}, {"$set": {"missing": missing}})
        return found

    async def _relay(self, notes: Sequence[Document], found: Mapping[str, Document]) -> None:
        """All of them together: after a long absence of Kafka there are very many."""
        documents = [found[id_] for note in notes for id_ in note["entries"] if id_ in found]
        before = await self.earlier_open(documents)
        ordered = sorted([*before, *documents], key=lambda one: int(one["n"]))
        await self.publisher.publish(message_of(one) for one in ordered if not erased(one))
        whole = []
        for note in notes:
            published = [id_ for id_ in note["entries"] if id_ in found]
            waited_s = (timestamps.now() - note["noted_at"]).total_seconds()
            if len(published) < len(note["entries"]) and waited_s < MISSING_FOR_GOOD_S:
                # Those may still be on their way into the store; what is published now must not be published again.
                await self.ledger.unpublished.update_one({"_id": note["_id"]}, {"$pullAll": {"entries": published}})
            else:
                whole.append(note["_id"])
        await self.ledger.unpublished.delete_many({"_id": {"$in": whole}})
        if documents:
            log.info("relayed", entries=len(documents))

    async def _not_erased(self, documents: Sequence[Document]) -> list[Document]:
        """Those that are still whole in the store. A first message is: nobody can erase an inquiry before it is published."""
        later = [one["_id"] for one in documents if one["type"] != InquiryReceived.type]
        if not later:
            return list(documents)
        emptied = {"_id": {"$in": later}, "value": {"$exists": False}}
        gone = {one["_id"] for one in await self.ledger.entries.find(emptied, ["_id"]).to_list(None)}
        return [one for one in documents if one["_id"] not in gone]

    async def earlier_open(self, documents: Sequence[Document]) -> list[Document]:
        """Entries that must be on Kafka before these, and may not be: lower ones of their inquiries that are still noted."""
        have = {one["_id"] for one in documents}
        lower: list[Document] = []
        for inquiry_id in sorted({one["inquiry_id"] for one in documents if one["n"] > 0}):
            last = max(one["n"] for one in documents if one["inquiry_id"] == inquiry_id)
            lower += [one for one in await self.ledger.of(inquiry_id) if one["n"] < last and one["_id"] not in have]
        if not lower:
            return []
        notes = await self.ledger.unpublished.find({"entries": {"$in": [one["_id"] for one in lower]}}).to_list(None)
        noted = {entry for note in notes for entry in note["entries"]}
        return [one for one in lower if one["_id"] in noted]

    async def _measure(self) -> None:
        """A note whose entries never came was never answered: nothing of it is unpublished."""
        notes = await self.ledger.unpublished.find({}, {"entries": 1, "noted_at": 1, "missing": 1}).to_list(None)
        there = [(note["noted_at"], max(0, len(note["entries"]) - note.get("missing", 0))) for note in notes]
        metrics.LEDGER_UNPUBLISHED.set(sum(count for _, count in there))
        metrics.LEDGER_OLDEST.set(min((at.timestamp() for at, count in there if count), default=0))
