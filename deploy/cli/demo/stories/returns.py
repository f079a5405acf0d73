"""Returns: a reason from the city's list, the next department reads why, at the limit an arbiter or the first one leads."""

from deploy.cli.demo.expectations import expect, expect_same
from deploy.cli.demo.eyes import PlayedCase
from deploy.cli.demo.stage import FullStory, Stage
from deploy.cli.demo.stories.terms_of_days import TERMS_OF_DAYS


async def play(stage: Stage) -> None:
    first, second = stage.department("transport"), stage.department("urban-management")
    case = await _only_for_a_reason(stage, first)
    await _to_the_next(stage, case, first, second)
    await _arbitrated(stage, case, first, second)
    await _without_an_arbiter(stage, first, second)


async def _written(stage: Stage, first: str, policy: str) -> PlayedCase:
    return await stage.write("hole", [first], policy=policy)


async def _only_for_a_reason(stage: Stage, first: str) -> PlayedCase:
    async with stage.step("A return needs a reason of the city's list, and a department that exists"):
        case = await _written(stage, first, "returns")
        await stage.inbox(case, first, "part.offered")
        back = {"part_id": case.part(1), "words": stage.text("why")}
        busy = await stage.hands.department(first, "part.returned", {**back, "reason": "too-busy"})
        refused = await stage.refused(case, first, busy)
        expect("not-ours" in refused["remedy"], f"the remedy {refused['remedy']!r} does not list the reasons")
        nobody = await stage.hands.department(
            first, "part.returned", {**back, "reason": "not-ours", "suggest": "no-such-office"}
        )
        expect(
            "no-such-office" in (await stage.refused(case, first, nobody))["reason"], "the refusal does not quote it"
        )
    return case


async def _to_the_next(stage: Stage, case: PlayedCase, first: str, second: str) -> None:
    async with stage.step("Returned, it waits for a coordinator; the next department reads who returned it, and why"):
        back = {"part_id": case.part(1), "reason": "not-ours", "words": stage.text("why"), "suggest": second}
        await stage.hands.department(first, "part.returned", back)
        await stage.ticket_in(case, "triage")
        await stage.hands.command(case, "assign", "coordinator", lead=second)
        offered = await stage.inbox(case, second, "part.offered")
        expected = [{"department": first, "reason": "not-ours", "words": stage.text("why")}]
        expect_same(offered.data.get("returned"), expected, "what the offer says about the return")


async def _arbitrated(stage: Stage, case: PlayedCase, first: str, second: str) -> None:
    async with stage.step("At the second return the inquiry waits for an arbiter; triage can no longer assign it"):
        back = {"part_id": case.part(2), "reason": "not-ours", "words": stage.text("why_too"), "suggest": first}
        await stage.hands.department(second, "part.returned", back)
        triaged = await stage.event(case, "inquiry.triaged", 2)
        expect_same(triaged.data["reason"], "arbitration", "why it waits")
        await stage.hands.refused(case, "assign", "coordinator", lead=second)
    async with stage.step("An operator may not arbitrate; the refusal names the roles that may"):
        sentence = await stage.hands.forbidden(case, "arbitrate", "operator", lead=first)
        expect("coordinator, supervisor" in sentence, f"the refusal says {sentence!r}")
    async with stage.step("The supervisor decides; the department cannot return the part again, and answers"):
        await stage.hands.command(case, "arbitrate", "supervisor", lead=first, words=stage.text("arbiter"))
        offered = await stage.inbox(case, first, "part.offered", 2)
        expect(offered.data.get("binding"), "the part is not binding")
        expect(stage.text("arbiter") in offered.data["why"], "the offer lacks the words of the arbiter")
        again = {"part_id": case.part(3), "reason": "not-ours", "words": stage.text("why")}
        refused = await stage.hands.department(first, "part.returned", again)
        await stage.refused(case, first, refused)
        await stage.hands.department(first, "part.contributed", {"part_id": case.part(3), "text": stage.text("answer")})
        await stage.ticket_in(case, "answered")


async def _without_an_arbiter(stage: Stage, first: str, second: str) -> None:
    async with stage.step("Another dispute reaches the limit, and nobody arbitrates"):
        case = await _written(stage, first, "dispute")
        await stage.inbox(case, first, "part.offered")
        back = {"reason": "not-ours", "words": stage.text("why")}
        await stage.hands.department(first, "part.returned", {**back, "part_id": case.part(1), "suggest": second})
        await stage.event(case, "inquiry.triaged")
        await stage.hands.command(case, "assign", "coordinator", lead=second)
        await stage.inbox(case, second, "part.offered")
        await stage.hands.department(second, "part.returned", {**back, "part_id": case.part(2)})
        triaged = await stage.event(case, "inquiry.triaged", 2)
        expect(triaged.data.get("until"), "the arbitration has no end")
    async with stage.step("When its time is over, the department that had it first leads, and answers"):
        assigned = await stage.event(case, "inquiry.assigned", 3)
        expect_same((assigned.data["lead"], assigned.data["actor"]["kind"]), (first, "timer"), "who leads, and by whom")
        offered = await stage.inbox(case, first, "part.offered", 2)
        expect(offered.data.get("binding"), "the part is not binding")
        await stage.hands.department(first, "part.contributed", {"part_id": case.part(3), "text": stage.text("answer")})
        await stage.ticket_in(case, "answered")


REASONS = ["not-ours", "wrong-area", "incomplete"]
STORY = FullStory(
    2,
    "Returns",
    play,
    {
        "returns": TERMS_OF_DAYS,
        "dispute": TERMS_OF_DAYS | {"returns": {"within": "0.005h", "limit": 2, "reasons": REASONS}},
    },
)
