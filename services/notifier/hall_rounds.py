"""The replies of earlier rounds that the hall shows below the newest one: one document for each."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from services.notifier.domain.hall import HallEntry, HallReply
from shared.contracts.resident_messages import Paragraph
from shared.store.mongo import ASCENDING, Database, Document, find_by, insert_new


class HallRounds:
    """The collection `hall_rounds`."""

    def __init__(self, database: Database) -> None:
        self.collection = database["hall_rounds"]

    async def prepare(self) -> None:
        """Create the index; safe to repeat."""
        await self.collection.create_index([("inquiry_id", ASCENDING)])

    async def keep(self, entry: Document) -> None:
        """Store the reply in a document of the hall. Safe to repeat: it replaces only one of an earlier decision."""
        names = ("n", "round", "answered_at", "paragraphs", "opening", "closing")
        inquiry_id = entry["_id"]
        document = {name: entry.get(name) for name in names} | {"inquiry_id": inquiry_id}
        document["_id"] = round_id(inquiry_id, entry["round"])
        if await insert_new(self.collection, [document]):
            await self.collection.replace_one({"_id": document["_id"], "n": {"$lt": document["n"]}}, document)

    async def shown(self, inquiry_ids: Sequence[str]) -> dict[tuple[str, int], int]:
        """The number of the decision of each reply, by inquiry and round."""
        found = await find_by(self.collection, "inquiry_id", inquiry_ids, ["inquiry_id", "round", "n"])
        return {(one["inquiry_id"], one["round"]): one["n"] for one in found}

    async def with_earlier(self, entries: Sequence[HallEntry]) -> list[HallEntry]:
        """The entries with the replies of their earlier rounds."""
        later = [one.inquiry_id for one in entries if one.round > 1]
        replies: dict[str, list[HallReply]] = defaultdict(list)
        for stored in await find_by(self.collection, "inquiry_id", later) if later else ():
            replies[stored["inquiry_id"]].append(_reply(stored))
        return [replace(one, earlier=_before(one, replies[one.inquiry_id])) for one in entries]

    async def erase(self, inquiry_id: str, through: int) -> None:
        """Delete the replies of decisions up to `through`; safe to repeat."""
        await self.collection.delete_many({"inquiry_id": inquiry_id, "n": {"$lte": through}})


def round_id(inquiry_id: str, round_: int) -> str:
    return f"{inquiry_id}/{round_}"


def _before(entry: HallEntry, replies: Sequence[HallReply]) -> tuple[HallReply, ...]:
    return tuple(sorted((one for one in replies if one.round < entry.round), key=lambda one: one.round))


def _reply(stored: Document) -> HallReply:
    return HallReply(
        stored["round"],
        stored["answered_at"],
        tuple(Paragraph.model_validate(one) for one in stored["paragraphs"]),
        stored.get("opening"),
        stored.get("closing"),
    )
