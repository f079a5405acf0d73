"""What the stories of `chorus demo --full` stand on: photos, mails, and a text module that never stays behind."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.cli.demo import full
from deploy.cli.demo.expectations import NotAsExpected
from deploy.cli.demo.eyes import Eyes, MailFolder
from deploy.cli.demo.hands import Hands, Staff
from deploy.cli.demo.photos import photo, position
from deploy.cli.demo.stage import Stage
from deploy.cli.demo.stories import FULL_STORIES, files, text_modules
from deploy.cli.demo.terms import began_at, run_name, was_left_behind
from deploy.cli.demo.texts import story_texts
from deploy.cli.demo.topic_watch import TopicWatch
from shared.files.cleaning import cleaned
from shared.kafka.connection import Connection
from tests.component.test_full_demo import RUN, TOWN, URLS

CAMERA = "Fictional Camera 7"
CLEAN = cleaned(io.BytesIO(photo(CAMERA))).content
WORDS = {language: {"street": "听潮街", "number": "7"} for language in ("zh", "en")}


@asynccontextmanager
async def stage_for(
    number: int, folder: Path, answer: Callable[[httpx.Request], httpx.Response]
) -> AsyncIterator[Stage]:
    """The stage of a story, on which `answer` answers everything."""
    story = next(one for one in FULL_STORIES if one.number == number)
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        hands = Hands(URLS, http, Staff(http, {}, RUN), lambda _: Connection("127.0.0.1:1"))
        yield Stage(story, RUN, TOWN, hands, Eyes(URLS, http, {}, TopicWatch({}), MailFolder(folder)), full.show, WORDS)


def test_the_photo_has_a_position_and_what_chorus_makes_of_it_has_none() -> None:
    sent = photo(CAMERA)
    assert CAMERA.encode() in sent
    assert position(sent)
    assert position(CLEAN) == {}


def test_what_is_no_picture_has_no_position_to_look_at() -> None:
    with pytest.raises(ValueError, match="9 bytes are not a picture"):
        position(b"<html>404")


NAME = '路灯"倒了".jpg'
DISPOSITION = "attachment; filename=\"__.jpg\"; filename*=UTF-8''%E8%B7%AF%E7%81%AF%22%E5%80%92%E4%BA%86%22.jpg"


@pytest.mark.parametrize(
    ("content", "disposition", "problem"),
    [
        (photo(CAMERA), DISPOSITION, "the position in the photo"),
        (CLEAN[:-2], DISPOSITION, "the size of what is downloaded"),
        (CLEAN, DISPOSITION.replace("attachment", "inline"), "a browser opens the file"),
        (CLEAN, "attachment", "the download has no name"),
        (CLEAN, DISPOSITION.replace("%22", "_"), "the name of the download"),
        (CLEAN, DISPOSITION, None),
    ],
)
async def test_a_download_that_is_not_clean_fails_the_story(
    tmp_path: Path, content: bytes, disposition: str, problem: str | None
) -> None:
    shown: dict[str, Any] = {"link": "/files/1/content", "thumbnail": "/files/1/thumbnail", "size": len(content)}
    if problem and "size" in problem:
        shown["size"] += 2

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=content, headers={"Content-Disposition": disposition})

    async with stage_for(6, tmp_path, answer) as stage:
        if problem is None:
            await files._clean(stage, URLS.intake, shown, NAME)
            return
        with pytest.raises(NotAsExpected, match=problem):
            await files._clean(stage, URLS.intake, shown, NAME)


def test_the_folder_of_mails_knows_where_a_reply_goes(tmp_path: Path) -> None:
    folder = MailFolder(tmp_path)
    mail = EmailMessage(SMTP)
    headers = {
        "To": "a@mail.example",
        "Reply-To": "chorus+20261122-7f3kq2mx-0@city.example",
        "Message-ID": "<e1@city.example>",
        "X-Chorus-What": "answered",
    }
    for name, value in headers.items():
        mail[name] = value
    mail.set_content("已答复")
    (tmp_path / "1.eml").write_bytes(mail.as_bytes())
    [seen] = folder.to("a@mail.example")
    assert (seen.reply_to, seen.message_id) == (headers["Reply-To"], headers["Message-ID"])


@pytest.mark.parametrize(("smtp_in", "problem"), [(None, "takes no mails"), ("127.0.0.1:1", "does not take a mail")])
async def test_a_mail_that_nobody_takes_is_a_step_that_fails(smtp_in: str | None, problem: str) -> None:
    async with httpx.AsyncClient() as http:
        hands = Hands(URLS, http, Staff(http, {}, RUN), lambda _: Connection("127.0.0.1:1"), smtp_in)
        with pytest.raises(NotAsExpected, match=problem):
            await hands.mail(EmailMessage(SMTP), "a@mail.example")


# ── the text module of a run ─────────────────────────────────────────────────


class Modules:
    """The desk's text modules of one department."""

    def __init__(self, *ids: str) -> None:
        self.ids = [*ids]

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json={"texts": [{"id": one} for one in self.ids], "next": None})
        id_ = request.url.path.rpartition("/")[2]
        if id_ not in self.ids:
            return httpx.Response(404, json={"detail": "There is no such module."})
        self.ids.remove(id_)
        return httpx.Response(200, json={})


OWN = f"demo-{RUN}-lamp"
OTHERS = f"demo-{run_name(began_at(RUN) - 60)}-lamp"
LEFT = f"demo-{run_name(began_at(RUN) - 86_400)}-lamp"


@pytest.mark.parametrize("ending", [None, RuntimeError("a fault of the demo"), asyncio.CancelledError()], ids=repr)
async def test_the_module_is_gone_however_the_story_ends(tmp_path: Path, ending: BaseException | None) -> None:
    desk = Modules("demo-lamp", "lamps", OTHERS, LEFT)
    async with stage_for(12, tmp_path, desk.answer) as stage:
        with suppress(RuntimeError, asyncio.CancelledError):
            async with text_modules._own_module(stage, "parks"):
                desk.ids.append(OWN)
                if ending is not None:
                    raise ending
    assert desk.ids == ["demo-lamp", "lamps", OTHERS]


async def test_a_story_that_wrote_no_module_removes_none(tmp_path: Path) -> None:
    desk = Modules("lamps")
    async with stage_for(12, tmp_path, desk.answer) as stage, text_modules._own_module(stage, "parks"):
        pass
    assert desk.ids == ["lamps"]


def test_only_what_a_run_of_long_ago_has_named_was_left_behind() -> None:
    assert [one for one in (OWN, OTHERS, LEFT, "demo-lamp", "lamps") if was_left_behind(one)] == [LEFT]


# ── texts ────────────────────────────────────────────────────────────────────


async def test_every_message_of_the_stories_can_be_written(tmp_path: Path) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused")

    for number, texts in story_texts().items():
        async with stage_for(number, tmp_path, answer) as stage:
            written: list[Mapping[str, Any]] = [stage.message(name).model_dump() for name in texts.messages]
            words = [stage.text(name) for name in texts.words]
        said = [*(one["subject"] + one["body"] for one in written), *words]
        assert not [one for one in said if "{run}" in one or "{street}" in one or "{number}" in one]
