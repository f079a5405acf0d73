"""Tombstones: which inquiries are erased, and through which decision.

A service writes the tombstone first and then removes the words. After a crash in between, run the erasure again.
"""

from collections.abc import Iterable

from shared.store.mongo import Collection, find_by, insert_new


class Tombstones:
    """One document for each erased inquiry: `{_id: inquiry_id, through: n}`."""

    def __init__(self, collection: Collection) -> None:
        self.collection = collection

    async def set(self, inquiry_id: str, through: int) -> int:
        """Record an erasure through this decision; returns the highest `through` recorded so far. Safe to repeat."""
        if await insert_new(self.collection, [{"_id": inquiry_id, "through": through}]):
            lower = {"_id": inquiry_id, "through": {"$lt": through}}
            await self.collection.update_one(lower, {"$set": {"through": through}})
        return (await self.through_of([inquiry_id]))[inquiry_id]

    async def through_of(self, inquiry_ids: Iterable[str]) -> dict[str, int]:
        """For each erased inquiry among these, the number of the last decision whose words are erased."""
        found = await find_by(self.collection, "_id", sorted(set(inquiry_ids)))
        return {one["_id"]: int(one["through"]) for one in found}
