"""Files against people who mean harm: hostile contents, requests for links, a full disk, a race for one file."""

import asyncio
import errno
import zlib
from typing import Any

import httpx
import obstore
import pytest

from tests.component.filing import FilingIntake, intake
from tests.component.test_intake import BEARER, GOOD, problem
from tests.component.test_resident_files import send, shown, ticket_of
from tests.sample_files import pdf, photo

__all__ = ["intake"]

SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><script>alert(1)</script>"
ZIP = b"PK\x03\x04" + bytes(26) + b"evil.exe" + b"PK\x05\x06" + bytes(18)


def png_chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content).to_bytes(4, "big")
    return len(content).to_bytes(4, "big") + kind + content + check


def png_bomb(side: int, *more: bytes) -> bytes:
    """A small PNG of side x side pixels."""
    head = side.to_bytes(4, "big") * 2 + b"\x08\x00\x00\x00\x00"
    pixels = zlib.compress((b"\0" + bytes(side)) * side, 9)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", head)
        + b"".join(more)
        + png_chunk(b"IDAT", pixels)
        + png_chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [
        ("a.svg", SVG, 415),
        ("a.jpg", SVG, 415),
        ("a.jpg", HTML, 415),
        ("a.pdf", b"\n" * 20 + pdf(), 415),
        ("pixels.png", png_bomb(8_000), 422),
        ("text.png", png_bomb(8, png_chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(200_000_000), 9))), 422),
        ("profile.png", png_bomb(8, png_chunk(b"iCCP", b"k\0\0" + zlib.compress(bytes(200_000_000), 9))), 422),
    ],
    ids=["svg", "svg named jpg", "html named jpg", "pdf behind something", "pixels", "text", "profile"],
)
async def test_a_hostile_file_is_refused_and_leaves_nothing(
    intake: FilingIntake, name: str, content: bytes, status: int
) -> None:
    problem(await send(intake, content, name), status)
    assert intake.stored() == []


@pytest.mark.parametrize("content", [photo() + ZIP, photo("PNG") + HTML, photo("GIF") + ZIP, pdf() + ZIP])
async def test_of_a_file_of_two_types_one_is_left(intake: FilingIntake, content: bytes) -> None:
    answer = await send(intake, content)
    assert answer.status_code == 201
    for one in intake.contents():
        assert [part for part in (b"PK\x03\x04", b"evil.exe", b"<script>") if part in one.read_bytes()] == []


async def test_a_pdf_keeps_no_script(intake: FilingIntake) -> None:
    answer = await send(intake, pdf(), "a.pdf")
    assert answer.status_code == 201
    [stored] = [one.read_bytes() for one in intake.contents()]
    assert [
        one for one in (b"/JavaScript", b"/JS", b"/OpenAction", b"/Launch", b"/EmbeddedFile") if one in stored
    ] == []


async def test_a_link_answers_whole_files_to_get_only(intake: FilingIntake) -> None:
    ticket = await ticket_of(intake, await intake.send_form(("a.jpg", photo())))
    [file] = await shown(intake, ticket)
    for wanted in ("bytes=0-9", "bytes=9999999-", "bytes=0-0,5-9", "nonsense"):
        served = await intake.http.get(file["link"], headers={"Range": wanted})
        assert (served.status_code, len(served.content)) == (200, file["size"])
        assert served.headers["accept-ranges"] == "none"
    head = await intake.http.head(file["link"])
    assert (head.status_code, int(head.headers["content-length"])) == (200, file["size"])
    for method in ("POST", "DELETE", "PUT"):
        assert (await intake.http.request(method, file["link"])).status_code == 405
    intake.now_s += 10**6
    problem(await intake.http.get(file["link"], headers={"Range": "bytes=0-9"}), 410)
    later = file["link"].replace("expires=", "expires=9")
    problem(await intake.http.get(later), 404)


async def test_two_messages_at_once_do_not_share_a_file(intake: FilingIntake) -> None:
    file_id = (await send(intake, photo())).json()["file_id"]

    async def write(number: int) -> httpx.Response:
        body = GOOD | {"subject": f"Message {number}", "files": [file_id]}
        return await intake.http.post("/inquiries", json=body, headers=BEARER)

    answers = await asyncio.gather(*map(write, range(8)))
    assert sorted(one.status_code for one in answers) == [202] + [422] * 7


async def test_a_full_disk_refuses_files_and_accepts_messages(
    intake: FilingIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/secret/path")

    monkeypatch.setattr(obstore, "put_async", full)
    answer = await send(intake, photo())
    assert (answer.status_code, "/secret" in answer.text) == (503, False)
    page = await intake.send_form(("a.jpg", photo()), subject="Kept subject")
    assert (page.status_code, "Kept subject" in page.text, "retry-after" in page.headers) == (503, True, True)
    await ticket_of(intake, await intake.send_form())
    monkeypatch.undo()
    assert (await send(intake, photo())).status_code == 201
