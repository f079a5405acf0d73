"""Timers: each reminder and each broken clock once, to the present holder; after an extension, a reminder again."""

from datetime import datetime, timedelta

from deploy.cli.demo.expectations import expect_same, soon
from deploy.cli.demo.eyes import PlayedCase
from deploy.cli.demo.stage import FullStory, Stage
from deploy.cli.demo.stories.terms_of_days import TERMS_OF_DAYS

MORE_S = 12.0
"""How much more time the department asks for."""


async def play(stage: Stage) -> None:
    former, holder = stage.department("water"), stage.department("utilities")
    case = await _handed_over(stage, former, holder)
    await _reminded(stage, case, holder)
    await _extended(stage, case, holder)
    await _broken(stage, stage.department("housing"))


async def _handed_over(stage: Stage, former: str, holder: str) -> PlayedCase:
    async with stage.step("The coordinator moves the part to another department before its first reminder"):
        case = await stage.write("water", [former], policy="clocks")
        await stage.inbox(case, former, "part.offered")
        words = stage.text("not_ours")
        await stage.hands.command(case, "reassign", "coordinator", part_id=case.part(1), to=holder, words=words)
        await stage.inbox(case, holder, "part.offered")
        await stage.inbox(case, former, "part.withdrawn")
    return case


async def _reminded(stage: Stage, case: PlayedCase, holder: str) -> None:
    async with stage.step("Near its due time the clock reminds once, and the department that has the part now"):
        await stage.event(case, "clock.due-soon")
        word = {"part_id": case.part(2), "text": stage.text("word")}
        await stage.hands.department(holder, "part.replied", word)
        await stage.event(case, "inquiry.replied")
        await _rings(stage, case, "clock.due-soon", [(holder, "accept")])


async def _extended(stage: Stage, case: PlayedCase, holder: str) -> None:
    async with stage.step("It is reminded of the next clock, asks for more time, gets it, and is reminded again"):
        soon_due = await stage.event(case, "clock.due-soon", 2)
        until = datetime.fromisoformat(soon_due.data["due_at"]) + timedelta(seconds=MORE_S)
        request = {"part_id": case.part(2), "until": until.isoformat(), "reason": stage.text("why_more")}
        await stage.hands.department(holder, "part.extension-asked", request)
        await stage.event(case, "part.extension-asked")
        await stage.hands.command(case, "extend", "coordinator", part_id=case.part(2))
        await stage.event(case, "clock.due-soon", 3)
        rings = [(holder, "accept"), (holder, "resolve"), (holder, "resolve")]
        await _rings(stage, case, "clock.due-soon", rings)
    async with stage.step("The answer in the longer time breaks no clock"):
        await stage.hands.department(
            holder, "part.contributed", {"part_id": case.part(2), "text": stage.text("answer")}
        )
        await stage.ticket_in(case, "answered")
        await _rings(stage, case, "clock.broken", [])


async def _broken(stage: Stage, idle: str) -> None:
    async with stage.step("A clock that runs out is on the log once, and the scoreboard's clocks say broken"):
        case = await stage.write("lamps", [idle], policy="clocks")
        await stage.event(case, "clock.broken")

        async def judged() -> bool:
            clocks = await stage.eyes.clocks(case)
            return any((one["clock"], one["verdict"]) == ("accept", "broken") for one in clocks)

        await soon(judged, "the scorer does not say that the accept clock is broken")
        await stage.hands.department(idle, "part.contributed", {"part_id": case.part(1), "text": stage.text("late")})
        await stage.ticket_in(case, "answered")
        broken = [one.data["clock"] for one in stage.eyes.events(case, "clock.broken")]
        expect_same(sorted(set(broken)), sorted(broken), "broken clocks on the log")


async def _rings(stage: Stage, case: PlayedCase, type_: str, expected: list[tuple[str, str]]) -> None:
    """Check the department and the clock of each such event so far."""
    await stage.settle()
    seen = [(one.data["department"], one.data["clock"]) for one in stage.eyes.events(case, type_)]
    expect_same(seen, expected, f"events {type_}")


STORY = FullStory(
    4,
    "Timers",
    play,
    {
        "clocks": TERMS_OF_DAYS
        | {
            "clocks": {"accept": "0.003h", "first_reply": "0.007h", "resolve": "0.007h"},
            "supervision": [{"before": "0.002h", "tell": "desk"}],
        }
    },
)
