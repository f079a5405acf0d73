"""Stores the core's position in `inquiries.inputs`, and when the messages of its decisions were published.

`progress` has one document for each partition: `next` is an offset, and every input before it is decided, parked or a
dead letter; `decided` is the `_id` of the decision with the highest offset. The core writes it after the decisions of a
batch and before it commits the batch. After a restore from a backup, reading resumes there. The newest decision could not
tell the offset: a batch inserts its decisions in any order, so a backup may contain the last one without the first.

`published` has one document for each batch: the `_id`s of its decisions and the time after which all their messages were
published. `MessageCleanup` deletes it after the retention time. An index of decisions by offset would do as well, but
makes the local store insert a third fewer decisions per second.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import uuid4

from services.router.stores.decisions import Decisions
from shared.runtime import timestamps
from shared.store.mongo import ASCENDING, Database, Document, UpdateOne, find_by, not_in


class PublishedBatch(NamedTuple):
    """The `_id`s of decisions whose messages were all published at this time."""

    id: str
    at: datetime
    decisions: Sequence[str]


class CoreProgress:
    """The collections `progress` and `published`."""

    def __init__(self, database: Database, decisions: Decisions, now: Callable[[], datetime] = timestamps.now) -> None:
        self.collection = database["progress"]
        self.published = database["published"]
        self.decisions = decisions
        self.now = now

    async def prepare(self) -> None:
        """Create the index; safe to repeat."""
        await self.published.create_index([("at", ASCENDING)])

    async def next_offsets(self, partitions: Collection[int]) -> dict[int, int]:
        """The offset to resume from, by partition; a partition without one is read from the beginning.

        A document whose `decided` is not in `decisions` is ignored: the two collections come from different backups.
        """
        self.decisions.in_flight.keep_only(partitions)
        stored = await find_by(self.collection, "_id", list(partitions))
        named = [one["decided"] for one in stored if "decided" in one]
        missing = await not_in(self.decisions.collection, named)
        return {one["_id"]: one["next"] for one in stored if one.get("decided") not in missing}

    async def note(self, offsets: Mapping[int, int]) -> None:
        """Store the offset to resume from, by partition, and the decisions before it, whose messages are published.

        Writes `published` first: after a crash in between, decisions are listed twice, but none is missing.
        """
        in_flight = self.decisions.in_flight
        ids = {partition: in_flight.before(partition, offset) for partition, offset in offsets.items()}
        if any(ids.values()):
            listed = [id_ for some in ids.values() for id_ in some]
            await self.published.insert_one({"_id": uuid4().hex, "at": self.now(), "decisions": listed})
        updates = []
        for partition, offset in offsets.items():
            noted: Document = {"next": offset}
            if partition in in_flight.newest:
                _, noted["decided"] = in_flight.newest[partition]
            updates.append(UpdateOne({"_id": partition}, {"$set": noted}, upsert=True))
        await self.collection.bulk_write(updates, ordered=False)
        for partition, some in ids.items():
            in_flight.remove(partition, some)

    async def published_until(self, moment: datetime, limit: int) -> list[PublishedBatch]:
        """Up to `limit` batches whose messages were published by this time."""
        found = await self.published.find({"at": {"$lte": moment}}).to_list(limit)
        return [PublishedBatch(one["_id"], one["at"], one["decisions"]) for one in found]

    async def forget(self, batches: Sequence[PublishedBatch]) -> None:
        """Delete these batches after their messages are deleted; safe to repeat."""
        await self.published.delete_many({"_id": {"$in": [one.id for one in batches]}})

    async def keep(self, decisions: Sequence[str], at: datetime) -> None:
        """List these decisions again, as published at this time, so that the cleanup tries them later."""
        await self.published.insert_one({"_id": uuid4().hex, "at": at, "decisions": list(decisions)})
