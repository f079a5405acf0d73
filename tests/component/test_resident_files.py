"""Files of residents: sent with the form, cleaned, stored once, shown on the ticket, gone with an erasure."""

import html
import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from services.intake.erasure import erase
from shared.contracts import ids
from shared.contracts.resident_inputs import InquiryReceived
from shared.files import limits
from shared.files.references import UNUSED_FOR
from shared.runtime import timestamps
from shared.runtime.settings import Settings
from shared.store.mongo import Database
from tests.component.conftest import in_background
from tests.component.filing import LINKS_S, FilingIntake, everything_in, intake
from tests.component.test_cleaning_process import unnamed
from tests.component.test_intake import BEARER, GOOD, SECRET, problem
from tests.sample_files import SECRETS, pdf, photo, recording

__all__ = ["intake"]

FILE_ID = re.compile(r'name="files" value="([0-9a-f]{32})"')
TICKET = re.compile(r"\d{8}-[0-9A-Z]{8}")
BOMB = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR\0\0\x75\x30\0\0\x75\x30\x01\0\0\0\0" + b"\0\0\0\0"


async def ticket_of(intake: FilingIntake, answer: httpx.Response) -> dict[str, str]:
    """Number and code of the ticket that a page tells."""
    assert answer.status_code == 202, answer.text
    number = TICKET.search(answer.text)
    assert number
    return {"inquiry_id": number[0], "code": ids.query_code(SECRET, number[0])}


async def shown(intake: FilingIntake, ticket: dict[str, str]) -> list[dict[str, Any]]:
    """The files of a ticket."""
    answer = await intake.http.get(f"/inquiries/{ticket['inquiry_id']}", headers={"X-Query-Code": ticket["code"]})
    files: list[dict[str, Any]] = answer.json()["files"]
    return files


# ── with the form ────────────────────────────────────────────────────────────


async def test_position_and_camera_of_a_photo_are_gone_everywhere(intake: FilingIntake, database: Database) -> None:
    sent = photo()
    ticket = await ticket_of(intake, await intake.send_form(("IMG_0001.jpg", sent), ("report.pdf", pdf())))
    picture, document = await shown(intake, ticket)
    assert (picture["name"], picture["type"]) == ("IMG_0001.jpg", "image/jpeg")
    assert (document["name"], document["type"]) == ("report.pdf", "application/pdf")
    stored = [one.read_bytes() for one in intake.stored() if one.is_file()]
    assert sent not in stored
    for one in (*stored, (await everything_in(database)).encode()):
        assert [secret for secret in SECRETS if secret in one] == []
    for link in (picture["link"], picture["thumbnail"], document["link"]):
        served = await intake.http.get(link)
        assert served.status_code == 200
        assert [secret for secret in SECRETS if secret in served.content] == []


async def test_the_message_names_its_files_by_random_ids_alone(intake: FilingIntake) -> None:
    await ticket_of(intake, await intake.send_form(("张三的照片.jpg", photo())))
    [entry] = await intake.entries()
    [file_id] = entry["files"]
    assert re.fullmatch(r"[0-9a-f]{32}", file_id)
    assert "张三" not in str(entry)
    assert InquiryReceived.model_validate(entry).files == (file_id,)


async def test_a_form_without_files_is_accepted(intake: FilingIntake) -> None:
    ticket = await ticket_of(intake, await intake.send_form())
    assert await shown(intake, ticket) == []
    [entry] = await intake.entries()
    assert "files" not in entry


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("路灯不亮（三号楼）.jpg", "路灯不亮（三号楼）.jpg"),
        ('say "hello".jpg', 'say "hello".jpg'),
        ("a\r\nSet-Cookie: x=1\r\n\r\nb.jpg", "a Set-Cookie: x=1 b.jpg"),
    ],
)
async def test_a_file_is_downloaded_under_its_whole_name(intake: FilingIntake, sent: str, name: str) -> None:
    ticket = await ticket_of(intake, await intake.send_form((sent, photo())))
    [file] = await shown(intake, ticket)
    served = await intake.http.get(file["link"])
    assert file["name"] == name
    assert unquote(served.headers["content-disposition"].partition("filename*=UTF-8''")[2]) == name
    assert served.headers["content-disposition"].startswith("attachment; ")
    assert "set-cookie" not in served.headers
    assert len(served.content) == file["size"] == int(served.headers["content-length"])


async def test_a_file_is_saved_and_never_opened(intake: FilingIntake) -> None:
    ticket = await ticket_of(intake, await intake.send_form(("a.jpg", photo())))
    [file] = await shown(intake, ticket)
    for link in (file["link"], file["thumbnail"]):
        headers = (await intake.http.get(link)).headers
        assert headers["content-type"] == "image/jpeg"
        assert headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in headers["content-security-policy"]
        assert headers["cache-control"] == "private, no-store"


