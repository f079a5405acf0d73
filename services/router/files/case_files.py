"""The files of a case: which there are, who sees them, their links, and their deletion."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from services.router.domain.case import Case
from services.router.domain.decision import Decision
from services.router.domain.reply import JointReply
from services.router.domain.staff import StaffUser
from shared.contracts import ids
from shared.contracts.department_outbox import PartContributed
from shared.contracts.envelope import Payload
from shared.files.file_store import FileStore
from shared.files.links import FileLinks
from shared.files.references import TOO_MANY, FileReferences, too_many
from shared.files.shown import FileShown, file_shown
from shared.files.stored_file import StoredFile
from shared.files.uploads import Uploads, uploads_of
from shared.http.multipart_form import SentFile
from shared.runtime.settings import Settings
from shared.store.mongo import Database
from shared.store.tombstones import Tombstones


class CaseFileShown(FileShown):
    """A file of a case, with links that expire."""

    part_id: str | None
    """The id of the part whose department sent the file; null for a file of the resident."""


class FilesNotUsable(NamedTuple):
    """Why the files of a contribution are refused. `remedy` is what to do, or the limit."""

    code: str
    reason: str
    remedy: str


def not_sent(file_ids: Sequence[str], department: str | None) -> FilesNotUsable:
    reason = f"{', '.join(map(repr, file_ids))} are not files that {department!r} sent for this part"
    return FilesNotUsable("no-file", reason, "Send the files to the desk first (`POST /files`).")


class CaseFiles:
    def __init__(self, uploads: Uploads, links: FileLinks, tombstones: Tombstones) -> None:
        self.uploads = uploads
        self.store: FileStore = uploads.store
        self.references: FileReferences = uploads.references
        self.links = links
        self.tombstones = tombstones

    async def take(self, sent: SentFile, who: StaffUser) -> StoredFile:
        """Store a file that a staff user sends. Raises what `Uploads.take` raises."""
        return await self.uploads.take(sent.content, sent.name, user=who.number, department=who.department)

    async def refused(self, given: Payload, department: str | None) -> FilesNotUsable | None:
        """Why a department's message cannot have its files: others sent them, or its part has too many. Claims the files.

        The part holds the files, not the message, because a draft and a later contribution may have the same ones. Claimed
        files go with the erasure of the inquiry.
        """
        if not isinstance(given, PartContributed) or not given.files:
            return None
        found = await self.references.of(given.files)
        wrong = [one for one in given.files if found.get(one, {}).get("department") != department]
        if wrong:
            return not_sent(wrong, department)
        # Of its own files: the gate does not know whose part it is, and others must not fill it.
        have = [one for one in await self.references.of_holder(given.part_id) if one.get("department") == department]
        if too_many([*found.values(), *have]):
            return FilesNotUsable("too-many-files", f"The part {given.part_id!r} has too many files", TOO_MANY)
        if await self.references.claim(given.files, given.part_id, ids.inquiry_of(given.part_id)):
            return None
        held = await self.references.of(given.files)
        return not_sent([one for one in given.files if held.get(one, {}).get("holder") != given.part_id], department)

    async def shown(self, case: Case) -> list[dict[str, Any]]:
        """The fields of `CaseFileShown` for each file of a case that is still there."""
        part_ids = dict(files_of(case))
        return [
            {**file_shown(one, self.links).model_dump(), "part_id": part_ids[one.file_id]}
            for one in await self.store.found(part_ids)
        ]

    async def remove_unused(self) -> None:
        """Delete, again and again, the files that no part has; runs until cancelled."""
        await self.uploads.remove_unused(self._not_erased)

    async def _not_erased(self, part_ids: Sequence[str]) -> set[str]:
        """The parts that keep their files: those whose inquiry is not erased."""
        inquiries = {one: ids.inquiry_of(one) or "" for one in part_ids}
        erased = await self.tombstones.through_of(inquiries.values())
        return {one for one, inquiry_id in inquiries.items() if inquiry_id not in erased}

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


async def refused_files(files: CaseFiles | None, given: Payload, department: str | None) -> FilesNotUsable | None:
    """Why a message cannot have its files; without a storage, nothing can have any."""
    if files is not None:
        return await files.refused(given, department)
    named: Sequence[str] = getattr(given, "files", ())
    return not_sent(named, department) if named else None


def files_of(case: Case) -> Iterator[tuple[str, str | None]]:
    """The id of each file of a case, and of the part that has it; None for the resident's files."""
    for file_id in case.inquiry.files if case.inquiry is not None else ():
        yield file_id, None
    for addition in case.additions:
        for file_id in addition.files:
            yield file_id, None
    for part in case.parts.values():
        for file_id in part.files:
            yield file_id, part.id


def visible_files(
    files: Sequence[Mapping[str, Any]], case: Case, department: str, replies: Sequence[JointReply]
) -> list[Mapping[str, Any]]:
    """The files that a user of this department sees: the resident's, those of its own part and of the pieces that it
    delegated, and those in the replies that it reads."""
    own = {part.id for part in case.parts.values() if part.department == department}
    own |= {part.id for part in case.parts.values() if part.parent in own}
    read = {file_id for one in replies for file_id in one.files}
    return [one for one in files if one["part_id"] is None or one["part_id"] in own or one["file_id"] in read]


def case_files(settings: Settings, database: Database, secret: bytes) -> CaseFiles | None:
    """The files of cases; None when the settings name no storage. Raises ValueError for one that cannot be used."""
    uploads = uploads_of(settings, database)
    if uploads is None:
        return None
    return CaseFiles(uploads, FileLinks(secret, settings.files_link_minutes * 60), Tombstones(database["tombstones"]))
