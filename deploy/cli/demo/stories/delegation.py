"""Delegation: the bureau passes a complaint about lifts to its district offices, stays responsible, and joins their work."""

from collections.abc import Sequence

from deploy.cli.demo.expectations import expect, expect_same
from deploy.cli.demo.eyes import PlayedCase
from deploy.cli.demo.stage import FullStory, Stage
from deploy.cli.demo.stories.terms_of_days import TERMS_OF_DAYS


async def play(stage: Stage) -> None:
    bureau, offices = stage.town.bureau, stage.town.offices
    case = await _delegated(stage, bureau, offices)
    await _only_the_bureau_is_seen(stage, case, bureau, offices)
    await _returned_to_the_bureau(stage, case, bureau, offices[0])
    await _joined(stage, case, bureau, offices[1:])


async def _delegated(stage: Stage, bureau: str, offices: Sequence[str]) -> PlayedCase:
    async with stage.step("The bureau delegates a complaint about lifts to several offices at once"):
        case = await stage.write("lifts", [bureau], policy="lifts")
        above = await stage.inbox(case, bureau, "part.offered")
        order = {"part_id": case.part(1), "to": list(offices), "text": stage.text("order")}
        await stage.hands.department(bureau, "part.delegated", order)
        for code in offices:
            offered = (await stage.inbox(case, code, "part.offered")).data
            seen = (offered.get("parent"), offered.get("delegated_by"), offered.get("instructions"))
            expect_same(seen, (case.part(1), bureau, stage.text("order")), f"the offer of {code}")
            expect(
                offered["due"]["resolve"] < above.data["due"]["resolve"], f"the time of {code} ends after the bureau's"
            )
    async with stage.step("An office cannot delegate again"):
        further = {"part_id": case.part(2), "to": [offices[1]]}
        refused = await stage.hands.department(offices[0], "part.delegated", further)
        await stage.refused(case, offices[0], refused)
    return case


async def _only_the_bureau_is_seen(stage: Stage, case: PlayedCase, bureau: str, offices: Sequence[str]) -> None:
    async with stage.step("The resident sees the bureau, and none of its offices"):
        seen = await stage.ticket_in(case, "in-progress")
        expect_same([one["code"] for one in seen["departments"]], [bureau], "the departments of the ticket")
        page = await stage.eyes.ticket_page(case)
        found = [code for code in offices if stage.name(code, case) in page]
        expect_same(found, [], "offices named on the page")


async def _returned_to_the_bureau(stage: Stage, case: PlayedCase, bureau: str, office: str) -> None:
    async with stage.step("What an office returns comes back to the bureau, not to triage"):
        back = {"part_id": case.part(2), "reason": "wrong-area", "words": stage.text("not_here")}
        await stage.hands.department(office, "part.returned", back)
        returned = (await stage.inbox(case, bureau, "part.returned")).data
        seen = (returned["department"], returned["parent"], returned["reason"])
        expect_same(seen, (office, case.part(1), "wrong-area"), "what the bureau reads")
        await stage.event(case, "part.returned")
        await stage.settle()
        expect_same(stage.eyes.events(case, "inquiry.triaged"), [], "events about triage")


async def _joined(stage: Stage, case: PlayedCase, bureau: str, offices: Sequence[str]) -> None:
    async with stage.step("The offices report to the bureau, and nothing of it is published"):
        for number, code in enumerate(offices, start=3):
            text = stage.text("report")
            await stage.hands.department(code, "part.contributed", {"part_id": case.part(number), "text": text})
            reported = await stage.inbox(case, bureau, "part.contributed", number - 2)
            expect_same((reported.data["department"], reported.data["text"]), (code, text), "the report")
        await stage.settle()
        expect_same((await stage.eyes.ticket(case))["reply"], None, "the reply")
    async with stage.step("The bureau joins their work into one answer, in its own name"):
        await stage.hands.department(
            bureau, "part.contributed", {"part_id": case.part(1), "text": stage.text("joined")}
        )
        reply = (await stage.ticket_in(case, "answered"))["reply"]
        expect_same(
            [(one["department"], one["text"]) for one in reply["paragraphs"]],
            [(bureau, stage.text("joined"))],
            "paragraphs",
        )


STORY = FullStory(
    3,
    "Delegation",
    play,
    {"lifts": TERMS_OF_DAYS | {"clocks": {"accept": "2h", "first_reply": "4h", "resolve": "8h"}}},
)