async def test_a_form_that_is_sent_twice_makes_one_ticket(intake: FilingIntake) -> None:
    files = ("a.jpg", photo()), ("b.mp3", recording("mp3"))
    first, second = [await ticket_of(intake, await intake.send_form(*files, key="k")) for _ in range(2)]
    assert first == second
    assert len(await intake.entries()) == 1
    assert len(await shown(intake, first)) == 2
    third = await ticket_of(intake, await intake.send_form(("a.jpg", photo(size=(90, 40))), key="k"))
    assert third != first


async def test_the_same_content_is_stored_once(intake: FilingIntake) -> None:
    for _ in range(3):
        await ticket_of(intake, await intake.send_form(("a.jpg", photo())))
    assert len(intake.contents()) == 2  # the picture and its thumbnail


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"PK\x03\x04 a spreadsheet", "File “a.jpg”: Files of this type are not accepted."),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "Please send the picture as JPEG."),
        (photo()[:300], "The file is damaged or incomplete."),
        (BOMB, "File “a.jpg”: The file is damaged or incomplete."),
        (b"\xff\xd8\xff" + bytes(limits.FILE_BYTES_MAX), "The file is larger than 10 MB."),
    ],
)
async def test_a_file_that_is_not_accepted_comes_back_with_a_sentence_beside_the_field(
    intake: FilingIntake, content: bytes, sentence: str
) -> None:
    answer = await intake.send_form(("good.png", photo("PNG")), ("a.jpg", content), subject="Kept <b>subject</b>")
    page = html.unescape(answer.text)
    assert (answer.status_code, sentence in page, 'href="#file"' in page) == (422, True, True)
    assert 'aria-describedby="file-error file-hint"' in page
    assert 'value="Kept <b>subject</b>"' in page
    assert await intake.entries() == []
    [kept] = FILE_ID.findall(answer.text)
    ticket = await ticket_of(intake, await intake.send_form(kept=(kept,)))
    assert [one["file_id"] for one in await shown(intake, ticket)] == [kept]


async def test_a_message_has_at_most_five_files(intake: FilingIntake) -> None:
    answer = await intake.send_form(*[(f"{number}.jpg", photo()) for number in range(6)])
    assert (answer.status_code, "at most 5 files" in answer.text) == (422, True)
    kept = FILE_ID.findall(answer.text)
    assert len(kept) == 5
    answer = await intake.send_form(("7.jpg", photo()), kept=tuple(kept))
    assert answer.status_code == 422
    assert await intake.entries() == []


async def test_a_wrong_field_keeps_the_files(intake: FilingIntake) -> None:
    answer = await intake.send_form(("路灯.jpg", photo()), email="nobody")
    assert answer.status_code == 422
    [kept] = FILE_ID.findall(answer.text)
    assert "路灯.jpg" in answer.text
    for act in ("preview", "change"):
        answer = await intake.send_form(kept=(kept,), act=act)
        assert FILE_ID.findall(answer.text) == [kept]
    await ticket_of(intake, await intake.send_form(kept=(kept,)))


async def test_a_file_belongs_to_one_message(intake: FilingIntake) -> None:
    ticket = await ticket_of(intake, await intake.send_form(("a.jpg", photo())))
    [file] = await shown(intake, ticket)
    for other in (file["file_id"], "0" * 32):
        answer = await intake.send_form(kept=(other,), subject="Another one")
        assert (answer.status_code, "Please choose your files again." in answer.text) == (422, True)
    assert len(await intake.entries()) == 1


