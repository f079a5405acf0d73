"""Text modules, and a clerk's day at the desk: find the message by its words, fill a text, answer, see what stayed of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from deploy.cli.console import problem
from deploy.cli.demo.expectations import expect, expect_same, soon
from deploy.cli.demo.eyes import PlayedCase
from deploy.cli.demo.hands import OPERATOR, done
from deploy.cli.demo.stage import FullStory, Stage
from deploy.cli.demo.stories.terms_of_days import TERMS_OF_DAYS
from deploy.cli.demo.terms import channel, was_left_behind

INDEXED_S = 45.0


async def play(stage: Stage) -> None:
    code, other = stage.department("urban-management"), stage.department("parks")
    case = await _found(stage, code, other)
    async with _own_module(stage, code):
        await _written(stage, code, other)
        await _answered(stage, case, code)
    async with stage.step("Removed, the module is gone; the answer stays"):
        gone = await stage.hands.look(_path(stage, code), "clerk", code)
        expect_same(gone.status_code, httpx.codes.NOT_FOUND, "the status of the module")
        texts = (await stage.hands.look(f"/cases/{case.inquiry_id}/texts", "clerk", code)).json()["texts"]
        expect(_id(stage) not in {one["id"] for one in texts}, "the module is still offered")
        await stage.ticket_in(case, "answered")


def _id(stage: Stage) -> str:
    return channel(stage.run, "lamp")


def _path(stage: Stage, code: str) -> str:
    return f"/departments/{code}/texts/{_id(stage)}"


async def _found(stage: Stage, code: str, other: str) -> PlayedCase:
    async with stage.step(
        "The clerk finds the message, also in traditional characters; another department finds nothing"
    ):
        case = await stage.write("lamp", [code], policy="texts")
        await stage.inbox(case, code, "part.offered")

        async def look() -> bool:
            return case.inquiry_id in await _search(stage, "clerk", code)

        await soon(look, f"{stage.text('search')!r} does not find {case.inquiry_id}", INDEXED_S)
        expect_same(await _search(stage, "clerk", other), [], "what another department finds")
    async with stage.step("The part is in the worklist of its department, with its due times"):

        async def listed() -> dict[str, Any] | None:
            return await _listed(stage, case, code)

        entry = await soon(listed, "the worklist lacks the part")
        expect_same((entry["state"], entry["role"]), ("offered", "lead"), "the state and the role")
        expect({"accept", "resolve"} <= {*entry["due"]}, f"the clocks in the worklist are {entry['due']!r}")
        foreign = await stage.hands.look(f"/worklist?department={code}", "clerk", other)
        expect_same(foreign.status_code, httpx.codes.FORBIDDEN, "the status for another department")
    return case


async def _search(stage: Stage, role: str, code: str) -> list[str]:
    """The ticket numbers of all pages of a search."""
    found, after = list[str](), ""
    while True:
        answer = done(await stage.hands.look(f"/cases?query={stage.text('search')}{after}", role, code)).json()
        found += [one["inquiry_id"] for one in answer["cases"]]
        if answer["next"] is None:
            return found
        after = f"&after={answer['next']}"


async def _listed(stage: Stage, case: PlayedCase, code: str) -> dict[str, Any] | None:
    """The entry of the part in all pages of the worklist."""
    after = ""
    while True:
        page = done(await stage.hands.look(f"/worklist?limit=500{after}", "clerk", code)).json()
        for one in page["parts"]:
            if one["part_id"] == case.part(1):
                return dict(one)
        if page["next"] is None:
            return None
        after = f"&after={page['next']}"


@asynccontextmanager
async def _own_module(stage: Stage, code: str) -> AsyncIterator[None]:
    """The module of this run is removed at the end, also after an error or Ctrl-C; so are those that killed runs left."""
    page = done(await stage.hands.look(f"/texts?department={code}", OPERATOR)).json()
    for one in page["texts"]:
        if was_left_behind(one["id"]):
            await _remove(stage, f"/departments/{code}/texts/{one['id']}")
    try:
        yield
    finally:
        await asyncio.shield(_remove(stage, _path(stage, code)))


async def _remove(stage: Stage, path: str) -> None:
    where = f"{stage.eyes.urls.router}{path}"
    answer = await stage.hands.http.delete(where, headers=await stage.hands.staff.token(OPERATOR))
    if answer.status_code != httpx.codes.NOT_FOUND:
        done(answer)


async def _put(stage: Stage, code: str, text: str, who: str) -> httpx.Response:
    """Write the module with this text as a clerk of the department `who`; returns the answer, also an error."""
    module = {
        "title": {"zh": stage.text("title"), "en": stage.text("title_en")},
        "subjects": [stage.text("about")],
        "text": {"zh": stage.text(text), "en": stage.text("module_en")},
    }
    where = f"{stage.eyes.urls.router}{_path(stage, code)}"
    return await stage.hands.http.put(where, json=module, headers=await stage.hands.staff.token("clerk", who))


async def _written(stage: Stage, code: str, other: str) -> None:
    async with stage.step("The clerk writes a text module; a wrong placeholder and another department are refused"):
        wrong = await _put(stage, code, "wrong", code)
        expect_same(wrong.status_code, httpx.codes.UNPROCESSABLE_ENTITY, "the status of a wrong placeholder")
        expect("{{surname}}" in wrong.text, f"the refusal {problem(wrong)!r} does not name the placeholder")
        foreign = await _put(stage, code, "first", other)
        expect_same(foreign.status_code, httpx.codes.FORBIDDEN, "the status for another department")
        expect("clerk" in problem(foreign), f"the refusal {problem(foreign)!r} names no role")
        done(await _put(stage, code, "first", code))


async def _filled(stage: Stage, case: PlayedCase, code: str) -> dict[str, Any]:
    """The module with the values of the case, and `written`: what is said of the department's own text."""
    answer = done(await stage.hands.look(f"/cases/{case.inquiry_id}/texts", "clerk", code)).json()
    [module] = [one for one in answer["texts"] if one["id"] == _id(stage)]
    return {**module, "written": answer["written"]}


