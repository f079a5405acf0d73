"""How far the core has come on the log, and which decisions it has published there.

`progress` holds one document for each partition: `next` is the offset before which every input is decided, parked or a
dead letter; `decided` the `_id` of the decision furthest on. It is written after the decisions of a batch and before the
batch is committed, so a store restored from a backup says itself where reading must go on. The newest decision does not:
the inputs of one batch are stored in any order, and a backup may hold the last of them without the first.

`published` holds, for each batch and for a day or so, the `_id`s of its decisions and when their messages had gone out.
An index of decisions by place would tell as well, and cost the local store a third of its inserts a second.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import uuid4

from services.router.stores.decisions import Decisions
from shared.runtime import timestamps
from shared.store.mongo import ASCENDING, Database, Document, UpdateOne, find_by, not_in


class PublishedBatch(NamedTuple):
    """The decisions of a batch whose messages had gone out at that moment."""

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
        """By partition, where reading must go on so that no input is without a decision; 0 where nothing is known.

        Where the decision that a document names is missing, decisions were restored without this collection: then it says
        nothing, and reading starts at the beginning.
        """
        self.decisions.said.keep_only(partitions)
        stored = await find_by(self.collection, "_id", list(partitions))
        named = [one["decided"] for one in stored if "decided" in one]
        missing = await not_in(self.decisions.collection, named)
        return {one["_id"]: one["next"] for one in stored if one.get("decided") not in missing}

    async def note(self, offsets: Mapping[int, int]) -> None:
        """Keep where reading goes on, and which decisions are published now; the second first, so that none is forgotten."""
        said = self.decisions.said
        ids = {partition: said.before(partition, offset) for partition, offset in offsets.items()}
        if any(ids.values()):
            listed = [id_ for some in ids.values() for id_ in some]
            await self.published.insert_one({"_id": uuid4().hex, "at": self.now(), "decisions": listed})
        updates = []
        for partition, offset in offsets.items():
            noted: Document = {"next": offset}
            if partition in said.furthest:
                _, noted["decided"] = said.furthest[partition]
            updates.append(UpdateOne({"_id": partition}, {"$set": noted}, upsert=True))
        await self.collection.bulk_write(updates, ordered=False)
        for partition, some in ids.items():
            said.noted(partition, some)

    async def published_until(self, moment: datetime, limit: int) -> list[PublishedBatch]:
        """Some of the batches whose messages had gone out by then."""
        found = await self.published.find({"at": {"$lte": moment}}).to_list(limit)
        return [PublishedBatch(one["_id"], one["at"], one["decisions"]) for one in found]

    async def forget(self, batches: Sequence[PublishedBatch]) -> None:
        """The messages of these are dropped; safe to repeat."""
        await self.published.delete_many({"_id": {"$in": [one.id for one in batches]}})

    async def keep(self, decisions: Sequence[str], at: datetime) -> None:
        """Have these come up again when what was published at that moment does."""
        await self.published.insert_one({"_id": uuid4().hex, "at": at, "decisions": list(decisions)})
