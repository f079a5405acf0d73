"""Parked inputs: an input that failed repeatedly, and later inputs of the same inquiry, which wait behind it."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.kafka.records import Record
from shared.store.mongo import ASCENDING, Database, Document, find_by, insert_new


@dataclass(frozen=True, slots=True)
class Parked:
    """A record of `inquiries.inputs` that waits for a replay. The replay skips it when it is `discarded`."""

    record: Record
    inquiry_id: str
    kind: str
    reason: str
    discarded: bool = False

    def document(self) -> Document:
        """The MongoDB document; its `_id` is topic, partition and offset."""
        fields = {name: getattr(self.record, name) for name in Record._fields if name != "headers"}
        headers = [[name, value] for name, value in self.record.headers]
        about = {"inquiry_id": self.inquiry_id, "kind": self.kind, "reason": self.reason, "discarded": self.discarded}
        return {"_id": self.record.place, **about, **fields, "headers": headers}


class ParkedInputs:
    """The collection `parked`."""

    def __init__(self, database: Database) -> None:
        self.collection = database["parked"]
        self.blocked: set[str] = set()
        """Ids of the inquiries whose inputs must be parked, as of the last `Core.refresh`."""

    async def prepare(self) -> None:
        """Create the index; safe to repeat."""
        await self.collection.create_index([("inquiry_id", ASCENDING)])

    async def add(self, parked: Parked) -> None:
        """Store an input. Safe to repeat: its `_id` is its position on the log."""
        await insert_new(self.collection, [parked.document()])

    async def inquiries(self) -> set[str]:
        """Ids of the inquiries whose inputs must be parked.

        An invalid input, which the desk parks to replay its dead letter, has the kind `permanent` and blocks nothing.
        """
        blocked = self.collection.find({"kind": {"$in": ["exhausted", "parked"]}}, ["inquiry_id"])
        return {one["inquiry_id"] for one in await blocked.to_list(None)}

    async def of(self, inquiry_ids: Sequence[str]) -> list[Parked]:
        """The parked inputs of these inquiries, in the order of the log."""
        stored = await find_by(self.collection, "inquiry_id", inquiry_ids)
        return [_parked(one) for one in sorted(stored, key=lambda one: (one["partition"], one["offset"]))]

    async def discard(self, place: str, *, discarded: bool = True) -> bool:
        """Make a replay skip this input, or take it again. Returns False when the input is not parked."""
        found = await self.collection.update_one({"_id": place}, {"$set": {"discarded": discarded}})
        return bool(found.matched_count)

    async def remove(self, taken: Sequence[Parked]) -> None:
        """Delete inputs that a replay has taken; safe to repeat."""
        await self.collection.delete_many({"_id": {"$in": [one.record.place for one in taken]}})

    async def erase(self, inquiry_id: str) -> None:
        """Delete the parked inputs of an inquiry and unblock it; safe to repeat."""
        await self.collection.delete_many({"inquiry_id": inquiry_id})
        self.blocked.discard(inquiry_id)


def _parked(stored: Document) -> Parked:
    fields = {name: stored[name] for name in Record._fields if name != "headers"}
    record = Record(**fields, headers=[(name, value) for name, value in stored["headers"]])
    return Parked(record, stored["inquiry_id"], stored["kind"], stored["reason"], stored["discarded"])
