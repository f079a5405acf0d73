"""Rating and reopening: not satisfied, a second round with clocks of its own, thanks; the rating stays as it is."""

from datetime import datetime, timedelta

import httpx

from deploy.cli.demo.expectations import expect, expect_same, soon
from deploy.cli.demo.eyes import PlayedCase
from deploy.cli.demo.stage import FullStory, Stage
from deploy.cli.demo.stories.terms_of_days import TERMS_OF_DAYS


async def play(stage: Stage) -> None:
    code = stage.department("parks")
    case = await _answered(stage, code)
    await _reopened(stage, case, code)
    await _second_round(stage, case, code)


async def _answered(stage: Stage, code: str) -> PlayedCase:
    async with stage.step("An inquiry is answered"):
        case = await stage.write("rubbish", [code], policy="reopening")
        await stage.inbox(case, code, "part.offered")
        await stage.confirm(case)
        await stage.hands.department(code, "part.contributed", {"part_id": case.part(1), "text": stage.text("first")})
        await stage.ticket_in(case, "answered")
    return case


async def _reopened(stage: Stage, case: PlayedCase, code: str) -> None:
    async with stage.step(
        "The resident is not satisfied: the department reads the words, and the inquiry is open again"
    ):
        await stage.hands.rate(case, 1, content=False, words=stage.text("angry"))
        rated = (await stage.inbox(case, code, "part.rated")).data
        expect_same((rated["round"], rated["solved"], rated["words"]), (1, False, stage.text("angry")), "the rating")
        await stage.ticket_where(case, lambda seen: seen["round"] == 2, "the ticket is not in round 2")
        offered = (await stage.inbox(case, code, "part.offered", 2)).data
        expect_same((offered["round"], offered["part_id"]), (2, case.part(2)), "the new part")
        expect_same(offered["reopened"]["words"], stage.text("angry"), "the words in the offer")
        await stage.told(case, "reopened")
    async with stage.step("The rating of a round counts once"):
        other = {"round": 1, "solved": True, "satisfied": "yes"}
        answer = await stage.hands.as_resident(case, "rating", other)
        expect_same(answer.status_code, httpx.codes.CONFLICT, "the status of a second rating")
    async with stage.step("The clocks of round 2 start at the reopening; the verdicts of round 1 stay"):
        opened = await stage.event(case, "inquiry.reopened")

        async def two_rounds() -> bool:
            return len({one["part_id"] for one in await stage.eyes.clocks(case)}) == 2

        await soon(two_rounds, "the scorer does not show the clocks of round 2")
        clocks = await stage.eyes.clocks(case)
        verdicts = {one["verdict"] for one in clocks if one["part_id"] == case.part(1)}
        starts = {one["started_at"] for one in clocks if one["part_id"] == case.part(2)}
        expect_same((verdicts, starts), ({"kept"}, {opened.data["at"]}), "verdicts of round 1, starts of round 2")
        due = (await stage.inbox(case, code, "part.offered", 2)).data["due"]["resolve"]
        limit = datetime.fromisoformat(due) - datetime.fromisoformat(opened.data["at"])
        expect_same(limit, timedelta(hours=48), "the time of the new part")


async def _second_round(stage: Stage, case: PlayedCase, code: str) -> None:
    async with stage.step("The second answer comes in the same ticket, which keeps the first one"):
        await stage.hands.department(code, "part.contributed", {"part_id": case.part(2), "text": stage.text("second")})
        seen = await stage.ticket_in(case, "answered")
        texts = [one["reply"]["paragraphs"][0]["text"] for one in seen["rounds"]]
        expect_same(texts, [stage.text("first"), stage.text("second")], "the answers of the rounds")
    async with stage.step("The resident says thanks; the inquiry stays answered"):
        await stage.hands.rate(case, 2, content=True, words=stage.text("thanks"))
        rated = (await stage.inbox(case, code, "part.rated", 2)).data
        expect_same(
            (rated["round"], rated["satisfied"], rated["words"]), (2, "yes", stage.text("thanks")), "the rating"
        )
        seen = await stage.ticket_where(
            case, lambda one: one["rated"] == [1, 2], "the ticket does not show both ratings"
        )
        expect(
            seen["state"] == "answered" and seen["round"] == 2, f"the ticket is {seen['state']}, round {seen['round']}"
        )
        await stage.settle()
        expect_same(len(stage.eyes.events(case, "inquiry.reopened")), 1, "reopenings")


STORY = FullStory(
    8,
    "Rating and reopening",
    play,
    {
        "reopening": TERMS_OF_DAYS
        | {"reopening": {"when": ["not-solved", "not-satisfied"], "window_days": 15, "limit": 2, "clock": "new"}}
    },
)
