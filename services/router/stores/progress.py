"""How far the core has come in each partition of the log, kept beside its decisions.

`progress` holds one document for each partition: `next` is the offset before which every input is decided, parked or a
dead letter; `decided` the `_id` of the decision furthest on. It is written after the decisions of a batch and before the
batch is committed, so a store restored from a backup says itself where reading must go on. The newest decision does not:
the inputs of one batch are stored in any order, and a backup may hold the last of them without the first.

`marks` are earlier values of `next` with their time; before the offset `dropped`, decisions have no messages any more.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from services.router.stores.decisions import Decisions
from shared.store.mongo import Database, Document, UpdateOne, find_by, not_in


class Mark(NamedTuple):
    """How far the core had come at a moment."""

    at: datetime
    next: int


class PartitionProgress(NamedTuple):
    """How far the core has come in one partition, now and earlier, and how far the messages of decisions are dropped."""

    partition: int
    next: int
    marks: tuple[Mark, ...] = ()
    dropped: int = 0


class CoreProgress:
    """The collection `progress`."""

    def __init__(self, database: Database, decisions: Decisions) -> None:
        self.collection = database["progress"]
        self.decisions = decisions

    async def next_offsets(self, partitions: Collection[int]) -> dict[int, int]:
        """By partition, where reading must go on so that no input is without a decision; 0 where nothing is known.

        Where the decision that a document names is missing, decisions were restored without this collection: then it says
        nothing, and reading starts at the beginning.
        """
        stored = await find_by(self.collection, "_id", list(partitions))
        named = [one["decided"] for one in stored if "decided" in one]
        missing = await not_in(self.decisions.collection, named)
        return {one["_id"]: one["next"] for one in stored if one.get("decided") not in missing}

    async def note(self, offsets: Mapping[int, int]) -> None:
        """Keep where reading goes on; the documents of several partitions are written together."""
        furthest = self.decisions.furthest
        updates = []
        for partition, offset in offsets.items():
            noted: Document = {"next": offset}
            if partition in furthest:
                noted["decided"] = furthest[partition].id
            updates.append(UpdateOne({"_id": partition}, {"$set": noted}, upsert=True))
        await self.collection.bulk_write(updates, ordered=False)

    async def all(self) -> list[PartitionProgress]:
        """Every partition in which the core has come to the end of a batch."""
        return [
            PartitionProgress(
                stored["_id"],
                stored["next"],
                tuple(Mark(one["at"], one["next"]) for one in stored.get("marks", ())),
                stored.get("dropped", 0),
            )
            for stored in await self.collection.find().to_list(None)
        ]

    async def keep_marks(self, before: PartitionProgress, marks: Sequence[Mark]) -> None:
        """Replace the marks, unless another process has added one meanwhile."""
        same = {"_id": before.partition, "marked_at": before.marks[-1].at if before.marks else None}
        kept: Document = {"marks": [one._asdict() for one in marks], "marked_at": marks[-1].at}
        await self.collection.update_one(same, {"$set": kept})

    async def keep_dropped(self, partition: int, offset: int) -> None:
        """Note that decisions before this offset have no messages any more."""
        await self.collection.update_one({"_id": partition}, {"$set": {"dropped": offset}})
