"""Dead letters of all services: an index in the store that follows their topics, and what operators decided of each.

`letters` holds one document for each record that was put aside, however often: `_id` is `<service>-<offset>` of its first
letter, `origin` where the record came from. No words are in it; whoever wants to read them is shown the letter itself.
Once its inquiry is erased, nothing is left in it that a person has written: no reason, no name, no id of a department.
`letters_read` tells how far each topic has been read.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka import TopicPartition

from services.router.dead_letters.redaction import described, erased
from shared.contracts.sources import SERVICES
from shared.http.problems import Problem, shown
from shared.kafka import topics
from shared.kafka.connection import Connection
from shared.kafka.records import Record
from shared.kafka.topic_reader import OffsetRange, TopicReader, topic_reader
from shared.runtime import timestamps
from shared.store.mongo import ASCENDING, Database, Document, find_by, insert_new
from shared.store.tombstones import Tombstones

READ_S = 8.0


@dataclass
class DeadLetterIndex:
    """What is known of every dead letter."""

    database: Database
    kafka: Connection
    services: Sequence[str] = SERVICES
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self.letters = self.database["letters"]
        self.read = self.database["letters_read"]
        self.tombstones = Tombstones(self.database["tombstones"])

    async def prepare(self) -> None:
        """Indexes; safe to repeat."""
        await self.letters.create_index([("origin", ASCENDING)], unique=True)
        await self.letters.create_index([("order", ASCENDING)])
        await self.letters.create_index([("event_id", ASCENDING)])
        await self.letters.create_index([("inquiry_id", ASCENDING)])
        await self.letters.create_index([("pending", ASCENDING)], sparse=True)

    # ── following the topics ─────────────────────────────────────────────────

    async def refresh(self) -> int:
        """Bring the index up to date; returns how many letters are still unread after READ_S."""
        async with self._reading, topic_reader(self.kafka) as look:
            spans = await look.offset_ranges([topics.dead_letters(service) for service in self.services])
            until = time.monotonic() + READ_S
            return sum([await self._follow(look, partition, span, until) for partition, span in spans.items()])

    async def _follow(self, look: TopicReader, partition: TopicPartition, span: OffsetRange, until: float) -> int:
        service = partition.topic.rpartition(".")[0]
        known = await self.read.find_one({"_id": service}) or {"next": 0, "first": 0}
        if known["next"] > span.end:
            # The topic was made anew: the numbers of its letters speak of others now.
            await self.letters.delete_many({"service": service})
            known = {"next": 0, "first": 0}
        if span.first > known["first"]:
            expired = {"service": service, "offset": {"$lt": span.first}, "status": "open"}
            await self.letters.update_many(expired, {"$set": {"status": "expired"}})
        at = max(known["next"], span.first)
        if at < span.end and time.monotonic() < until:
            async for records, after in look.records(partition, at, span.end):
                await self._index([described(service, one) for one in records])
                at = after
                await self._note(service, at, span.first)
                if time.monotonic() >= until:
                    break
        elif span.first > known["first"]:
            await self._note(service, at, span.first)
        return max(span.end - int(at), 0)

    async def _note(self, service: str, at: int, first: int) -> None:
        await self.read.update_one({"_id": service}, {"$set": {"next": at, "first": first}}, upsert=True)

    async def _index(self, found: Sequence[Document]) -> None:
        """Safe to repeat. A record that was put aside again is the same letter; it is open again if a replay failed.

        What is seen for the first time was never replayed from here, whatever its headers say.
        """
        gone = await self.tombstones.through_of(one["inquiry_id"] for one in found if one["inquiry_id"])
        found = [one | erased(one) if one["inquiry_id"] in gone else one for one in found]
        taken = await insert_new(self.letters, [one | {"failed": 0} for one in found])
        for one in found:
            if one["_id"] not in taken:
                continue
            another = {"origin": one["origin"], "_id": {"$ne": one["_id"]}, "copies": {"$ne": one["_id"]}}
            copy: Document = {"$addToSet": {"copies": one["_id"]}, "$max": {"offset": one["offset"]}}
            if one["failed"]:
                copy["$max"]["failed"] = one["failed"]
                newest = {name: one[name] for name in ("at", "order", "kind", "reason", "attempts")}
                failed_last = another | {"replays": {"$lte": one["failed"]}, "status": {"$ne": "discarded"}}
                await self.letters.update_one(failed_last, copy | {"$set": newest | {"status": "open"}})
            await self.letters.update_one(another, copy)

    async def erase(self, inquiry_id: str) -> None:
        """Drop what people have written in and about the letters of an inquiry; safe to repeat."""
        nobody = {"history.$[].by": None, "history.$[].why": None}
        for one in await find_by(self.letters, "inquiry_id", [inquiry_id]):
            await self.letters.update_one({"_id": one["_id"]}, {"$set": erased(one) | nobody})

    # ── what is known ────────────────────────────────────────────────────────

    async def page(self, query: Mapping[str, Any], after: str | None, limit: int) -> list[Document]:
        """Letters in the order in which they were put aside."""
        place = {"order": {"$gt": after}} if after else {}
        return await self.letters.find({**query, **place}).sort("order", ASCENDING).to_list(limit)

    async def letter(self, id_: str) -> Document:
        """A letter by its id or that of a copy; raises Problem 404."""
        found = (await self.many([id_])).get(id_)
        if found is None:
            raise Problem(404, f"There is no dead letter {shown(id_)}; `chorus dead-letters list` shows their ids.")
        return found

    async def many(self, ids_: Sequence[str]) -> dict[str, Document]:
        """Letters by their ids or those of copies."""
        found = await find_by(self.letters, "_id", ids_)
        missing = sorted(set(ids_) - {one["_id"] for one in found})
        found += await find_by(self.letters, "copies", missing) if missing else []
        return {id_: one for one in found for id_ in (one["_id"], *one["copies"]) if id_ in ids_}

    async def of_events(self, event_ids: Sequence[str]) -> set[str]:
        """Those inputs of the log of which a dead letter lies here."""
        found = await find_by(self.letters, "event_id", event_ids, ["event_id", "topic"])
        return {one["event_id"] for one in found if one["topic"] == topics.INPUTS}

    async def content(self, look: TopicReader, letter: Document) -> Record | None:
        """The letter itself, from its topic; None when it, or the topic that it lay in, is not there any more."""
        partition = TopicPartition(topics.dead_letters(letter["service"]), 0)
        record = await look.record(partition, letter["offset"])
        same = record is not None and described(letter["service"], record)["origin"] == letter["origin"]
        return record if same else None

    # ── what was decided of it ───────────────────────────────────────────────

    async def discard(self, id_: str, why: str, by: str) -> Document:
        """Note that nobody shall do anything about it; safe to repeat. Raises Problem 404 or 409."""
        letter = await self.letter(id_)
        if letter["status"] == "replayed":
            raise Problem(409, f"{shown(id_)} was replayed; there is nothing left to discard.")
        said = {"what": "discarded", "at": timestamps.to_text(timestamps.now()), "by": by, "why": why, "event_id": None}
        still = {"_id": letter["_id"], "status": {"$in": ["open", "expired"]}}
        await self.letters.update_one(still, {"$set": {"status": "discarded"}, "$push": {"history": said}})
        return await self.letter(id_)

    async def mark_replayed(self, letter: Document, by: str, event_id: str | None = None) -> None:
        """Note a replay; the letter stays open when that replay is known to have failed already."""
        number = letter["replays"] + 1
        said = {
            "what": "replayed",
            "at": timestamps.to_text(timestamps.now()),
            "by": by,
            "why": None,
            "event_id": event_id,
        }
        noted: Document = {"$max": {"replays": number}, "$push": {"history": said}}
        closing = {"$set": {"status": "replayed"} | ({"pending": event_id} if event_id else {})}
        closed = await self.letters.update_one({"_id": letter["_id"], "failed": {"$lt": number}}, noted | closing)
        if not closed.matched_count:
            await self.letters.update_one({"_id": letter["_id"]}, noted)

    async def settle(self, letter: Document, **said: str) -> None:
        """The command of a replay has been seen to the end."""
        same = {"_id": letter["_id"], "pending": letter["pending"]}
        await self.letters.update_one(same, {"$unset": {"pending": ""}} | ({"$set": said} if said else {}))
