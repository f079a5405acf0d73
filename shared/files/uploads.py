"""Takes the files that people send: checks how many, cleans, scans and stores them; deletes unused ones."""

import asyncio
import time
from typing import Any, BinaryIO

from shared.files.cleaned import Cleaned
from shared.files.file_store import FileStore
from shared.files.references import FileReferences, HoldersThatExist
from shared.files.refusals import FileRefused
from shared.files.scanning import Scanner, scanner_of
from shared.files.storage import storage_of
from shared.files.stored_file import StoredFile
from shared.files.worker import Cleaner, CleaningProcesses
from shared.http.problems import Problem
from shared.http.rate_limit import RateLimit
from shared.runtime import timestamps
from shared.runtime.logging import log
from shared.runtime.settings import Settings
from shared.store.mongo import Database, Document

HOUR_S = 3_600
UNUSED_EVERY_S = 600.0
SCAN_EVERY_S = 20.0


class Uploads:
    """The files of one service."""

    def __init__(
        self, store: FileStore, references: FileReferences, cleaner: Cleaner, scanner: Scanner, per_hour: int
    ) -> None:
        self.store = store
        self.references = references
        self._cleaner = cleaner
        self._scanner = scanner
        self._clients = RateLimit(per_hour, HOUR_S)

    def admit(self, client: str) -> None:
        """Count a file of this client. Raises Problem 429 when the client exceeds the limit for an hour."""
        if wait_s := self._clients.wait_s(client, time.monotonic()):
            raise Problem(
                429,
                f"More than {self._clients.most} files in an hour came from your address; send yours again in {wait_s} s.",
                headers={"Retry-After": str(wait_s)},
            )

    async def take(self, file: BinaryIO, name: str, inquiry_id: str | None = None, **sender: Any) -> StoredFile:
        """Clean, scan and store a file. Raises FileRefused, CleaningUnavailable, DependencyUnavailable and PyMongoError."""
        cleaned = await self._cleaner.clean(file)
        verdict = await self._scanner.scan(cleaned.content)
        if verdict == "infected":
            raise FileRefused("infected")
        stored = StoredFile.new(cleaned, name, scanned=verdict == "passed")
        await self.references.take(stored, inquiry_id, **sender)
        await self.store.add(stored, cleaned)
        return stored

    async def scan_waiting(self) -> None:
        """Scan the files that wait for the scanner; delete the infected ones, also when a message has them."""
        for one in await self.references.unscanned():
            await self._scan(one)

    async def _scan(self, one: Document) -> None:
        file = await self.store.find(one["_id"])
        content = await self._content(file) if file is not None else None
        if file is None or content is None:
            return
        verdict = await self._scanner.scan(content.content)
        if verdict == "infected":
            log.warning("the virus scanner found an infected file; it is deleted", file=one["_id"])
            await self.references.remove(one, self.store)
        elif verdict == "passed":
            await self.store.save(file.model_copy(update={"scanned": True}))
            await self.references.scanned(one["_id"])

    async def _content(self, file: StoredFile) -> Cleaned | None:
        chunks = await self.store.read(file)
        return Cleaned(file.media_type, b"".join([one async for one in chunks])) if chunks is not None else None

    async def keep_scanned(self) -> None:
        """Scan the waiting files again and again; runs until cancelled."""
        while True:
            await self.scan_waiting()
            await asyncio.sleep(SCAN_EVERY_S)

    async def remove_unused(self, exist: HoldersThatExist) -> None:
        """Delete unused files again and again; runs until cancelled."""
        while True:
            if removed := await self.references.remove_unused(timestamps.now(), exist, self.store):
                log.info("deleted files that no message has", files=removed)
            await asyncio.sleep(UNUSED_EVERY_S)


def uploads_of(settings: Settings, database: Database) -> Uploads | None:
    """The files of a service; None when the settings name no storage. Raises ValueError for one that cannot be used."""
    storage = storage_of(settings)
    if storage is None:
        return None
    scanner = scanner_of(settings.files_scan)
    return Uploads(FileStore(storage), FileReferences(database), CleaningProcesses(), scanner, settings.files_per_hour)
