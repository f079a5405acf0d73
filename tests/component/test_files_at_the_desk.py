"""Files at the desk: departments read the resident's files of their cases, by links that expire, and nobody else does."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.router.desk import api, file_routes
from services.router.desk.cases import CaseQueries
from services.router.domain.staff import StaffUser
from services.router.erasure import erase
from services.router.files.case_files import CaseFiles
from shared.files.file_store import FileStore
from shared.files.links import FileLinks
from shared.files.references import FileReferences
from shared.files.routes import content_routes
from shared.files.storage import folder_storage
from shared.files.uploads import Uploads
from shared.http import problems
from shared.kafka import topics
from shared.runtime.settings import Settings
from shared.store.mongo import Database
from tests.builders import CITY, INQUIRY, accepted, contributed, received, returned, told
from tests.component.conftest import in_background
from tests.component.filing import LINKS_S, CleanerInProcess, FakeScanner, everything_in
from tests.component.staff import LIGHTING, OPERATOR, OTHERS, ROADS, bearer, guard
from tests.component.test_cleaning_process import unnamed
from tests.component.test_desk import Office, office, problem
from tests.fakes import FakePublisher
from tests.sample_files import SECRETS, photo, recording

__all__ = ["office"]


class Filing(Office):
    """A desk with a storage for files."""

    def __init__(self, database: Database, publisher: FakePublisher, settings: Settings, folder: Path) -> None:
        super().__init__(database, publisher, settings)
        self.now_s, self.folder, self.database = 1_000_000.0, folder, database
        store = FileStore(folder_storage(folder))
        uploads = Uploads(store, FileReferences(database), CleanerInProcess(), FakeScanner(), 3)
        self.files = CaseFiles(uploads, FileLinks(b"a secret", LINKS_S, lambda: self.now_s))
        cases = CaseQueries(self.store, self.files)
        app = FastAPI()
        problems.install(app)
        city_desk = self.retiring.city_desk
        app.include_router(api.routes(cases, self.entered, city_desk, self.retiring, guard()))
        app.include_router(file_routes.routes(self.files, cases, guard()))
        app.include_router(content_routes(store, self.files.links))
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://desk.example")

    async def file(self, content: bytes, name: str = "路灯.jpg") -> str:
        """A file in the storage, as intake stores it."""
        with unnamed(content) as file:
            return (await self.files.uploads.take(file, name)).file_id

    async def get(self, who: StaffUser, path: str) -> Any:
        return await self.http.get(path, headers=bearer(who))

    async def case(self, who: StaffUser) -> Any:
        return (await self.get(who, f"/cases/{INQUIRY}")).json()

    async def send(self, who: StaffUser, content: bytes, name: str = "a.jpg") -> httpx.Response:
        return await self.http.post("/files", files={"file": (name, content)}, headers=bearer(who))


@pytest.fixture
async def filing(
    database: Database, publisher: FakePublisher, settings: Settings, tmp_path: Path
) -> AsyncIterator[Filing]:
    one = Filing(database, publisher, settings, tmp_path / "files")
    for store in (one.store, one.commands, one.files.references):
        await store.prepare()
    one.city.use(CITY)
    async with one.http, in_background(one.commands.write_groups):
        yield one


async def test_a_department_reads_the_files_of_its_case(filing: Filing) -> None:
    picture, sound = await filing.file(photo()), await filing.file(recording("mp3"), "b.mp3")
    story = told(received("路灯和路面都坏了", files=(picture, sound)))
    await filing.decide(story)
    offers = [
        json.loads(one.value)
        for one in story.messages
        if one.topic.endswith(".inbox") and "part_id" in json.loads(one.value)
    ]
    assert [one["files"] for one in offers] == [[picture, sound], [picture, sound]]
    for who in (LIGHTING, ROADS, OPERATOR, *OTHERS):
        files = (await filing.case(who))["files"]
        assert [(one["file_id"], one["name"], one["type"], one["part_id"]) for one in files] == [
            (picture, "路灯.jpg", "image/jpeg", None),
            (sound, "b.mp3", "audio/mpeg", None),
        ]
        one = (await filing.get(who, f"/cases/{INQUIRY}/files/{picture}")).json()
        assert {name: one[name] for name in ("file_id", "name", "type", "size")} == {
            name: files[0][name] for name in ("file_id", "name", "type", "size")
        }
        for link in (one["link"], one["thumbnail"]):
            served = await filing.http.get(link)
            assert (served.status_code, served.headers["content-type"]) == (200, "image/jpeg")
            assert [secret for secret in SECRETS if secret in served.content] == []


async def test_a_link_of_the_desk_expires(filing: Filing) -> None:
    await filing.decide(told(received("路灯不亮", files=(await filing.file(photo()),))))
    [file] = (await filing.case(LIGHTING))["files"]
    filing.now_s += LINKS_S + 1
    problem(await filing.http.get(file["link"]), 410)
    [file] = (await filing.case(LIGHTING))["files"]
    assert (await filing.http.get(file["link"])).status_code == 200


async def test_other_departments_do_not_see_the_files(filing: Filing) -> None:
    file_id = await filing.file(photo())
    await filing.decide(told(received("路灯不亮", files=(file_id,))))
    problem(await filing.get(ROADS, f"/cases/{INQUIRY}/files/{file_id}"), 404)
    problem(await filing.get(LIGHTING, f"/cases/{INQUIRY}/files/{'0' * 32}"), 404)
    problem(await filing.http.get(f"/cases/{INQUIRY}/files/{file_id}"), 401)
    await filing.decide(told(returned("lighting"), after_this=told(received("路灯不亮", files=(file_id,)))))
    problem(await filing.get(LIGHTING, f"/cases/{INQUIRY}/files/{file_id}"), 404)


async def test_facts_have_the_ids_of_files_and_nothing_else(filing: Filing) -> None:
    file_id = await filing.file(photo(), "张三家门口.jpg")
    story = told(received("路灯不亮", files=(file_id,)))
    [registered] = [one for one in story.messages if one.type == "chorus.inquiry.registered"]
    assert json.loads(registered.value)["files"] == [file_id]
    await filing.decide(story)
    file = await filing.files.store.find(file_id)
    assert file is not None
    decisions = str([one.document() for one in await filing.store.decisions.of(INQUIRY)])
    assert [one for one in ("张三", *file.hashes) if one in decisions] == []


async def test_a_staff_user_sends_files_up_to_a_limit(filing: Filing) -> None:
    answer = await filing.send(LIGHTING, photo(), 'say "hello".jpg')
    assert (answer.status_code, answer.json()["name"]) == (201, 'say "hello".jpg')
    problem(await filing.send(LIGHTING, b"PK a spreadsheet"), 415)
    assert (await filing.send(LIGHTING, photo())).status_code == 201
    assert problem(await filing.send(LIGHTING, photo()), 429)
    assert (await filing.send(ROADS, photo())).status_code == 201
    problem(await filing.http.post("/files", files={"file": ("a.jpg", photo())}), 401)
    forbidden = problem(await filing.send(OTHERS[-2], photo()), 403)
    assert "allowed roles: clerk, coordinator, operator" in forbidden["detail"]


async def test_an_erasure_deletes_the_files_of_a_case(filing: Filing) -> None:
    file_id = await filing.file(photo(), "张三.jpg")
    await filing.decide(
        told(received("路灯不亮", files=(file_id,)), accepted("lighting"), contributed("lighting", "亮"))
    )

    @dataclass
    class NoLetters:
        async def erase(self, inquiry_id: str) -> None:
            return

    letters: Any = NoLetters()
    for _ in range(2):
        await erase(filing.store, filing.commands, letters, INQUIRY, 3, filing.files)
    assert [one for one in filing.folder.rglob("*") if one.is_file()] == []
    assert (await filing.case(LIGHTING))["files"] == []
    assert "张三" not in await everything_in(filing.database)


async def test_topics_have_no_content_of_files(filing: Filing) -> None:
    file_id = await filing.file(photo(), "张三.jpg")
    story = told(received("路灯不亮", files=(file_id,)))
    for one in story.messages:
        assert len(one.value) < 5_000
        assert "张三".encode() not in one.value
    with_files = {(one.topic, one.type) for one in story.messages if file_id.encode() in one.value}
    assert with_files == {
        (topics.EVENTS, "chorus.inquiry.registered"),
        (topics.inbox("lighting"), "chorus.part.offered"),
    }
