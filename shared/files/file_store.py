"""Files by their id: adds, finds, reads and removes them. The services share it; each keeps its own references."""

from collections.abc import AsyncIterator, Iterable, Sequence

from shared.files.blobs import Blobs, content_of
from shared.files.cleaned import Cleaned
from shared.files.storage import Storage
from shared.files.stored_file import FILE_ID, StoredFile, Variant

FILES = "files"


class FileStore:
    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.blobs = Blobs(storage)

    async def add(self, file: StoredFile, cleaned: Cleaned) -> None:
        """Store the contents, then the document that refers to them; safe to repeat."""
        place = await self.blobs.add(file.content.sha256, cleaned.content, file.file_id)
        placed = {"content": file.content._replace(place=place)}
        if file.thumbnail is not None and cleaned.thumbnail:
            place = await self.blobs.add(file.thumbnail.sha256, cleaned.thumbnail, file.file_id)
            placed["thumbnail"] = file.thumbnail._replace(place=place)
        await self.save(file.model_copy(update=placed))

    async def save(self, file: StoredFile) -> None:
        """Store what is known of a file whose contents are stored."""
        await self.storage.put(f"{FILES}/{file.file_id}", file.model_dump_json().encode())

    async def find(self, file_id: str) -> StoredFile | None:
        """What is known of a file; None for an unknown or deleted one."""
        if not FILE_ID.fullmatch(file_id):
            return None
        stored = await self.storage.get(f"{FILES}/{file_id}")
        return StoredFile.model_validate_json(stored) if stored is not None else None

    async def found(self, file_ids: Iterable[str]) -> list[StoredFile]:
        """The files among these ids that exist, in the same order."""
        return [one for file_id in file_ids if (one := await self.find(file_id)) is not None]

    async def read(self, file: StoredFile, variant: Variant = "content") -> AsyncIterator[bytes] | None:
        """A content in chunks; None when it does not exist."""
        blob = file.blob(variant)
        return await self.storage.read(content_of(blob.place)) if blob is not None else None

    async def remove(self, file_id: str, hashes: Sequence[str] = ()) -> None:
        """Delete a file, and its contents when no other file has them; safe to repeat.

        `hashes` are those of the file, for one whose document was never stored.
        """
        file = await self.find(file_id)
        for one in {*hashes, *(file.hashes if file is not None else ())}:
            await self.blobs.remove(one, file_id)
        # Last, because it says which contents the file has.
        await self.storage.delete(f"{FILES}/{file_id}")
