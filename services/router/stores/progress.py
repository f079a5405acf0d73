"""How far the core has come in each partition of the log, kept beside its decisions.

`progress` holds one document for each partition: `next` is the offset before which every input is decided, parked or a
dead letter; `decided` the `_id` of the decision furthest on. It is written after the decisions of a batch and before the
batch is committed, so a store restored from a backup says itself where reading must go on. The newest decision does not:
the inputs of one batch are stored in any order, and a backup may hold the last of them without the first.
"""

from collections.abc import Collection, Mapping

from services.router.stores.decisions import Decisions
from shared.store.mongo import Database, Document, UpdateOne, find_by, not_in


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
