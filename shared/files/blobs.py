"""Contents by their SHA-256: the same content is stored once, and deleted with its last reference.

    blobs/<sha256>/<generation>/references/<file id> one for each file with this content
    blobs/<sha256>/<generation>/content              the content
    blobs/<sha256>/<generation>/doomed/<random>      somebody is deleting this generation

There is no lock, because two services in many processes share the storage. Who adds a reference writes it and then looks
for `doomed`; who deletes a content writes `doomed` and then looks for references. So at least one of them sees the other:
the first goes to another generation, the second keeps the content. Every step is safe to repeat after a crash. A mark
`doomed` that a killed process left keeps others from adding references; the next deletion of the content removes it.
"""

from collections import defaultdict
from collections.abc import Mapping
from uuid import uuid4

from shared.files.storage import Storage

BLOBS = "blobs"
CONTENT, DOOMED, REFERENCES = "content", "doomed", "references"


class Blobs:
    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    async def add(self, sha256: str, content: bytes, file_id: str) -> str:
        """Store a content with a reference of this file; returns its place. A stored copy gets the reference."""
        for place, names in (await self._generations(sha256)).items():
            if CONTENT in names and await self._refers(place, file_id):
                return place
        place = f"{BLOBS}/{sha256}/{uuid4().hex}"
        await self.storage.put(reference(place, file_id), b"")
        await self.storage.put(f"{place}/{CONTENT}", content)
        return place

    async def remove(self, sha256: str, file_id: str) -> None:
        """Remove the references of a file, and the content with its last reference. Safe to repeat.

        Also completes what a killed process has begun to delete.
        """
        for place in await self._generations(sha256):
            await self._release(place, file_id)

    async def _refers(self, place: str, file_id: str) -> bool:
        """Add a reference to a stored content; False when somebody is deleting it."""
        await self.storage.put(reference(place, file_id), b"")
        if await self._marks(place) or not await self.storage.has(f"{place}/{CONTENT}"):
            await self._release(place, file_id)
            return False
        return True

    async def _release(self, place: str, file_id: str) -> None:
        await self.storage.delete(reference(place, file_id))
        if await self._has_references(place):
            return
        # A mark of its own: another process may remove its mark while this one is about to delete the content.
        mark = f"{place}/{DOOMED}/{uuid4().hex}"
        await self.storage.put(mark, b"")
        if await self._has_references(place):
            await self.storage.delete(mark)
            return
        await self.storage.delete(f"{place}/{CONTENT}")
        # Nobody adds a content to an old generation again, so it needs no mark any more.
        for one in await self._marks(place):
            await self.storage.delete(one)

    async def _marks(self, place: str) -> list[str]:
        return await self.storage.paths(f"{place}/{DOOMED}/")

    async def _has_references(self, place: str) -> bool:
        return bool(await self.storage.paths(f"{place}/{REFERENCES}/"))

    async def _generations(self, sha256: str) -> Mapping[str, set[str]]:
        """By place, what there is of each generation of a content."""
        found: dict[str, set[str]] = defaultdict(set)
        for path in await self.storage.paths(f"{BLOBS}/{sha256}/"):
            _, _, generation, name, *_ = path.split("/")
            found[f"{BLOBS}/{sha256}/{generation}"].add(name)
        return found


def content_of(place: str) -> str:
    """The path of the content at a place."""
    return f"{place}/{CONTENT}"


def reference(place: str, file_id: str) -> str:
    return f"{place}/{REFERENCES}/{file_id}"
