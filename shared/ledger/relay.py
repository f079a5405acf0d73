"""The relay publishes the entries of a ledger to Kafka, in order for each inquiry, until Kafka has confirmed them.

`publish_fresh` publishes new entries. `run` publishes the entries that a crash or an outage left unpublished.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

from shared.contracts.envelope import Message, Origin
from shared.contracts.resident_inputs import InquiryReceived
from shared.kafka import topics
from shared.kafka.publisher import Publisher
from shared.ledger.ledger import GROUP_ENTRIES, LEASE_S, Ledger
from shared.runtime import metrics, timestamps
from shared.runtime.logging import log
from shared.store import leases
from shared.store.mongo import Document, find_by

RELAY_EVERY_S = 1.0
RELAY_NOTES = 50
MISSING_ENTRIES_WAIT_S = 3_600
PAUSE_PER_ENTRY_S = 0.0004
LONGEST_PAUSE_S = 0.04


def message_of(stored: Mapping[str, Any]) -> Message:
    """The message of an entry, made from the stored entry alone: publishing it again writes the same bytes and id."""
    inquiry_id = stored["inquiry_id"]
    at = timestamps.to_text(stored["recorded_at"])
    actor, salt, user = stored["actor"], stored["salt"], stored.get("user")
    origin = Origin(stored["source"], inquiry_id, at, actor=actor, salt=salt, user=user)
    return Message(topics.INPUTS, inquiry_id, stored["_id"], stored["type"], origin, stored["value"].encode())


def erased(stored: Mapping[str, Any]) -> bool:
    """Whether the value of this entry is erased, so that it cannot be published."""
    return "value" not in stored


def pause_s(entries: int, took_s: float) -> float:
    """How long to wait before the next publish, after `entries` were published in `took_s` seconds.

    0 below 2,500 entries a second. Above that, entries go out in larger groups: with 64 concurrent clients intake accepts
    3,560 instead of 3,060 a second (docs/decisions/0010-measuring.md).
    """
    return max(min(entries * PAUSE_PER_ENTRY_S, LONGEST_PAUSE_S) - took_s, 0.0)


class Relay:
    """Publishes the entries of one ledger."""

    def __init__(self, ledger: Ledger, publisher: Publisher) -> None:
        self.ledger = ledger
        self.publisher = publisher

    async def publish_fresh(self) -> None:
        """Publish new entries; runs until cancelled.

        Entries whose note stays in `unpublished` are published by `run` later: after a crash, when the queue was full,
        when an earlier entry of the inquiry is unpublished, or when deleting the note failed. So the next publish need
        not wait for the deletion.
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
                # An earlier entry may be on Kafka while its note is being deleted: wait, or it would look unpublished.
                await removal
            if await self.unpublished_before(documents):
                continue
            began = time.monotonic()
            await self.publisher.publish([message_of(one) for one in await self._not_erased(documents)])
            if removal is not None:
                await removal
            removal = asyncio.ensure_future(self.ledger.unpublished.delete_many({"_id": {"$in": notes}}))
            await asyncio.sleep(pause_s(len(documents), time.monotonic() - began))

    async def run(self) -> None:
        """Publish the entries of due notes, the oldest first, in the order of `n` within an inquiry; runs until cancelled."""
        while True:
            notes = await leases.claim(self.ledger.unpublished, timestamps.now(), LEASE_S, RELAY_NOTES)
            notes = sorted(notes, key=lambda one: one["noted_at"])
            found = await self._entries_of(notes)
            await self._measure()
            if notes:
                await self._relay(notes, found)
                await self._measure()
            if len(notes) < RELAY_NOTES:
                await asyncio.sleep(RELAY_EVERY_S)

    async def _entries_of(self, notes: Sequence[Document]) -> dict[str, Document]:
        """The stored entries of these notes, by id. Updates `missing` of each note, so that metrics leave those out."""
        ids = list(dict.fromkeys(id_ for note in notes for id_ in note["entries"]))
        found = {one["_id"]: one for one in await find_by(self.ledger.entries, "_id", ids)}
        for note in notes:
            missing = sum(id_ not in found for id_ in note["entries"])
            if missing != note.get("missing", 0):
                await self.ledger.unpublished.update_one({"_id": note["_id"]}, {"$set": {"missing": missing}})
        return found

    async def _relay(self, notes: Sequence[Document], found: Mapping[str, Document]) -> None:
        # All notes in one publish: after a long outage of Kafka there are very many.
        documents = [found[id_] for note in notes for id_ in note["entries"] if id_ in found]
        before = await self.unpublished_before(documents)
        ordered = sorted([*before, *documents], key=lambda one: int(one["n"]))
        await self.publisher.publish(message_of(one) for one in ordered if not erased(one))
        completed = []
        for note in notes:
            published = [id_ for id_ in note["entries"] if id_ in found]
            age_s = (timestamps.now() - note["noted_at"]).total_seconds()
            if len(published) < len(note["entries"]) and age_s < MISSING_ENTRIES_WAIT_S:
                # The insert of the missing entries may still be running: keep the note for them alone.
                await self.ledger.unpublished.update_one({"_id": note["_id"]}, {"$pullAll": {"entries": published}})
            else:
                completed.append(note["_id"])
        await self.ledger.unpublished.delete_many({"_id": {"$in": completed}})
        if documents:
            log.info("published ledger entries that a crash or an outage left unpublished", entries=len(documents))

    async def _not_erased(self, documents: Sequence[Document]) -> list[Document]:
        """The entries that are not erased meanwhile. An inquiry's first message never is: it must be published first."""
        later = [one["_id"] for one in documents if one["type"] != InquiryReceived.type]
        if not later:
            return list(documents)
        without_value = {"_id": {"$in": later}, "value": {"$exists": False}}
        erased_ids = {one["_id"] for one in await self.ledger.entries.find(without_value, ["_id"]).to_list(None)}
        return [one for one in documents if one["_id"] not in erased_ids]

    async def unpublished_before(self, documents: Sequence[Document]) -> list[Document]:
        """Entries that must be published before these: those of the same inquiry with a lower `n` that are in a note."""
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
        """Count unpublished entries. Missing ones are left out: their callers never got an answer."""
        notes = await self.ledger.unpublished.find({}, {"entries": 1, "noted_at": 1, "missing": 1}).to_list(None)
        stored = [(note["noted_at"], max(0, len(note["entries"]) - note.get("missing", 0))) for note in notes]
        metrics.LEDGER_UNPUBLISHED.set(sum(count for _, count in stored))
        metrics.LEDGER_OLDEST.set(min((at.timestamp() for at, count in stored if count), default=0))
