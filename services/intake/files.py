"""The files of residents: those of a message, those sent for a ticket, and their links."""

from collections.abc import Sequence

from services.intake.sentences import NO_SUCH_TICKET
from shared.contracts.resident_messages import Reply
from shared.files.file_store import FileStore
from shared.files.limits import FILES_PER_INQUIRY_MAX, INQUIRY_BYTES_MAX
from shared.files.links import FileLinks
from shared.files.references import TOO_MANY, FileReferences, too_many
from shared.files.shown import FileShown, ReplyFileShown, file_shown, referenced_files
from shared.files.stored_file import StoredFile
from shared.files.uploads import Uploads, uploads_of
from shared.http.multipart_form import SentFile
from shared.http.problems import FieldProblem, Problem, shown
from shared.ledger.ledger import Ledger
from shared.runtime.settings import Settings
from shared.store.mongo import Database, Document, find_by
from shared.store.tombstones import Tombstones


class ResidentFiles:
    def __init__(self, uploads: Uploads, links: FileLinks, ledger: Ledger, tombstones: Tombstones) -> None:
        self.uploads = uploads
        self.store: FileStore = uploads.store
        self.references: FileReferences = uploads.references
        self.links = links
        self.ledger = ledger
        self.tombstones = tombstones

    async def take(self, sent: SentFile, inquiry_id: str | None = None) -> StoredFile:
        """Store a file, for a ticket or for a message that follows.

        Raises what `Uploads.take` raises, and Problem: 404 when the ticket is erased, 422 when it has too many files.
        """
        stored = await self.uploads.take(sent.content, sent.name, inquiry_id)
        try:
            # After the file is stored: several may arrive at once, and an erasure may have run meanwhile.
            await self._check_room_for(inquiry_id, [stored.file_id])
        except Problem:
            await self._remove([stored.file_id])
            raise
        return stored

    async def check_room(self, inquiry_id: str) -> None:
        """Raise Problem 422 when a ticket has as many files as it may have."""
        have = await self._of_ticket(inquiry_id)
        if len(have) >= FILES_PER_INQUIRY_MAX or sum(one["size"] for one in have) >= INQUIRY_BYTES_MAX:
            raise Problem(422, f"This ticket has {len(have)} files already; {TOO_MANY}.")

    async def _check_room_for(self, inquiry_id: str | None, file_ids: Sequence[str]) -> None:
        """Raise Problem 422 when a ticket has too many files with these, 404 when it is erased."""
        if inquiry_id is None:
            return
        if await self.tombstones.through_of([inquiry_id]):
            raise Problem(404, NO_SUCH_TICKET)
        files = [*await self._of_ticket(inquiry_id), *(await self.references.of(file_ids)).values()]
        if too_many(files):
            raise Problem(422, f"This ticket would have too many files; {TOO_MANY}.")

    async def _of_ticket(self, inquiry_id: str) -> list[Document]:
        """The documents of the files that were sent for a ticket, or that its inputs have."""
        entries = [one["_id"] for one in await self.ledger.of(inquiry_id)]
        found = [*await self.references.of_inquiry(inquiry_id), *await self.of_inputs(entries)]
        return list({one["_id"]: one for one in found}.values())

    async def _remove(self, file_ids: Sequence[str]) -> None:
        for one in (await self.references.of(file_ids)).values():
            await self.references.remove(one, self.store)

    async def contents(self, file_ids: Sequence[str]) -> list[str]:
        """Name and hash of each file, which tell a repeated message from another one. Raises Problem 422."""
        found = await self.references.of(file_ids)
        refuse([one for one in file_ids if one not in found], file_ids)
        if too_many(found.values()):
            raise Problem(422, f"The files are too large; {TOO_MANY}. Send fewer or smaller ones.")
        return [f"{found[one]['name']}/{found[one]['hashes'][0]}" for one in file_ids]

    async def claim(self, file_ids: Sequence[str], event_id: str, inquiry_id: str | None = None) -> None:
        """Give the files to a message, or to an addition to this ticket.

        Raises Problem: 422 when another message has one of them, or the ticket then has too many; 404 when it is erased.
        """
        await self._check_room_for(inquiry_id, file_ids)
        if not await self.references.claim(file_ids, event_id, inquiry_id):
            found = await self.references.of(file_ids)
            refuse([one for one in file_ids if found.get(one, {}).get("holder") != event_id], file_ids)
        # Once more, because several additions may have claimed files at once. What is claimed and not used goes in a day.
        await self._check_room_for(inquiry_id, file_ids)

    async def of_inputs(self, event_ids: Sequence[str]) -> list[Document]:
        """The documents of the files that these inputs have, in the order in which they came."""
        found = await find_by(self.references.collection, "holder", list(event_ids))
        return sorted(found, key=lambda one: one["taken_at"])

    async def shown(self, event_ids: Sequence[str]) -> list[FileShown]:
        """The files of a ticket, given the ids of its inputs."""
        return referenced_files(await self.of_inputs(event_ids), self.links)

    async def of_replies(self, replies: Sequence[Reply]) -> list[ReplyFileShown]:
        """The files of released replies and their addenda, in the order of the paragraphs."""
        paragraphs = [
            one
            for reply in replies
            for some in (reply.paragraphs, *(addendum.paragraphs for addendum in reply.addenda))
            for one in some
        ]
        departments = {file_id: one.department for one in paragraphs for file_id in one.files}
        return [
            ReplyFileShown(**file_shown(one, self.links).model_dump(), department=departments[one.file_id])
            for one in await self.store.found(departments)
        ]

    async def named(self, file_ids: Sequence[str]) -> list[tuple[str, str]]:
        """Id and name of each file that no message has yet, for a form that comes back."""
        found = await self.references.of(file_ids)
        return [(one, found[one]["name"]) for one in file_ids if one in found and found[one]["holder"] is None]

    async def erase(self, inquiry_id: str) -> None:
        """Delete the files of an inquiry; safe to repeat."""
        entries = await self.ledger.of(inquiry_id)
        await self.references.erase(inquiry_id, [one["_id"] for one in entries], self.store)

    async def remove_unused(self) -> None:
        """Delete, again and again, the files that no message has; runs until cancelled."""
        await self.uploads.remove_unused(self._accepted)

    async def _accepted(self, event_ids: Sequence[str]) -> set[str]:
        """The messages that keep their files: those in the ledger whose inquiry is not erased."""
        found = await find_by(self.ledger.entries, "_id", list(event_ids), ["_id", "inquiry_id"])
        erased = await self.tombstones.through_of({one["inquiry_id"] for one in found})
        return {one["_id"] for one in found if one["inquiry_id"] not in erased}


def refuse(wrong: Sequence[str], file_ids: Sequence[str]) -> None:
    """Raise Problem 422 for the files among `file_ids` that cannot be used."""
    if wrong:
        problems = [
            FieldProblem(
                pointer=f"/files/{file_ids.index(one)}",
                detail=f"files[{file_ids.index(one)}] {shown(one)} is not a file that can be used; send the file again",
            )
            for one in wrong
        ]
        raise Problem(422, "; ".join(one.detail for one in problems) + ".", problems)


def resident_files(settings: Settings, database: Database, ledger: Ledger, secret: bytes) -> ResidentFiles | None:
    """The files of residents; None when the settings name no storage. Raises ValueError for one that cannot be used."""
    uploads = uploads_of(settings, database)
    if uploads is None:
        return None
    links = FileLinks(secret, settings.files_link_minutes * 60)
    return ResidentFiles(uploads, links, ledger, Tombstones(database["tombstones"]))
