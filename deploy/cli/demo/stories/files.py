"""Files: a photo loses its position before anybody reads it, a department's file waits for the release, links end."""

import re
from typing import Any
from urllib.parse import unquote

import httpx

from deploy.cli.demo.expectations import expect, expect_same, soon
from deploy.cli.demo.eyes import PlayedCase
from deploy.cli.demo.hands import OPERATOR, done
from deploy.cli.demo.photos import photo, position
from deploy.cli.demo.stage import FullStory, Stage
from deploy.cli.demo.stories.terms_of_days import TERMS_OF_DAYS

FILE_NAME = re.compile(r"filename\*=UTF-8''([^;\s]+)")
NOTHING = (httpx.codes.NOT_FOUND, httpx.codes.GONE)


async def play(stage: Stage) -> None:
    code, other = stage.department("utilities"), stage.department("commerce")
    case = await _sent(stage, code)
    link = await _clean_on_the_ticket(stage, case)
    await _clean_at_the_desk(stage, case, code, other)
    await _waits_for_the_release(stage, case, code)
    await _only_with_its_own(stage, case, link, other)
    await _ended(stage, case, link)


async def _sent(stage: Stage, code: str) -> PlayedCase:
    async with stage.step("A photo with its position goes with a message; its name is Chinese, with quotes"):
        content = photo(stage.text("camera"))
        expect(position(content), "the photo of the demo has no position")
        intake = stage.eyes.urls.intake
        sent = done(await stage.hands.send_file(intake, stage.text("photo"), content, stage.hands.staff.operator))
        case = await stage.write("lamp", [code], policy="files", files=[sent.json()["file_id"]])
        offered = await stage.inbox(case, code, "part.offered")
        expect_same(offered.data["files"], [sent.json()["file_id"]], "the files that the department reads of")
        events = "\n".join(one.value.decode() for one in stage.eyes.events(case))
        expect(sent.json()["name"] not in events, "an event has the name of the file")
    return case


async def _clean(stage: Stage, base: str, shown: dict[str, Any], name: str) -> None:
    """Download a file and its thumbnail. Raises NotAsExpected unless both are whole and tell no position."""
    file = done(await stage.eyes.download(base, shown["link"]))
    expect_same(len(file.content), shown["size"], "the size of what is downloaded")
    header = file.headers["Content-Disposition"]
    named = FILE_NAME.search(header)
    expect(named, f"the download has no name: {header!r}")
    expect_same(unquote(named[1]) if named else "", name, "the name of the download")
    expect(header.startswith("attachment"), f"a browser opens the file: {header!r}")
    thumbnail = done(await stage.eyes.download(base, shown["thumbnail"]))
    for what, content in (("the photo", file.content), ("the thumbnail", thumbnail.content)):
        expect_same(position(content), {}, f"the position in {what}")
        expect(b"Exif" not in content, f"{what} has EXIF data")
        expect(stage.text("camera").encode() not in content, f"{what} names the camera")


async def _clean_on_the_ticket(stage: Stage, case: PlayedCase) -> str:
    async with stage.step("What the resident downloads from the ticket is whole, and has neither position nor camera"):
        seen = await stage.ticket_where(case, lambda one: one["files"], "the ticket has no file")
        [shown] = seen["files"]
        await _clean(stage, stage.eyes.urls.intake, shown, stage.text("photo"))
        page = await stage.eyes.ticket_page(case)
        links = re.findall(rf'href="(/files/{shown["file_id"]}/content\?[^"]+)"', page)
        expect(links, "the page of the ticket has no link to the file")
        expect(stage.text("photo") not in page, "the page has the name of the file without an escape")
    return str(shown["link"])


async def _clean_at_the_desk(stage: Stage, case: PlayedCase, code: str, other: str) -> None:
    async with stage.step("The department downloads the same; for a clerk of another department there is no file"):
        [file_id] = (await stage.inbox(case, code, "part.offered")).data["files"]
        path = f"/cases/{case.inquiry_id}/files/{file_id}"
        shown = done(await stage.hands.look(path, "clerk", code)).json()
        await _clean(stage, stage.eyes.urls.router, shown, stage.text("photo"))
        foreign = await stage.hands.look(path, "clerk", other)
        expect_same(foreign.status_code, httpx.codes.NOT_FOUND, "the status for another department")