async def test_a_form_that_is_not_complete_gets_a_page(intake: FilingIntake) -> None:
    head = {"Content-Type": "multipart/form-data; boundary=x"}
    for body in (b"", b"--x\r\n", b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\nabc'):
        answer = await intake.http.post("/", content=body, headers=head)
        assert (answer.status_code, "<html" in answer.text) == (422, True)
    answer = await intake.http.post("/", content=b"x", headers={**head, "Content-Length": "1000000000"})
    assert answer.status_code == 413
    answer = await intake.http.post("/", content=b"", headers={"Content-Type": "multipart/form-data"})
    assert answer.status_code == 422


async def test_a_client_can_send_so_many_files_in_an_hour(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    one = FilingIntake(database, settings, tmp_path / "files", per_hour=2)
    async with one.http, in_background(one.ledger.write_groups):
        answer = await one.send_form(*[(f"{number}.jpg", photo()) for number in range(3)])
        assert (answer.status_code, "Too many files" in answer.text, "retry-after" in answer.headers) == (
            429,
            True,
            True,
        )
        assert len(FILE_ID.findall(answer.text)) == 2


# ── for a ticket ─────────────────────────────────────────────────────────────


async def send(intake: FilingIntake, content: bytes, name: str = "a.jpg", **more: str) -> httpx.Response:
    headers = {"X-Query-Code": more.pop("code")} if "code" in more else BEARER
    return await intake.http.post("/files", params=more, files={"file": (name, content)}, headers=headers)


async def test_a_file_for_a_ticket_needs_its_code(intake: FilingIntake) -> None:
    ticket = await ticket_of(intake, await intake.send_form())
    answer = await send(intake, photo(), **ticket)
    assert (answer.status_code, answer.json()["name"], answer.json()["type"]) == (201, "a.jpg", "image/jpeg")
    problem(await send(intake, photo(), inquiry_id=ticket["inquiry_id"], code="0" * 12), 404)
    problem(await intake.http.post("/files", files={"file": ("a.jpg", photo())}), 401)
    assert await shown(intake, ticket) == []  # until an input refers to it


async def test_a_gateway_sends_a_file_before_its_message(intake: FilingIntake) -> None:
    file_id = (await send(intake, photo())).json()["file_id"]
    answer = await intake.http.post("/inquiries", json=GOOD | {"files": [file_id]}, headers=BEARER)
    assert answer.status_code == 202
    ticket = {"inquiry_id": answer.json()["inquiry_id"], "code": answer.json()["query_code"]}
    assert [one["file_id"] for one in await shown(intake, ticket)] == [file_id]
    refused = problem(await intake.http.post("/inquiries", json=GOOD | {"files": [file_id, "0" * 32]}), 422)
    assert [one["pointer"] for one in refused["errors"]] == ["/files/1"]
    refused = problem(await intake.http.post("/inquiries", json=GOOD | {"files": [file_id]}), 422)
    assert [one["pointer"] for one in refused["errors"]] == ["/files/0"]
    problem(await intake.http.post("/inquiries", json=GOOD | {"files": ["../x"]}), 422)


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"PK\x03\x04", 415),
        (b"\xff\xd8\xff" + bytes(limits.FILE_BYTES_MAX), 413),
        (photo()[:300], 422),
        (b"", 422),
    ],
)
async def test_a_file_that_is_not_accepted_is_a_problem(intake: FilingIntake, content: bytes, status: int) -> None:
    problem(await send(intake, content), status)
    assert intake.stored() == []


