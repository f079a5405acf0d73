"""The collections `search` and `search_pending`: by which terms a case is found, and the cases to index (again).

A document of `search` has some of the numbers of a case's terms (`grams`); a case has several documents. Its `_id` begins
with the place of the case in the list of cases. It can be rebuilt from `decisions`, so nothing is lost with it.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import uuid4

from shared.store import leases
from shared.store.mongo import ASCENDING, DESCENDING, Database, Document, UpdateOne, find_by, insert_new

GRAMS_PER_DOCUMENT = 300
"""An index entry takes the local store 0.1 ms, and all entries of a document are one write."""


class SearchIndex:
    def __init__(self, database: Database) -> None:
        self.collection = database["search"]
        self.pending = database["search_pending"]

    async def prepare(self) -> None:
        """Create the indexes; safe to repeat."""
        # Ascending, although it is read from the newest: in a descending index the local store misses values of a `$gte`.
        await self.collection.create_index([("grams", ASCENDING), ("_id", ASCENDING)])
        await self.collection.create_index([("inquiry_id", ASCENDING)])
        await leases.index(self.pending)

    async def mark(self, inquiry_ids: Collection[str], at: datetime) -> None:
        """Have these cases indexed from `at` on. Safe to repeat, also while a process indexes them: it then starts again."""
        known = await insert_new(self.pending, [{"_id": one, "due_at": at} for one in inquiry_ids])
        change = {"$min": {"due_at": at}, "$unset": {"claim": ""}}
        if known:
            await self.pending.bulk_write(
                [UpdateOne({"_id": one}, change, upsert=True) for one in known], ordered=False
            )

    async def claim(self, now: datetime, lease_s: float, limit: int, *, newest_first: bool) -> Sequence[Document]:
        """Claim up to `limit` cases to index by `now`: those marked last, or those that have waited longest."""
        return await leases.claim(self.pending, now, lease_s, limit, newest_first=newest_first)

    async def done(self, claimed: Document) -> None:
        """Remove a case from those to index, unless it was marked again or the claim was lost."""
        await self.pending.delete_one({"_id": claimed["_id"], "claim": claimed["claim"]})

    async def replace(self, inquiry_id: str, place: str, grams: frozenset[int]) -> None:
        """Make these the numbers of the case. Inserts before it deletes, so that the case is found meanwhile."""
        stored = await find_by(self.collection, "inquiry_id", [inquiry_id])
        outdated = [one for one in stored if not grams.issuperset(one["grams"]) or not one["_id"].startswith(place)]
        kept = {number for one in stored if one not in outdated for number in one["grams"]}
        missing = sorted(grams - kept)
        for start in range(0, len(missing), GRAMS_PER_DOCUMENT):
            id_ = f"{place}/{uuid4().hex[:12]}"
            some = missing[start : start + GRAMS_PER_DOCUMENT]
            await insert_new(self.collection, [{"_id": id_, "inquiry_id": inquiry_id, "grams": some}])
        if outdated:
            await self.collection.delete_many({"_id": {"$in": [one["_id"] for one in outdated]}})

    async def places(self, number: int, before: str | None, floor: str, limit: int) -> list[str]:
        """The places of the newest cases with this number, newest first, at most `limit`, from `floor` to before `before`."""
        between = {"$gte": floor} | ({"$lt": before} if before is not None else {})
        found = (
            await self.collection.find({"grams": number, "_id": between}, ["_id"])
            .sort("_id", DESCENDING)
            .to_list(limit)
        )
        return [one["_id"].rsplit("/", 1)[0] for one in found]

    async def erase(self, inquiry_id: str) -> None:
        """Delete all numbers of a case; safe to repeat."""
        await self.collection.delete_many({"inquiry_id": inquiry_id})
