"""The collection behind the desk's case list: one row for each case. It can be rebuilt from `inquiries.events`.

`place` sorts the list by receipt. `lead`, `parts` and `due_at` come from the decisions, and say which parts the case has
and when the running clock of each is due.
`fence` is the place of a case that divides the list (`fences.py`). `waits` names what waits for staff. `searched` is the
newest event whose texts the search index has.
"""

from collections.abc import Sequence

from services.router.domain.part import OPEN
from services.router.stores.fences import CASES_BETWEEN, Fences
from shared.store.mongo import ASCENDING, DESCENDING, Database, Document, UpdateOne, aggregated, find_by, insert_new

OPEN_CASES = ["triage", "assigned", "in-progress", "awaiting-resident", "awaiting-release", "reopened"]
HAS_OPEN_PART: list[Document] = [{f"part_states.{state}": {"$gt": 0}} for state in OPEN]
"""Alternatives of a query for cases with an open part, whatever their state: an answered case may have a late one."""
ROWS_PER_QUERY = 50
"""A query for more ids at once is slow on the local store."""


def place_of(inquiry_id: str, received_at: str | None) -> str:
    """The place of a case in the list, newest last. It never changes, so a page continues exactly where one ended."""
    return f"{received_at or ''}/{inquiry_id}"


def _between(floor: str, before: str | None) -> Document:
    return {"$gte": floor} | ({"$lt": before} if before is not None else {})