async def test_a_ticket_has_at_most_twenty_files(intake: FilingIntake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.intake.files.FILES_PER_INQUIRY_MAX", 2)
    ticket = await ticket_of(intake, await intake.send_form(("a.jpg", photo())))
    assert (await send(intake, photo(), **ticket)).status_code == 201
    problem(await send(intake, photo(), **ticket), 422)


# ── links ────────────────────────────────────────────────────────────────────


async def test_a_link_expires(intake: FilingIntake) -> None:
    ticket = await ticket_of(intake, await intake.send_form(("a.jpg", photo())))
    [file] = await shown(intake, ticket)
    intake.now_s += LINKS_S
    assert (await intake.http.get(file["link"])).status_code == 200
    intake.now_s += 1
    problem(await intake.http.get(file["link"]), 410)
    [file] = await shown(intake, ticket)
    assert (await intake.http.get(file["link"])).status_code == 200


async def test_a_changed_link_is_no_link(intake: FilingIntake) -> None:
    ticket = await ticket_of(intake, await intake.send_form(("a.jpg", photo()), ("b.png", photo("PNG"))))
    first, second = await shown(intake, ticket)
    wrong = [
        first["link"].replace(first["file_id"], second["file_id"]),
        first["link"].replace("/content", "/thumbnail"),
        first["link"].replace("expires=", "expires=9"),
        first["link"][:-1] + ("0" if first["link"][-1] != "0" else "1"),
        first["link"].partition("?")[0],
        f"/files/{first['file_id']}/content?expires=٣&signature={'0' * 64}",
        "/files/..%2F..%2Fetc%2Fpasswd/content",
        "/files/%00/content?expires=1&signature=é",
    ]
    for link in wrong:
        problem(await intake.http.get(link), 404)


# ── scanning ─────────────────────────────────────────────────────────────────


async def test_an_infected_file_is_not_stored(intake: FilingIntake) -> None:
    intake.scanner.verdict = "infected"
    answer = await intake.send_form(("a.jpg", photo()))
    assert (answer.status_code, "virus scanner" in answer.text, intake.stored()) == (422, True, [])


async def test_a_file_that_is_not_scanned_is_not_served(intake: FilingIntake) -> None:
    intake.scanner.verdict = "none"
    ticket = await ticket_of(intake, await intake.send_form(("a.jpg", photo())))
    [file] = await shown(intake, ticket)
    assert (file["link"], file["thumbnail"]) == (None, None)
    problem(await intake.http.get(intake.files.links.link(file["file_id"])), 404)
    page = await intake.http.get("/status", params={"ticket": ticket["inquiry_id"], "code": ticket["code"]})
    assert "正在检查" in page.text
    await intake.files.uploads.scan_waiting()
    assert (await shown(intake, ticket))[0]["link"] is None
    intake.scanner.verdict = "passed"
    await intake.files.uploads.scan_waiting()
    [file] = await shown(intake, ticket)
    assert (await intake.http.get(file["link"])).status_code == 200


async def test_a_waiting_file_that_turns_out_infected_is_deleted(intake: FilingIntake) -> None:
    intake.scanner.verdict = "none"
    ticket = await ticket_of(intake, await intake.send_form(("a.jpg", photo())))
    intake.scanner.verdict = "infected"
    await intake.files.uploads.scan_waiting()
    assert (await shown(intake, ticket), [one for one in intake.stored() if one.is_file()]) == ([], [])


# ── deletion ─────────────────────────────────────────────────────────────────


async def test_an_erasure_deletes_the_files_and_every_trace_of_them(intake: FilingIntake, database: Database) -> None:
    ticket = await ticket_of(intake, await intake.send_form(("张三.jpg", photo()), ("b.mp3", recording("mp3"))))
    await send(intake, photo("PNG"), **ticket)
    files = await shown(intake, ticket)
    assert len(intake.contents()) == 5
    for _ in range(2):
        await erase(intake.store, intake.ledger, ticket["inquiry_id"], 1, intake.files)
    assert intake.stored() == [] or [one.name for one in intake.stored()] == ["blobs"]
    left = await everything_in(database)
    assert "张三" not in left
    assert [one for one in files if one["file_id"] in left] == []
    for one in files:
        problem(await intake.http.get(one["link"]), 404)


async def test_a_content_goes_with_its_last_file(intake: FilingIntake) -> None:
    first, second = [await ticket_of(intake, await intake.send_form(("a.jpg", photo()))) for _ in range(2)]
    await erase(intake.store, intake.ledger, first["inquiry_id"], 1, intake.files)
    [file] = await shown(intake, second)
    assert (await intake.http.get(file["link"])).status_code == 200
    await erase(intake.store, intake.ledger, second["inquiry_id"], 1, intake.files)
    assert intake.contents() == []


async def test_a_file_without_a_message_is_deleted_after_a_day(intake: FilingIntake) -> None:
    ticket = await ticket_of(intake, await intake.send_form(("a.jpg", photo())))
    unused = (await send(intake, photo("PNG"))).json()["file_id"]
    references, now = intake.files.references, timestamps.now()
    exist = intake.files._accepted
    assert await references.remove_unused(now, exist, intake.files_store) == 0
    later = now + UNUSED_FOR + timedelta(minutes=1)
    assert await references.remove_unused(later, exist, intake.files_store) == 1
    assert await intake.files_store.find(unused) is None
    [file] = await shown(intake, ticket)
    assert (await intake.http.get(file["link"])).status_code == 200
    assert await references.remove_unused(later, exist, intake.files_store) == 0
    assert (await intake.send_form(kept=(unused,))).status_code == 422


async def test_a_file_whose_message_was_never_stored_is_deleted_after_a_day(intake: FilingIntake) -> None:
    file_id = (await send(intake, photo())).json()["file_id"]
    await intake.files.claim([file_id], "an input that a killed process did not store")
    later = timestamps.now() + UNUSED_FOR + timedelta(minutes=1)
    assert await intake.files.references.remove_unused(later, intake.files._accepted, intake.files_store) == 1
    assert intake.contents() == []


async def test_a_kill_while_a_file_is_stored_leaves_nothing_for_ever(
    intake: FilingIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, left = intake.files_store.storage.put, 0

    async def killed(path: str, content: bytes) -> None:
        nonlocal left
        if not left:
            raise SystemExit
        left -= 1
        await put(path, content)

    monkeypatch.setattr(intake.files_store.storage, "put", killed)
    for steps in range(5):
        left = steps
        with unnamed(photo(size=(80 + steps, 40))) as file, pytest.raises(SystemExit):
            await intake.files.uploads.take(file, "a.jpg")
    monkeypatch.setattr(intake.files_store.storage, "put", put)
    later = timestamps.now() + UNUSED_FOR + timedelta(minutes=1)
    assert await intake.files.references.remove_unused(later, intake.files._accepted, intake.files_store) == 5
    assert [one for one in intake.stored() if one.is_file()] == []
