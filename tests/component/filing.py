"""Intake with a storage for files in a folder, and what tests look for in it."""

import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, BinaryIO

import httpx
import pytest
from fastapi import FastAPI

from services.intake import api, file_routes, pages, ticket_pages
from services.intake.files import ResidentFiles
from services.intake.links import Links
from services.intake.reports import Reports
from services.intake.store import IntakeStore
from services.intake.submissions import Submissions
from services.intake.tickets import Tickets
from services.intake.views import HERE as INTAKE
from shared.city import City
from shared.files.cleaned import Cleaned
from shared.files.cleaning import cleaned
from shared.files.file_store import FileStore
from shared.files.links import FileLinks
from shared.files.references import FileReferences
from shared.files.routes import content_routes
from shared.files.scanning import Verdict
from shared.files.storage import folder_storage
from shared.files.uploads import Uploads
from shared.http import problems
from shared.http.direct_routes import install_direct_routes
from shared.http.identity import WrongTokens, operator_or_anybody
from shared.ledger.ledger import Ledger
from shared.runtime.settings import Settings
from shared.service.city_feed import CityFeed
from shared.store.mongo import Database
from tests.component.conftest import in_background
from tests.component.test_intake import GOOD, SECRET, TOKEN
from tests.fakes import MaskerInProcess

LINKS_S = 900


class CleanerInProcess:
    """Cleans files in this process, which is faster than starting one for each."""

    async def clean(self, file: BinaryIO) -> Cleaned:
        file.seek(0)
        return cleaned(io.BytesIO(file.read()))


class FakeScanner:
    """A virus scanner whose verdict a test chooses."""

    verdict: Verdict = "passed"

    async def scan(self, content: bytes) -> Verdict:
        return self.verdict


class FilingIntake:
    """An intake that accepts files, without Kafka."""

    def __init__(self, database: Database, settings: Settings, folder: Path, per_hour: int = 0) -> None:
        self.now_s = 1_000_000.0
        self.folder = folder
        self.store, self.ledger = IntakeStore(database), Ledger(database, "ledger")
        self.city: CityFeed[City] = CityFeed(lambda revision: revision)
        self.scanner = FakeScanner()
        self.files_store = FileStore(folder_storage(folder))
        uploads = Uploads(self.files_store, FileReferences(database), CleanerInProcess(), self.scanner, per_hour)
        self.files = ResidentFiles(
            uploads, FileLinks(SECRET, LINKS_S, lambda: self.now_s), self.ledger, self.store.tombstones
        )
        submissions = Submissions(self.ledger, self.city, settings, SECRET, self.files)
        tickets = Tickets(self.store, self.ledger, settings, SECRET, self.files)
        links = Links(self.store, self.ledger, settings)
        app = FastAPI()
        problems.install(app)
        app.include_router(api.routes(submissions, tickets, links, Reports(self.store, self.ledger, settings), TOKEN))
        app.include_router(pages.routes(submissions, MaskerInProcess(), INTAKE))
        app.include_router(ticket_pages.routes(submissions, tickets, links, INTAKE))
        app.include_router(file_routes.routes(self.files, tickets, operator_or_anybody(TOKEN, WrongTokens())))
        app.include_router(content_routes(self.files_store, self.files.links))
        install_direct_routes(app)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://intake.example")

    async def send_form(
        self, *files: tuple[str, bytes], kept: tuple[str, ...] = (), lang: str = "en", **typed: str
    ) -> httpx.Response:
        """Send the form as a browser does."""
        fields: dict[str, Any] = {**GOOD, **typed, "files": list(kept)}
        sent = [("file", (name, content, "application/octet-stream")) for name, content in files]
        return await self.http.post(f"/?lang={lang}", data=fields, files=sent or {"file": ("", b"")})

    async def entries(self) -> list[Any]:
        """The messages in the ledger."""
        return [json.loads(one["value"]) for one in await self.ledger.entries.find({}).to_list(None) if "value" in one]

    def stored(self) -> list[Path]:
        """Every file and folder in the storage."""
        return list(self.folder.rglob("*"))

    def contents(self) -> list[Path]:
        """The stored contents."""
        return [one for one in self.stored() if one.name == "content"]


async def everything_in(database: Database) -> str:
    """All documents of a database as text."""
    names = await database.list_collection_names()
    return "".join([str(await database[name].find({}).to_list(None)) for name in names])


@pytest.fixture
async def intake(database: Database, settings: Settings, tmp_path: Path) -> AsyncIterator[FilingIntake]:
    one = FilingIntake(database, settings, tmp_path / "files")
    await one.files.references.prepare()
    async with one.http, in_background(one.ledger.write_groups):
        yield one
