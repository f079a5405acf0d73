"""The references of one service to files: which file is of which message. Without a message, a file goes after a day.

One document for each file that the service has taken: `{_id: file id, hashes, name, type, size, thumbnail, taken_at, …}`. It is
written before the file is stored, so that a file that a killed process left behind is found. `holder` is the id of the
input that has the file; it is written before the input.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from shared.files.file_store import FileStore
from shared.files.limits import FILES_PER_INQUIRY_MAX, INQUIRY_BYTES_MAX
from shared.files.stored_file import StoredFile
from shared.runtime import timestamps
from shared.store.mongo import ASCENDING, Database, Document, find_by

UNUSED_FOR = timedelta(days=1)
LOOK_AT_MOST = 1_000
VALUES_PER_UPDATE = 50
REMOVED = "removed"
"""The holder of a file that is being deleted."""
TOO_MANY = f"at most {FILES_PER_INQUIRY_MAX} files with {INQUIRY_BYTES_MAX} bytes together are accepted"
HoldersThatExist = Callable[[Sequence[str]], Awaitable[set[str]]]
"""The ids among these of inputs that the service has accepted."""


class FileReferences:
    def __init__(self, database: Database) -> None:
        self.collection = database["files"]

    async def prepare(self) -> None:
        """Create the indexes; safe to repeat."""
        for field in ("inquiry_id", "holder", "taken_at"):
            await self.collection.create_index([(field, ASCENDING)])
        await self.collection.create_index([("unscanned", ASCENDING)], sparse=True)

    async def take(self, file: StoredFile, inquiry_id: str | None = None, **sender: Any) -> None:
        """Note a file that is about to be stored. `sender` tells whose it is."""
        await self.collection.insert_one(
            {
                "_id": file.file_id,
                "hashes": list(file.hashes),
                "name": file.name,
                "type": file.media_type,
                "size": file.content.size,
                "thumbnail": file.thumbnail is not None,
                "taken_at": timestamps.now(),
                "inquiry_id": inquiry_id,
                "holder": None,
                **({} if file.scanned else {"unscanned": True}),
                **sender,
            }
        )

    async def of(self, file_ids: Sequence[str]) -> dict[str, Document]:
        """The documents of these files by id; without those that this service does not have."""
        return {one["_id"]: one for one in await find_by(self.collection, "_id", list(file_ids))}

    async def of_holder(self, holder: str) -> list[Document]:
        """The documents of the files that an input, or a part, has."""
        return await self.collection.find({"holder": holder}).to_list(None)

    async def of_inquiry(self, inquiry_id: str) -> list[Document]:
        """The documents of the files of an inquiry."""
        return await self.collection.find({"inquiry_id": inquiry_id}).to_list(None)

    async def claim(self, file_ids: Sequence[str], holder: str, inquiry_id: str | None = None) -> bool:
        """Give the files to an input; False if another one has one of them, or one was sent for another inquiry.

        Safe to repeat for the same input.
        """
        free = {
            "_id": {"$in": list(file_ids)},
            "holder": {"$in": [None, holder]},
            "inquiry_id": {"$in": list({None, inquiry_id})},
        }
        change: dict[str, Any] = {"holder": holder, "claimed_at": timestamps.now()}
        if inquiry_id is not None:
            change["inquiry_id"] = inquiry_id
        await self.collection.update_many(free, {"$set": change})
        held = [one for one in (await self.of(file_ids)).values() if one["holder"] == holder]
        return len(held) == len(set(file_ids))

    async def unscanned(self) -> list[Document]:
        """The files that wait for the virus scanner, some of them if there are many."""
        return await self.collection.find({"unscanned": True}).to_list(LOOK_AT_MOST)

    async def scanned(self, file_id: str) -> None:
        """Note that the virus scanner has passed a file."""
        await self.collection.update_one({"_id": file_id}, {"$unset": {"unscanned": ""}})

    async def belong_to(self, holder: str, inquiry_id: str) -> None:
        """Note the inquiry of an input that has files."""
        await self.collection.update_many({"holder": holder}, {"$set": {"inquiry_id": inquiry_id}})

    async def remove(self, one: Mapping[str, Any], store: FileStore) -> None:
        """Delete a file and its document; safe to repeat. The document goes last, because it leads to the file."""
        await store.remove(one["_id"], one["hashes"])
        await self.collection.delete_one({"_id": one["_id"]})

    async def erase(self, inquiry_id: str, holders: Sequence[str], store: FileStore) -> None:
        """Delete the files of an inquiry, which these inputs may have too; safe to repeat."""
        for one in [*await self.of_inquiry(inquiry_id), *await find_by(self.collection, "holder", list(holders))]:
            await self.remove(one, store)

    async def remove_unused(self, now: datetime, exist: HoldersThatExist, store: FileStore) -> int:
        """Delete the files that no input has a day after they came; returns how many."""
        removed = 0
        for one in await self._unused(now - UNUSED_FOR, exist):
            # From here on no input gets the file: somebody may send a form that has been open for a day.
            taken = await self.collection.update_one(
                {"_id": one["_id"], "holder": one["holder"]}, {"$set": {"holder": REMOVED}}
            )
            if taken.matched_count:
                await self.remove(one, store)
                removed += 1
        return removed

    async def _unused(self, before: datetime, exist: HoldersThatExist) -> list[Document]:
        """Files without an input. Those that have one are marked as settled, and not looked at again."""
        old = await self.collection.find({"taken_at": {"$lt": before}, "settled": None}).to_list(LOOK_AT_MOST)
        due = [one for one in old if one.get("claimed_at", before) <= before]
        existing = await exist([one["holder"] for one in due if one["holder"]])
        settled = [one["_id"] for one in due if one["holder"] in existing]
        for start in range(0, len(settled), VALUES_PER_UPDATE):
            some = {"_id": {"$in": settled[start : start + VALUES_PER_UPDATE]}}
            await self.collection.update_many(some, {"$set": {"settled": True}})
        return [one for one in due if one["_id"] not in settled]


def too_many(files: Iterable[Mapping[str, Any]]) -> bool:
    """Whether these are more files than one ticket, or one part, may have."""
    sizes = [one["size"] for one in {one["_id"]: one for one in files}.values()]
    return len(sizes) > FILES_PER_INQUIRY_MAX or sum(sizes) > INQUIRY_BYTES_MAX