async def _answered(stage: Stage, case: PlayedCase, code: str) -> None:
    async with stage.step("Filled from the message, it names what the message lacks; a change is in force at once"):
        first = await _filled(stage, case, code)
        expect_same((first["missing"], first["meant_for"]), (["area"], "this"), "what is missing, and for whom it is")
        done(await _put(stage, code, "module", code))
        filled = await _filled(stage, case, code)
        expect_same(filled["missing"], [], "what is missing now")
        for value in (case.subject, stage.name(code, case)):
            expect(value in filled["text"], f"the text {filled['text']!r} lacks {value!r}")
    async with stage.step("A draft with words of its own is no module; the text as it was filled is told as unchanged"):
        changed = f"{filled['text']}{stage.text('changed')}"
        await _contribute(stage, case, code, changed, final=False)
        expect_same(await _unchanged(stage, case, code), [], "modules in the draft")
        await _contribute(stage, case, code, filled["text"], final=True)
        expect_same(await _unchanged(stage, case, code), [_id(stage)], "modules in the answer")
    async with stage.step("The resident reads the answer; the part leaves the worklist"):
        seen = await stage.ticket_in(case, "answered")
        expect_same([one["text"] for one in seen["reply"]["paragraphs"]], [filled["text"]], "the paragraphs")

        async def left() -> bool:
            return await _listed(stage, case, code) is None

        await soon(left, "the worklist still has the part")


async def _contribute(stage: Stage, case: PlayedCase, code: str, text: str, *, final: bool) -> None:
    await stage.hands.command(case, "contribute", "clerk", code, part_id=case.part(1), text=text, final=final)


async def _unchanged(stage: Stage, case: PlayedCase, code: str) -> list[str]:
    """The modules that the department's text has unchanged."""
    [written] = (await _filled(stage, case, code))["written"]
    return list(written["unchanged"])


STORY = FullStory(12, "Text modules, search and worklist", play, {"texts": TERMS_OF_DAYS})
