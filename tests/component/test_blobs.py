"""Contents by their hash: stored once, kept while a file has them, deleted with the last one, without locks."""

import asyncio
import random
from hashlib import sha256
from pathlib import Path

import pytest

from shared.files.blobs import Blobs, content_of, reference
from shared.files.storage import Storage, folder_storage
from shared.kafka.failures import DependencyUnavailable

CONTENT = b"the same picture, sent by many people"
SHA256 = sha256(CONTENT).hexdigest()


class InMemory(Storage):
    """A storage in memory. Other tasks run between any two steps, in an order that depends on the seed."""

    def __init__(self, seed: int) -> None:
        self.objects: dict[str, bytes] = {}
        self.order = random.Random(seed)
        self.steps_left: int | None = None

    async def _turn(self) -> None:
        if self.steps_left is not None:
            if not self.steps_left:
                raise SystemExit
            self.steps_left -= 1
        for _ in range(self.order.randrange(6)):
            await asyncio.sleep(0)

    async def put(self, path: str, content: bytes) -> None:
        await self._turn()
        self.objects[path] = content
        await asyncio.sleep(0)

    async def get(self, path: str) -> bytes | None:
        await self._turn()
        return self.objects.get(path)

    async def has(self, path: str) -> bool:
        await self._turn()
        return path in self.objects

    async def delete(self, path: str) -> None:
        await self._turn()
        self.objects.pop(path, None)

    async def paths(self, prefix: str) -> list[str]:
        await self._turn()
        return [one for one in self.objects if one.startswith(prefix)]


async def some_life(blobs: Blobs, file_id: str, order: random.Random) -> str | None:
    """Add a file, and perhaps remove it again; returns its place if it stays."""
    place = await blobs.add(SHA256, CONTENT, file_id)
    if order.random() < 0.7:
        await blobs.remove(SHA256, file_id)
        return None
    return place


@pytest.mark.parametrize("seed", range(150))
async def test_a_content_is_there_as_long_as_a_file_has_it_and_no_longer(seed: int) -> None:
    storage = InMemory(seed)
    blobs, order = Blobs(storage), random.Random(seed)
    lives = [some_life(blobs, f"f{number}", order) for number in range(8)]
    places = dict(zip(range(8), await asyncio.gather(*lives), strict=True))
    stay = {f"f{number}": place for number, place in places.items() if place}
    for file_id, place in stay.items():
        assert storage.objects[content_of(place)] == CONTENT
        assert reference(place, file_id) in storage.objects
    for file_id in stay:
        await blobs.remove(SHA256, file_id)
    assert storage.objects == {}


@pytest.mark.parametrize("seed", range(40))
async def test_what_a_killed_process_leaves_harms_nobody_and_goes_when_it_is_repeated(seed: int) -> None:
    storage = InMemory(seed)
    blobs = Blobs(storage)
    await blobs.add(SHA256, CONTENT, "first")
    storage.steps_left = seed % 12
    order = random.Random(seed)
    try:
        if order.random() < 0.5:
            await blobs.remove(SHA256, "first")
        else:
            await blobs.add(SHA256, CONTENT, "killed")
    except SystemExit:
        pass
    storage.steps_left = None
    place = await blobs.add(SHA256, CONTENT, "second")
    assert storage.objects[content_of(place)] == CONTENT
    for file_id in ("first", "killed"):
        await blobs.remove(SHA256, file_id)
    assert storage.objects[content_of(place)] == CONTENT
    await blobs.remove(SHA256, "second")
    assert storage.objects == {}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "files"


async def test_a_folder_stores_the_same_content_once_and_ends_empty(folder: Path) -> None:
    storage = folder_storage(folder)
    blobs = Blobs(storage)
    places = await asyncio.gather(*[blobs.add(SHA256, CONTENT, f"f{number}") for number in range(3)])
    place = await blobs.add(SHA256, CONTENT, "f3")
    assert place in places
    chunks = await storage.read(content_of(place))
    assert chunks is not None
    assert b"".join([one async for one in chunks]) == CONTENT
    for number in range(4):
        await blobs.remove(SHA256, f"f{number}")
    assert [one for one in folder.rglob("*") if SHA256 in str(one)] == []
    assert await storage.read(content_of(place)) is None
    assert await storage.get(content_of(place)) is None


async def test_only_its_owner_can_read_the_folder(folder: Path) -> None:
    folder_storage(folder)
    assert folder.stat().st_mode & 0o777 == 0o700


async def test_a_storage_that_does_not_answer_is_an_unavailable_dependency(folder: Path) -> None:
    storage = folder_storage(folder)
    (folder / "files").write_text("a file where a folder must be")
    with pytest.raises(DependencyUnavailable) as unavailable:
        await storage.put("files/0", b"x")
    assert str(folder) not in str(unavailable.value)


async def test_a_folder_that_cannot_be_made_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="CHORUS_FILES names"):
        folder_storage(tmp_path / "file" / "files")
