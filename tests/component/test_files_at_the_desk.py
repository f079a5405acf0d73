"""Files at the desk: departments read the resident's files of their cases, by links that expire, and nobody else does."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.router.desk import api, file_routes
from services.router.desk.cases import CaseQueries
from services.router.desk.commands import Commands
from services.router.domain.staff import StaffUser
from services.router.erasure import erase
from services.router.files.case_files import CaseFiles
from services.router.gate.handlers import Gate
from services.router.gate.outbox_decoder import read_outbox
from shared.files.file_store import FileStore
from shared.files.links import FileLinks
from shared.files.references import UNUSED_FOR, FileReferences
from shared.files.routes import content_routes
from shared.files.storage import folder_storage
from shared.files.uploads import Uploads
from shared.http import problems
from shared.kafka import topics
from shared.runtime import timestamps
from shared.runtime.settings import Settings
from shared.store.mongo import Database
from tests.builders import CITY, INQUIRY, a_record, accepted, contributed, received, returned, told
from tests.component.conftest import in_background
from tests.component.filing import LINKS_S, CleanerInProcess, FakeScanner, everything_in
from tests.component.staff import LIGHTING, OPERATOR, OTHERS, ROADS, bearer, guard
from tests.component.test_cleaning_process import unnamed
from tests.component.test_desk import Office, office, problem
from tests.fakes import FakePublisher
from tests.filed import with_files
from tests.sample_files import SECRETS, photo, recording

__all__ = ["office"]


class Filing(Office):
    """A desk with a storage for files."""

    def __init__(self, database: Database, publisher: FakePublisher, settings: Settings, folder: Path) -> None:
        super().__init__(database, publisher, settings)
        self.now_s, self.folder, self.database = 1_000_000.0, folder, database
        store = FileStore(folder_storage(folder))
        uploads = Uploads(store, FileReferences(database), CleanerInProcess(), FakeScanner(), 3)
        self.files = CaseFiles(uploads, FileLinks(b"a secret", LINKS_S, lambda: self.now_s), self.store.tombstones)
        cases = CaseQueries(self.store, settings, self.files)
        self.entered = Commands(self.store, self.commands, self.files)
        self.gate = Gate(self.store, self.city, self.files)
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


class NoLetters:
    """An index without dead letters."""

    async def erase(self, inquiry_id: str) -> None:
        return


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


# ── files of departments ─────────────────────────────────────────────────────

P1 = f"{INQUIRY}-p1"


async def sent(filing: Filing, who: StaffUser, content: bytes, name: str = "修好了.jpg") -> str:
    """The id of a file that a clerk sends."""
    answer = await filing.send(who, content, name)
    assert answer.status_code == 201, answer.text
    file_id: str = answer.json()["file_id"]
    return file_id


async def contribute(filing: Filing, who: StaffUser, *file_ids: str, **more: Any) -> httpx.Response:
    body = {"type": "contribute", "part_id": P1, "text": "灯亮了", "files": list(file_ids), **more}
    return await filing.http.post(f"/cases/{INQUIRY}/commands", json=body, headers=bearer(who))


async def knock(filing: Filing, department: str, *file_ids: str) -> Any:
    """What the gate makes of a contribution in an outbox."""
    value = {"part_id": P1, "text": "灯亮了", "files": list(file_ids)}
    headers = [("ce_type", b"chorus.part.contributed"), ("ce_id", b"one")]
    record = a_record(json.dumps(value).encode(), headers, topic=topics.outbox(department))
    return (await filing.gate.let_in([read_outbox(record)]))[0]


async def test_a_contribution_has_files_that_its_department_sent(filing: Filing) -> None:
    await filing.decide(told(received("路灯不亮")))
    file_id = await sent(filing, LIGHTING, photo())
    assert (await contribute(filing, LIGHTING, file_id, final=False)).status_code == 202
    assert (await contribute(filing, LIGHTING, file_id)).status_code == 202
    assert (await knock(filing, "lighting", file_id)).type == "chorus.part.contributed"


async def test_files_of_others_are_refused(filing: Filing) -> None:
    await filing.decide(told(received("路灯和路面都坏了")))
    theirs, resident = await sent(filing, ROADS, photo()), await filing.file(photo())
    for file_id in (theirs, resident, "0" * 32):
        wrong = problem(await contribute(filing, LIGHTING, file_id), 422)
        assert [one["pointer"] for one in wrong["errors"]] == ["/files"]
        refused = await knock(filing, "lighting", file_id)
        assert (refused.type, file_id in json.loads(refused.value)["reason"]) == ("chorus.message.refused", True)
    problem(await contribute(filing, LIGHTING, "../../etc/passwd"), 422)
    problem(await contribute(filing, LIGHTING, *["0" * 31 + str(digit) for digit in range(6)]), 422)


async def test_a_file_belongs_to_one_part(filing: Filing) -> None:
    await filing.decide(told(received("路灯不亮")), told(received("路灯不亮"), inquiry_id="20260316-00000001"))
    file_id = await sent(filing, LIGHTING, photo())
    assert (await contribute(filing, LIGHTING, file_id)).status_code == 202
    body = {"type": "contribute", "part_id": "20260316-00000001-p1", "text": "亮", "files": [file_id]}
    answer = await filing.http.post("/cases/20260316-00000001/commands", json=body, headers=bearer(LIGHTING))
    problem(answer, 422)


async def test_others_see_the_files_of_a_part_after_the_release(filing: Filing) -> None:
    file_id = await sent(filing, LIGHTING, photo())
    both = told(received("路灯和路面都坏了"))
    half = told(with_files("lighting", "灯亮了", file_id), after_this=both)
    await filing.decide(both, half)
    assert [one["part_id"] for one in (await filing.case(LIGHTING))["files"]] == [P1]
    assert (await filing.case(ROADS))["files"] == []
    await filing.decide(told(contributed("roads", "路补了"), after_this=half))
    assert [one["file_id"] for one in (await filing.case(ROADS))["files"]] == [file_id]


async def test_files_of_departments_go_with_an_erasure_and_later_ones_after_a_day(filing: Filing) -> None:
    file_id, late = await sent(filing, LIGHTING, photo()), await sent(filing, LIGHTING, photo("PNG"))
    both = told(received("路灯不亮"), with_files("lighting", "灯亮了", file_id))
    await filing.decide(both)
    await contribute(filing, LIGHTING, file_id)
    letters: Any = NoLetters()
    await erase(filing.store, filing.commands, letters, INQUIRY, 2, filing.files)
    assert await filing.files.store.find(file_id) is None
    assert (await knock(filing, "lighting", late)).type == "chorus.part.contributed"
    later = timestamps.now() + UNUSED_FOR + timedelta(minutes=1)
    await filing.files.references.remove_unused(later, filing.files._not_erased, filing.files.store)
    assert await filing.files.store.find(late) is None
