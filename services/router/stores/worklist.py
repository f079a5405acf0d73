"""The collection `worklist`: the open parts of each department by their next due time. Rebuilt from `decisions`."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from shared.store.mongo import ASCENDING, Database, Document, UpdateOne, find_by, insert_new

NOT_DUE = "9999"
"""The due time of a part whose clocks do not run; it is listed last."""


class OpenPart(NamedTuple):
    """An open part; `due_at` is when the first of its running clocks runs out."""

    part_id: str
    inquiry_id: str
    department: str
    due_at: str

    @property
    def place(self) -> str:
        """Its place in the worklist."""
        return f"{self.due_at}/{self.part_id}"


class Worklist:
    def __init__(self, database: Database) -> None:
        self.collection = database["worklist"]

    async def prepare(self) -> None:
        """Create the indexes; safe to repeat."""
        await self.collection.create_index([("department", ASCENDING), ("place", ASCENDING)])
        await self.collection.create_index([("inquiry_id", ASCENDING)])

    async def show(self, parts: Mapping[str, Sequence[OpenPart]]) -> None:
        """Make these the open parts of these cases; safe to repeat.

        A process that knows an older state of a case may list a part that is closed: whoever reads compares with the case.
        """
        stored = {one["_id"]: one for one in await find_by(self.collection, "inquiry_id", list(parts))}
        wanted = {one.part_id: _document(one) for some in parts.values() for one in some}
        known = await insert_new(self.collection, [one for id_, one in wanted.items() if id_ not in stored])
        changed = [
            UpdateOne({"_id": id_}, {"$set": {name: value for name, value in one.items() if name != "_id"}})
            for id_, one in wanted.items()
            if id_ in known or (id_ in stored and stored[id_] != one)
        ]
        if changed:
            await self.collection.bulk_write(changed, ordered=False)
        if closed := [id_ for id_ in stored if id_ not in wanted]:
            await self.collection.delete_many({"_id": {"$in": closed}})

    async def page(self, department: str, after: str, limit: int, until: str | None = None) -> list[OpenPart]:
        """A department's parts in the order of their places, after `after`; with `until`, only those due by then."""
        place = {"$gt": after} | ({"$lt": f"{until}0"} if until is not None else {})
        found = self.collection.find({"department": department, "place": place})
        return [_part(one) for one in await found.sort("place", ASCENDING).to_list(limit)]


def _document(part: OpenPart) -> Document:
    return {"_id": part.part_id, "inquiry_id": part.inquiry_id, "department": part.department, "place": part.place}


def _part(stored: Document) -> OpenPart:
    due_at, part_id = stored["place"].split("/")
    return OpenPart(part_id, stored["inquiry_id"], stored["department"], due_at)
