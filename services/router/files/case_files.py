"""The files of a case: which there are, who sees them, their links, and their deletion."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from services.router.domain.case import Case
from services.router.domain.decision import Decision
from services.router.domain.staff import StaffUser
from shared.files.file_store import FileStore
from shared.files.links import FileLinks
from shared.files.references import FileReferences
from shared.files.scanning import scanner_of
from shared.files.shown import FileShown, file_shown
from shared.files.storage import storage_of
from shared.files.stored_file import StoredFile
from shared.files.uploads import Uploads
from shared.files.worker import CleaningProcesses
from shared.http.multipart_form import SentFile
from shared.runtime.settings import Settings
from shared.store.mongo import Database


class CaseFileShown(FileShown):
    """A file of a case, with links that expire."""

    part_id: str | None
    """The id of the part whose department sent the file; null for a file of the resident."""


class CaseFiles:
    def __init__(self, uploads: Uploads, links: FileLinks) -> None:
        self.uploads = uploads
        self.store: FileStore = uploads.store
        self.references: FileReferences = uploads.references
        self.links = links

    async def take(self, sent: SentFile, who: StaffUser) -> StoredFile:
        """Store a file that a staff user sends. Raises what `Uploads.take` raises."""
        return await self.uploads.take(sent.content, sent.name, user=who.number, department=who.department)

    async def shown(self, case: Case) -> list[dict[str, Any]]:
        """The fields of `CaseFileShown` for each file of a case that is still there."""
        part_ids = dict(files_of(case))
        return [
            {**file_shown(one, self.links).model_dump(), "part_id": part_ids[one.file_id]}
            for one in await self.store.found(part_ids)
        ]

    async def erase(self, inquiry_id: str, decisions: Sequence[Decision]) -> None:
        """Delete the files of an inquiry, those of its resident too; safe to repeat."""
        file_ids = [one for decision in decisions for fact in decision.facts for one in getattr(fact, "files", ())]
        own = await self.references.of(file_ids)
        for file_id in file_ids:
            if file_id in own:
                await self.references.remove(own[file_id], self.store)
            else:
                await self.store.remove(file_id)
        await self.references.erase(inquiry_id, (), self.store)


def files_of(case: Case) -> Iterator[tuple[str, str | None]]:
    """The id of each file of a case, and of the part that has it; None for the resident's files."""
    for file_id in case.inquiry.files if case.inquiry is not None else ():
        yield file_id, None


def visible_files(files: Sequence[Mapping[str, Any]], case: Case, department: str) -> list[Mapping[str, Any]]:
    """The files that a user of this department sees: the resident's, and those of its own part."""
    own = {part.id for part in case.parts.values() if part.department == department}
    return [one for one in files if one["part_id"] is None or one["part_id"] in own]


def case_files(settings: Settings, database: Database, secret: bytes) -> CaseFiles | None:
    """The files of cases; None when the settings name no storage. Raises ValueError for one that cannot be used."""
    storage = storage_of(settings)
    if storage is None:
        return None
    uploads = Uploads(
        FileStore(storage),
        FileReferences(database),
        CleaningProcesses(),
        scanner_of(settings.files_scan),
        settings.files_per_hour,
    )
    return CaseFiles(uploads, FileLinks(secret, settings.files_link_minutes * 60))
