"""The files of intake and of the desk, in one folder, as the services have them."""

import io
from pathlib import Path

from services.intake.files import ResidentFiles
from services.router.files.case_files import CaseFiles
from shared.files.file_store import FileStore
from shared.files.links import FileLinks
from shared.files.references import FileReferences
from shared.files.scanning import Scanner
from shared.files.storage import Storage, folder_storage
from shared.files.uploads import Uploads
from shared.http.multipart_form import SentFile
from shared.ledger.ledger import Ledger
from shared.store.mongo import Database
from shared.store.tombstones import Tombstones
from tests.component.filing import CleanerInProcess, FakeScanner

LINKS = FileLinks(b"a secret", 900)


def uploads_of(database: Database, storage: Storage, scanner: Scanner | None = None) -> Uploads:
    return Uploads(FileStore(storage), FileReferences(database), CleanerInProcess(), scanner or FakeScanner(), 0)


def of_intake(database: Database, folder: Path) -> ResidentFiles:
    uploads = uploads_of(database, folder_storage(folder))
    return ResidentFiles(uploads, LINKS, Ledger(database, "ledger"), Tombstones(database["tombstones"]))


def of_desk(database: Database, folder: Path) -> CaseFiles:
    return CaseFiles(uploads_of(database, folder_storage(folder)), LINKS, Tombstones(database["tombstones"]))


def sent_file(content: bytes, name: str) -> SentFile:
    """A file as a form has it."""
    return SentFile("file", name, io.BytesIO(content), too_large=False)