class CaseRows:
    """The collection `cases`."""

    def __init__(self, database: Database) -> None:
        self.collection = database["cases"]
        self.fences = Fences(self.collection)

    async def prepare(self) -> None:
        """Create the indexes; safe to repeat."""
        await self.collection.create_index([("state", ASCENDING)])
        await self.collection.create_index([("state", ASCENDING), ("received_at", ASCENDING), ("_id", ASCENDING)])
        await self.collection.create_index([("departments", ASCENDING), ("_id", ASCENDING)])
        # Ascending, although it is read from the newest: in a descending index the local store misses values of a `$gte`.
        await self.collection.create_index([("place", ASCENDING)])
        for field in ("state", "departments", "lead"):
            await self.collection.create_index([(field, ASCENDING), ("place", ASCENDING)])
        # Sparse: what waits for staff is a few of all cases.
        await self.collection.create_index([("waits", ASCENDING), ("place", ASCENDING)], sparse=True)
        await self.collection.create_index([("due_at", ASCENDING)])
        await self.collection.create_index([("fence", ASCENDING)], sparse=True)
        for state in OPEN:
            await self.collection.create_index([(f"part_states.{state}", ASCENDING)], sparse=True)
        await self.collection.create_index([("reported_at", ASCENDING)], sparse=True)
        await self.collection.create_index([("received_at", ASCENDING)])
        # Sparse: few cases have links.
        await self.collection.create_index([("links", ASCENDING)], sparse=True)

    async def show(self, rows: Sequence[Document]) -> None:
        """Insert or update rows. Safe to repeat: a row replaces only one with a smaller sequence."""
        updates = []
        for row in rows:
            fields = {name: value for name, value in row.items() if name != "_id"}
            updates.append(UpdateOne({"_id": row["_id"], "sequence": {"$lt": row["sequence"]}}, {"$set": fields}))
        stored = {one["_id"] for one in await find_by(self.collection, "_id", [row["_id"] for row in rows], ["_id"])}
        stored |= await insert_new(self.collection, [row for row in rows if row["_id"] not in stored])
        if needed := [one for one, row in zip(updates, rows, strict=True) if row["_id"] in stored]:
            await self.collection.bulk_write(needed, ordered=False)

    async def newest(self, query: Document, before: str | None, limit: int) -> list[Document]:
        """Rows by their places, newest first, older than the place `before`."""
        found: list[Document] = []
        cases, floor = max(2 * limit, 2 * CASES_BETWEEN), None
        while floor != "":
            floor = await self.fences.floor(before, cases)
            some = self.collection.find({**query, "place": _between(floor, before)}, {"links": 0})
            found += await some.sort("place", DESCENDING).to_list(limit - len(found))
            if len(found) == limit:
                break
            before, cases = floor, 2 * cases
        return found

    async def oldest(self, query: Document, start: str, before: str | None) -> Document | None:
        """The oldest row at or after the place `start` that is older than the place `before`."""
        return next(iter(await self.oldest_first(query, start, 1, before)), None)

    async def oldest_first(self, query: Document, start: str, limit: int, before: str | None = None) -> list[Document]:
        """Rows by their places, oldest first, from the place `start` to before the place `before`."""
        found: list[Document] = []
        cases = 2 * limit
        while True:
            until = await self.fences.ceiling(start, cases)
            until = before if until is None or (before is not None and until > before) else until
            some = self.collection.find({**query, "place": _between(start, until)}, {"links": 0})
            found += await some.sort("place", ASCENDING).to_list(limit - len(found))
            if len(found) == limit or until is None or until == before:
                return found
            start, cases = until, 2 * cases

    async def among(self, inquiry_ids: Sequence[str], query: Document) -> dict[str, Document]:
        """The rows of these cases that meet the query, by inquiry id."""
        found: dict[str, Document] = {}
        for start in range(0, len(inquiry_ids), ROWS_PER_QUERY):
            # Beside the `$and` of a query, not inside one: there the local store does not use the index.
            some = {"_id": {"$in": list(inquiry_ids[start : start + ROWS_PER_QUERY])}, **query}
            found |= {one["_id"]: one async for one in self.collection.find(some)}
        return found

    async def note_searched(self, inquiry_id: str, sequence: int, fields: Document) -> None:
        """Note which event the search index has, with fields from the decisions, unless the row is newer."""
        noted = {**fields, "searched": sequence}
        await self.collection.update_one({"_id": inquiry_id, "sequence": {"$lte": sequence}}, {"$set": noted})

    async def page(self, query: Document, limit: int) -> list[Document]:
        """Rows in the order of their inquiry ids, without their links."""
        return await self.collection.find(query, {"links": 0}).sort("_id", ASCENDING).to_list(limit)

    async def in_triage(self, after: Document | None, limit: int) -> list[Document]:
        """Rows of cases in triage, the message received first at the top, after the row `after`."""
        query: Document = {"state": "triage"}
        if after is not None:
            received_at, id_ = after.get("received_at", ""), after["_id"]
            query["$or"] = [
                {"received_at": {"$gt": received_at}},
                {"received_at": received_at, "_id": {"$gt": id_}},
            ]
        order = [("received_at", ASCENDING), ("_id", ASCENDING)]
        return await self.collection.find(query).sort(order).to_list(limit)

    async def count_in_triage(self) -> int:
        return await self.collection.count_documents({"state": "triage"})

    async def received_between(self, since: str, until: str, limit: int) -> list[Document]:
        """Ids of the cases received in this time, the newest first."""
        query = {"received_at": {"$gte": since, "$lte": until}}
        order = [("received_at", DESCENDING), ("_id", DESCENDING)]
        return await self.collection.find(query, ["_id"]).sort(order).to_list(limit)

    async def link(self, inquiry_id: str, to: str) -> None:
        """Note a link of a case that has a row; safe to repeat and to overtake."""
        await self.collection.update_one({"_id": inquiry_id}, {"$addToSet": {"links": to}})

    async def linked_to(self, inquiry_id: str) -> list[str]:
        """Ids of the cases that are linked to this one, in ascending order."""
        found = await self.collection.find({"links": inquiry_id}, ["_id"]).sort("_id", ASCENDING).to_list(None)
        return [one["_id"] for one in found]

    async def row(self, inquiry_id: str) -> Document | None:
        return await self.collection.find_one({"_id": inquiry_id})

    async def open_with(self, department: str, after: str, limit: int) -> list[str]:
        """Ids of cases with an open part in which this department has one, in ascending order, greater than `after`."""
        query: Document = {"departments": department, "$or": HAS_OPEN_PART, "_id": {"$gt": after}}
        found = await self.collection.find(query, ["_id"]).sort("_id", ASCENDING).to_list(limit)
        return [one["_id"] for one in found]

    async def open_parts(self) -> dict[str, int]:
        """The number of parts that are offered and that are accepted, by state."""
        sums = {state: {"$sum": f"$part_states.{state}"} for state in OPEN}
        still_open = {"$match": {"$or": HAS_OPEN_PART}}
        found = await aggregated(self.collection, [still_open, {"$group": {"_id": None, **sums}}])
        return {state: int(found[0][state]) if found else 0 for state in OPEN}
