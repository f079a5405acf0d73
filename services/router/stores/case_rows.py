"""The case list: one row a case as of its newest event, for the desk; a view that can be rebuilt from decisions."""

from collections.abc import Sequence

from services.router.domain.case import OPEN
from shared.store.mongo import ASCENDING, Database, Document, UpdateOne, aggregated, find_by, insert_new

OPEN_CASES = ["triage", "assigned", "in-progress"]


class CaseRows:
    """The collection `cases`."""

    def __init__(self, database: Database) -> None:
        self.collection = database["cases"]

    async def prepare(self) -> None:
        """Create the indexes; safe to repeat."""
        await self.collection.create_index([("state", ASCENDING)])
        await self.collection.create_index([("departments", ASCENDING), ("_id", ASCENDING)])

    async def show(self, rows: Sequence[Document]) -> None:
        """Bring the view up to date; a row that is not newer than what is shown changes nothing."""
        updates = []
        for row in rows:
            fields = {name: value for name, value in row.items() if name != "_id"}
            updates.append(UpdateOne({"_id": row["_id"], "sequence": {"$lt": row["sequence"]}}, {"$set": fields}))
        have = {one["_id"] for one in await find_by(self.collection, "_id", [row["_id"] for row in rows], ["_id"])}
        taken = await insert_new(self.collection, [row for row in rows if row["_id"] not in have])
        late = [one for one, row in zip(updates, rows, strict=True) if row["_id"] in have | taken]
        if late:
            await self.collection.bulk_write(late, ordered=False)

    async def page(self, query: Document, limit: int) -> list[Document]:
        """One page of the view, by inquiry id."""
        return await self.collection.find(query).sort("_id", ASCENDING).to_list(limit)

    async def open_with(self, department: str, after: str, limit: int) -> list[str]:
        """Open cases in which this department has a part, by inquiry id, from after one on."""
        query = {"departments": department, "state": {"$in": OPEN_CASES}, "_id": {"$gt": after}}
        found = await self.collection.find(query, ["_id"]).sort("_id", ASCENDING).to_list(limit)
        return [one["_id"] for one in found]

    async def open_parts(self) -> dict[str, int]:
        """How many parts of open cases are offered, and how many accepted."""
        sums = {state: {"$sum": f"$part_states.{state}"} for state in OPEN}
        still_open = {"$match": {"state": {"$in": OPEN_CASES}}}
        found = await aggregated(self.collection, [still_open, {"$group": {"_id": None, **sums}}])
        return {state: int(found[0][state]) if found else 0 for state in OPEN}
