"""Questions: the clocks stand still until the resident answers; more time is granted or refused; silence closes, words reopen."""

from datetime import datetime, timedelta
from typing import Any

from deploy.cli.demo.expectations import expect, expect_same
from deploy.cli.demo.eyes import PlayedCase
from deploy.cli.demo.stage import FullStory, Stage
from deploy.cli.demo.stories.terms_of_days import TERMS_OF_DAYS
from deploy.cli.demo.topic_watch import WatchedRecord


async def play(stage: Stage) -> None:
    code = stage.department("water")
    case = await _paused(stage, code)
    await _more_time(stage, case, code)
    await _silent(stage, code)


async def _asked(stage: Stage, code: str, policy: str) -> tuple[PlayedCase, dict[str, Any]]:
    case = await stage.write("floors", [code], policy=policy)
    offered = await stage.inbox(case, code, "part.offered")
    await stage.confirm(case)
    await stage.hands.department(code, "part.asked", {"part_id": case.part(1), "text": stage.text("question")})
    return case, dict(offered.data)


async def _paused(stage: Stage, code: str) -> PlayedCase:
    async with stage.step("A department asks the resident; the ticket and one mail show the question"):
        case, offered = await _asked(stage, code, "question")
        seen = await stage.ticket_in(case, "awaiting-resident")
        expect_same([one["text"] for one in seen["questions"]], [stage.text("question")], "the questions")
        await stage.told(case, "asked", stage.text("question"))
        await stage.inbox(case, code, "part.paused")
        paused = await stage.event(case, "inquiry.paused")
    async with stage.step("After the answer the clocks go on with exactly the time that was left"):
        await stage.hands.add(case, stage.text("answer"))
        added = await stage.inbox(case, code, "part.added")
        expect_same(added.data["text"], stage.text("answer"), "the answer")
        expect_same([one["text"] for one in added.data["asked"]], [stage.text("question")], "what it answers")
        resumed = await stage.event(case, "inquiry.resumed")
        pause = _at(resumed) - _at(paused)
        due = (await stage.inbox(case, code, "part.resumed")).data["due"]
        moved = datetime.fromisoformat(due["resolve"]) - datetime.fromisoformat(offered["due"]["resolve"])
        expect_same(moved, pause, "how far the due time has moved")
    return case


def _at(event: WatchedRecord) -> datetime:
    return datetime.fromisoformat(event.data["at"])


async def _more_time(stage: Stage, case: PlayedCase, code: str) -> None:
    async with stage.step(
        "More time is refused once, with the reason, and granted once; the resident reads the new date"
    ):
        due = (await stage.inbox(case, code, "part.resumed")).data["due"]["resolve"]
        later = [(datetime.fromisoformat(due) + timedelta(hours=hours)).isoformat() for hours in (24, 48)]
        request = {"part_id": case.part(1), "until": later[1], "reason": stage.text("why_more")}
        await stage.hands.department(code, "part.extension-asked", request)
        await stage.event(case, "part.extension-asked")
        await stage.hands.command(
            case, "refuse-extension", "coordinator", part_id=case.part(1), reason=stage.text("why_not")
        )
        refused = await stage.inbox(case, code, "part.extension-refused")
        expect_same(refused.data["reason"], stage.text("why_not"), "the reason")
        await stage.hands.department(code, "part.extension-asked", {**request, "until": later[0]})
        await stage.event(case, "part.extension-asked", 2)
        await stage.hands.command(case, "extend", "coordinator", part_id=case.part(1))
        until = (await stage.inbox(case, code, "part.extended")).data["until"]
        expect_same(datetime.fromisoformat(until), datetime.fromisoformat(later[0]), "the new date")
        await stage.ticket_where(
            case, lambda seen: seen["departments"][0]["due_at"] == until, "the ticket does not show the new date"
        )
        mail = await stage.told(case, "extended")
        expect(stage.text("why_more") not in mail.text, "the mail has the reason, which is for the desk")
    async with stage.step("The department answers"):
        await stage.hands.department(
            code, "part.contributed", {"part_id": case.part(1), "text": stage.text("repaired")}
        )
        await stage.ticket_in(case, "answered")


async def _silent(stage: Stage, code: str) -> None:
    async with stage.step("A silent resident is reminded once; then the inquiry is closed as unanswered"):
        case, _ = await _asked(stage, code, "silence")
        await stage.told(case, "reminded", stage.text("question"))
        closed = await stage.event(case, "inquiry.closed")
        expect_same(closed.data["reason"], "unanswered", "why it is closed")
        await stage.ticket_in(case, "closed")
        expect_same(len(stage.eyes.events(case, "inquiry.reminded")), 1, "reminders")
    async with stage.step("An answer that comes later opens it again, and the department answers"):
        await stage.hands.add(case, stage.text("answer"))
        await stage.inbox(case, code, "part.resumed")
        await stage.ticket_in(case, "in-progress")
        await stage.hands.department(
            code, "part.contributed", {"part_id": case.part(1), "text": stage.text("adjusted")}
        )
        await stage.ticket_in(case, "answered")


STORY = FullStory(
    5,
    "Questions and extensions",
    play,
    {
        "question": TERMS_OF_DAYS | {"asking": {"remind_after": "24h", "close_after": "72h"}},
        "silence": TERMS_OF_DAYS | {"asking": {"remind_after": "0.001h", "close_after": "0.003h"}},
    },
)
