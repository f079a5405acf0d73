"""Indexes the dead-letter topics of all services in the store, with what operators did with each dead letter.

`letters` has one document for each record, even when the record has several dead letters: `_id` is `<service>-<offset>`
of the first one, `origin` the topic, partition, offset and timestamp of the record. It contains no words; the route for
one dead letter reads them from the topic. An erasure also deletes reasons, names and ids that departments chose.
`letters_read` has the next offset to read of each topic.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka import TopicPartition

from services.router.dead_letters.redaction import erased_fields, index_entry
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
    database: Database
    kafka: Connection
    services: Sequence[str] = SERVICES
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self.letters = self.database["letters"]
        self.read = self.database["letters_read"]
        self.tombstones = Tombstones(self.database["tombstones"])

    async def prepare(self) -> None:
        """Create the indexes; safe to repeat."""
        await self.letters.create_index([("origin", ASCENDING)], unique=True)
        await self.letters.create_index([("order", ASCENDING)])
        await self.letters.create_index([("event_id", ASCENDING)])
        await self.letters.create_index([("inquiry_id", ASCENDING)])
        await self.letters.create_index([("pending", ASCENDING)], sparse=True)

    # ── reading the topics ───────────────────────────────────────────────────

    async def refresh(self) -> int:
        """Read new dead letters into the index for at most READ_S seconds; returns how many are still unread."""
        async with self._reading, topic_reader(self.kafka) as reader:
            spans = await reader.offset_ranges([topics.dead_letters(service) for service in self.services])
            until = time.monotonic() + READ_S
            return sum([await self._follow(reader, partition, span, until) for partition, span in spans.items()])

    async def _follow(self, reader: TopicReader, partition: TopicPartition, span: OffsetRange, until: float) -> int:
        service = partition.topic.rpartition(".")[0]
        known = await self.read.find_one({"_id": service}) or {"next": 0, "first": 0}
        if known["next"] > span.end:
            # The topic was deleted and created again, so its offsets now belong to other records.
            await self.letters.delete_many({"service": service})
            known = {"next": 0, "first": 0}
        if span.first > known["first"]:
            expired = {"service": service, "offset": {"$lt": span.first}, "status": "open"}
            await self.letters.update_many(expired, {"$set": {"status": "expired"}})
        at = max(known["next"], span.first)
        if at < span.end and time.monotonic() < until:
            async for records, after in reader.records(partition, at, span.end):
                await self._index([index_entry(service, one) for one in records])
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
        """Insert new dead letters; add further ones of a known record as copies. Safe to repeat.

        A copy from a failed replay opens the dead letter again. The first dead letter of a record counts as not replayed,
        even if its header says otherwise, because this index has no replay of it.
        """
        erased = await self.tombstones.through_of(one["inquiry_id"] for one in found if one["inquiry_id"])
        found = [one | erased_fields(one) if one["inquiry_id"] in erased else one for one in found]
        known = await insert_new(self.letters, [one | {"failed": 0} for one in found])
        for one in found:
            if one["_id"] not in known:
                continue
            original = {"origin": one["origin"], "_id": {"$ne": one["_id"]}, "copies": {"$ne": one["_id"]}}
            copy: Document = {"$addToSet": {"copies": one["_id"]}, "$max": {"offset": one["offset"]}}
            if one["failed"]:
                copy["$max"]["failed"] = one["failed"]
                newest = {name: one[name] for name in ("at", "order", "kind", "reason", "attempts")}
                last_replay_failed = original | {"replays": {"$lte": one["failed"]}, "status": {"$ne": "discarded"}}
                await self.letters.update_one(last_replay_failed, copy | {"$set": newest | {"status": "open"}})
            await self.letters.update_one(original, copy)

    async def erase(self, inquiry_id: str) -> None:
        """Delete reasons, names and department ids from the dead letters of an inquiry; safe to repeat."""
        no_names = {"history.$[].by": None, "history.$[].why": None}
        for one in await find_by(self.letters, "inquiry_id", [inquiry_id]):
            await self.letters.update_one({"_id": one["_id"]}, {"$set": erased_fields(one) | no_names})

    # ── queries ──────────────────────────────────────────────────────────────

    async def page(self, query: Mapping[str, Any], after: str | None, limit: int) -> list[Document]:
        """Dead letters in the order in which they were written, after the `order` of one."""
        later = {"order": {"$gt": after}} if after else {}
        return await self.letters.find({**query, **later}).sort("order", ASCENDING).to_list(limit)

    async def count_open(self) -> int:
        return await self.letters.count_documents({"status": "open"})

    async def has_place(self, order: str) -> bool:
        """Whether a dead letter has this place in the order."""
        return await self.letters.find_one({"order": order}, ["_id"]) is not None

    async def letter(self, id_: str) -> Document:
        """A dead letter by its id or the id of a copy. Raises Problem 404."""
        found = (await self.many([id_])).get(id_)
        if found is None:
            raise Problem(404, f"There is no dead letter {shown(id_)}; `chorus dead-letters list` shows their ids.")
        return found

    async def many(self, ids_: Sequence[str]) -> dict[str, Document]:
        """Dead letters by their ids or the ids of copies; unknown ids are absent."""
        found = await find_by(self.letters, "_id", ids_)
        missing = sorted(set(ids_) - {one["_id"] for one in found})
        found += await find_by(self.letters, "copies", missing) if missing else []
        return {id_: one for one in found for id_ in (one["_id"], *one["copies"]) if id_ in ids_}

    async def of_events(self, event_ids: Sequence[str]) -> set[str]:
        """The ids among `event_ids` of inputs that have a dead letter."""
        found = await find_by(self.letters, "event_id", event_ids, ["event_id", "topic"])
        return {one["event_id"] for one in found if one["topic"] == topics.INPUTS}

    async def content(self, reader: TopicReader, letter: Document) -> Record | None:
        """The record of a dead letter from its topic; None when it has expired or the topic was created again."""
        partition = TopicPartition(topics.dead_letters(letter["service"]), 0)
        record = await reader.record(partition, letter["offset"])
        same = record is not None and index_entry(letter["service"], record)["origin"] == letter["origin"]
        return record if same else None

    # ── what operators did ───────────────────────────────────────────────────

    async def discard(self, id_: str, why: str, by: str, user: int | None = None) -> Document:
        """Mark a dead letter as discarded; safe to repeat. Raises Problem 404, or 409 after a replay."""
        letter = await self.letter(id_)
        if letter["status"] == "replayed":
            raise Problem(409, f"{shown(id_)} was replayed; there is nothing left to discard.")
        entry = history_entry("discarded", by, user, why=why)
        undecided = {"_id": letter["_id"], "status": {"$in": ["open", "expired"]}}
        await self.letters.update_one(undecided, {"$set": {"status": "discarded"}, "$push": {"history": entry}})
        return await self.letter(id_)

    async def mark_replayed(
        self, letter: Document, by: str, event_id: str | None = None, user: int | None = None
    ) -> None:
        """Mark a dead letter as replayed; it stays open when the index already has the failure of this replay."""
        number = letter["replays"] + 1
        entry = history_entry("replayed", by, user, event_id=event_id)
        replayed: Document = {"$max": {"replays": number}, "$push": {"history": entry}}
        closing = {"$set": {"status": "replayed"} | ({"pending": event_id} if event_id else {})}
        closed = await self.letters.update_one({"_id": letter["_id"], "failed": {"$lt": number}}, replayed | closing)
        if not closed.matched_count:
            await self.letters.update_one({"_id": letter["_id"]}, replayed)

    async def settle(self, letter: Document, **fields: str) -> None:
        """Note that the core has decided the command of a replay, and set these fields."""
        same = {"_id": letter["_id"], "pending": letter["pending"]}
        await self.letters.update_one(same, {"$unset": {"pending": ""}} | ({"$set": fields} if fields else {}))


def history_entry(
    what: str, by: str, user: int | None, *, why: str | None = None, event_id: str | None = None
) -> Document:
    """What an operator did: an erasure deletes the name `by`, and keeps the number `user`."""
    at = timestamps.to_text(timestamps.now())
    return {"what": what, "at": at, "by": by, "user": user, "why": why, "event_id": event_id}
