"""Parked inputs: those that failed repeatedly, and those of the same inquiry that wait behind them."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.kafka.records import Record
from shared.store.mongo import ASCENDING, Database, Document, find_by, insert_new


@dataclass(frozen=True, slots=True)
class Parked:
    """An input of the log that waits for a replay; one that was discarded is passed over then."""

    record: Record
    inquiry_id: str
    kind: str
    reason: str
    discarded: bool = False

    def document(self) -> Document:
        """As it is stored, under its place on the log."""
        kept = {name: getattr(self.record, name) for name in Record._fields if name != "headers"}
        headers = [[name, value] for name, value in self.record.headers]
        about = {"inquiry_id": self.inquiry_id, "kind": self.kind, "reason": self.reason, "discarded": self.discarded}
        return {"_id": self.record.place, **about, **kept, "headers": headers}


class ParkedInputs:
    """The collection `parked`."""

    def __init__(self, database: Database) -> None:
        self.collection = database["parked"]
        self.held: set[str] = set()
        """The inquiries whose inputs queue, as far as this process knows."""

    async def prepare(self) -> None:
        """Create the index; safe to repeat."""
        await self.collection.create_index([("inquiry_id", ASCENDING)])

    async def add(self, parked: Parked) -> None:
        """Keep an input under its place; safe to repeat."""
        await insert_new(self.collection, [parked.document()])

    async def inquiries(self) -> set[str]:
        """The inquiries whose inputs queue; a letter that the desk laid here to be read again holds nobody up."""
        held = self.collection.find({"kind": {"$in": ["exhausted", "parked"]}}, ["inquiry_id"])
        return {one["inquiry_id"] for one in await held.to_list(None)}

    async def of(self, inquiry_ids: Sequence[str]) -> list[Parked]:
        """What is parked of these inquiries, in the order of the log."""
        stored = await find_by(self.collection, "inquiry_id", inquiry_ids)
        return [_parked(one) for one in sorted(stored, key=lambda one: (one["partition"], one["offset"]))]

    async def discard(self, place: str, *, discarded: bool = True) -> bool:
        """Have a replay pass over this one, or not; False when it is not there (any more)."""
        found = await self.collection.update_one({"_id": place}, {"$set": {"discarded": discarded}})
        return bool(found.matched_count)

    async def remove(self, taken: Sequence[Parked]) -> None:
        """Forget what has been taken; safe to repeat."""
        await self.collection.delete_many({"_id": {"$in": [one.record.place for one in taken]}})

    async def erase(self, inquiry_id: str) -> None:
        """Drop all that is parked of an inquiry, which then holds nothing up any more; safe to repeat."""
        await self.collection.delete_many({"inquiry_id": inquiry_id})
        self.held.discard(inquiry_id)


def _parked(stored: Document) -> Parked:
    kept = {name: stored[name] for name in Record._fields if name != "headers"}
    record = Record(**kept, headers=[(name, value) for name, value in stored["headers"]])
    return Parked(record, stored["inquiry_id"], stored["kind"], stored["reason"], stored["discarded"])