async def _waits_for_the_release(stage: Stage, case: PlayedCase, code: str) -> None:
    async with stage.step(
        "The department answers with a photo of its own, also cleaned; before the release nobody has it"
    ):
        clerk = await stage.hands.staff.token("clerk", code)
        content = photo(stage.text("camera"))
        sent = done(await stage.hands.send_file(stage.eyes.urls.router, stage.text("report"), content, clerk)).json()
        answer = {"part_id": case.part(1), "text": stage.text("answer"), "files": [sent["file_id"]]}
        await stage.hands.department(code, "part.contributed", answer)
        seen = await stage.ticket_in(case, "awaiting-release")
        expect_same(seen["reply_files"], [], "the files of the reply")
        found = [where for where, text in (await stage.eyes.all_public(case)).items() if sent["file_id"] in text]
        # The events name the ids of files, which open nothing.
        expect_same([one for one in found if one != "an event"], [], "places that show the file")
    async with stage.step("The approval names text and files; after it the resident downloads the photo"):
        reply = (await stage.hands.case(case, "approver"))["reply"]
        await stage.hands.refused(case, "approve", "approver", text_hash=reply["sha256"], files=[])
        await stage.hands.command(case, "approve", "approver", text_hash=reply["sha256"], files=[sent["file_id"]])
        [shown] = (await stage.ticket_in(case, "answered"))["reply_files"]
        expect_same((shown["file_id"], shown["department"]), (sent["file_id"], code), "the file of the reply")
        await _clean(stage, stage.eyes.urls.intake, shown, stage.text("report"))


async def _only_with_its_own(stage: Stage, case: PlayedCase, link: str, code: str) -> None:
    async with stage.step("A changed link, another service and the code of another ticket get nothing"):
        intake = stage.eyes.urls.intake
        later = re.sub(r"expires=(\d+)", lambda found: f"expires={int(found[1]) + 3600}", link)
        for what, base, path in (
            ("a link with a later end", intake, later),
            ("a link to the thumbnail with another signature", intake, link.replace("/content?", "/thumbnail?")),
            ("the link of the ticket at the desk", stage.eyes.urls.router, link),
        ):
            answer = await stage.eyes.download(base, path)
            expect_same(answer.status_code, httpx.codes.NOT_FOUND, f"the status of {what}")
        other = await stage.write("other", [code], policy="plain")
        headers = {"X-Query-Code": other.code}
        read = await stage.hands.http.get(f"{intake}/inquiries/{case.inquiry_id}", headers=headers)
        content = photo(stage.text("camera"))
        name = stage.text("photo")
        sent = await stage.hands.send_file(intake, name, content, headers, inquiry_id=case.inquiry_id)
        statuses = (read.status_code, sent.status_code)
        expect_same(statuses, (httpx.codes.NOT_FOUND, httpx.codes.NOT_FOUND), "reading and sending with another code")
        await stage.inbox(other, code, "part.offered")
        fence = {"part_id": other.part(1), "text": stage.text("fence")}
        await stage.hands.department(code, "part.contributed", fence)
        await stage.ticket_in(other, "answered")


async def _ended(stage: Stage, case: PlayedCase, link: str) -> None:
    async with stage.step("After an erasure there is no file behind a link that somebody has kept"):
        done(await stage.eyes.download(stage.eyes.urls.intake, link))
        await stage.hands.command(case, "erase", OPERATOR, why=stage.text("over"))

        async def gone() -> bool:
            answer = await stage.eyes.download(stage.eyes.urls.intake, link)
            return answer.status_code in NOTHING

        await soon(gone, "the link still works")


STORY = FullStory(6, "Files", play, {"files": TERMS_OF_DAYS | {"release": {"approvers": 1}}, "plain": TERMS_OF_DAYS})
