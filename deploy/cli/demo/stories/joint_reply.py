"""Joint reply: a lead and a co-handler, one attributed reply, and a late part that becomes an addendum."""

from deploy.cli.demo.expectations import expect, expect_same, soon
from deploy.cli.demo.eyes import PlayedCase
from deploy.cli.demo.stage import FullStory, Stage
from deploy.cli.demo.stories.terms_of_days import TERMS_OF_DAYS


async def play(stage: Stage) -> None:
    await _joined(stage)
    await _gone_ahead(stage)


async def _joined(stage: Stage) -> None:
    lead, helper, other = (stage.department(one) for one in ("urban-management", "market", "parks"))
    case = await _offered(stage, lead, helper)
    async with stage.step("What the resident adds later reaches both departments once, and no other"):
        await stage.hands.department(lead, "part.accepted", {"part_id": case.part(1)})
        await stage.hands.add(case, stage.text("added"))
        for code in (lead, helper):
            added = await stage.once(case, code, "part.added")
            expect_same(added.data["text"], stage.text("added"), "the addition")
        expect_same(stage.eyes.inbox(case, other), [], f"messages to {other}")
    async with stage.step("One share alone answers nothing"):
        await stage.hands.department(helper, "part.contributed", {"part_id": case.part(2), "text": stage.text("helps")})
        await stage.event(case, "part.contributed")
        await stage.settle()
        expect_same((await stage.eyes.ticket(case))["reply"], None, "the reply")
    async with stage.step(
        "With the last share the resident has one reply, each paragraph with its department, unchanged"
    ):
        visit = {"kind": "visit", "at": "2026-03-16T15:30:00+08:00", "note": stage.text("visit")}
        share = {"part_id": case.part(1), "text": stage.text("leads"), "actions": [visit]}
        await stage.hands.department(lead, "part.contributed", share)
        reply = (await stage.ticket_in(case, "answered"))["reply"]
        expected = [
            (code, stage.name(code, case), text)
            for code, text in ((lead, stage.text("leads")), (helper, stage.text("helps")))
        ]
        expect_same(
            [(one["department"], one["name"], one["text"]) for one in reply["paragraphs"]], expected, "paragraphs"
        )
        expect(
            all(name in reply["text"] and text in reply["text"] for _, name, text in expected), "the text lacks a part"
        )
    async with stage.step("One mail has the whole reply, and both departments learn once that it is sent"):
        await stage.told(case, "answered", stage.text("leads"), stage.text("helps"))
        for code in (lead, helper):
            await stage.once(case, code, "part.closed")


async def _offered(stage: Stage, lead: str, helper: str) -> PlayedCase:
    async with stage.step("Two departments are offered their part of one message; the first one leads"):
        case = await stage.write("stalls", [lead, helper], policy="joint")
        first, second = [await stage.inbox(case, code, "part.offered") for code in (lead, helper)]
        expect_same([one.data["role"] for one in (first, second)], ["lead", "co-handler"], "the roles")
        expect_same((first.data["co_handlers"], second.data["lead"]), ([helper], lead), "who else is named")
        await stage.confirm(case)
    return case


async def _gone_ahead(stage: Stage) -> None:
    lead, late = stage.department("utilities"), stage.department("planning")
    async with stage.step("The lead cannot go ahead while the other department is in time"):
        case = await stage.write("lamps", [lead, late], policy="late")
        await stage.inbox(case, late, "part.offered")
        await stage.confirm(case)
        await stage.hands.department(lead, "part.contributed", {"part_id": case.part(1), "text": stage.text("early")})
        ahead = await stage.hands.department(lead, "reply.go-ahead", {"inquiry_id": case.inquiry_id})
        reason = (await stage.refused(case, lead, ahead))["reason"]
        expect("is due until" in reason, f"the refusal says {reason!r}")
    async with stage.step("Once the other one is late, the lead goes ahead; only the departments read who is missing"):
        await _after_due(stage, case)
        await stage.hands.department(lead, "reply.go-ahead", {"inquiry_id": case.inquiry_id})
        seen = await stage.ticket_in(case, "answered")
        expect_same([one["department"] for one in seen["reply"]["paragraphs"]], [lead], "the paragraphs")
        expect_same([one["code"] for one in seen["departments"]], [lead], "the departments that the resident sees")
        await stage.inbox(case, late, "part.omitted")
        closed = await stage.inbox(case, lead, "part.closed")
        expect_same(closed.data.get("missing"), [late], "who is missing")
    async with stage.step("The late part stays open with its clocks"):
        [part] = [one for one in (await stage.hands.case(case))["parts"] if one["department"] == late]
        expect_same((part["state"], part["omitted"]), ("offered", True), "the late part")
    async with stage.step("Its contribution follows as an addendum, by mail once"):
        await stage.hands.department(late, "part.contributed", {"part_id": case.part(2), "text": stage.text("late")})
        seen = await stage.ticket_where(case, lambda one: one["reply"].get("addenda"), "the ticket has no addendum")
        paragraphs = [(one["department"], one["text"]) for one in seen["reply"]["addenda"][0]["paragraphs"]]
        expect_same(paragraphs, [(late, stage.text("late"))], "the addendum")
        await stage.told(case, "supplemented", stage.text("late"))


async def _after_due(stage: Stage, case: PlayedCase) -> None:
    """Wait until the clock of the co-handler has run out, as the log says."""

    async def broken() -> bool:
        events = stage.eyes.events(case, "clock.broken")
        return any((one.data["part_id"], one.data["clock"]) == (case.part(2), "resolve") for one in events)

    await soon(broken, "the resolve clock of the co-handler has not run out")


STORY = FullStory(
    1,
    "Joint reply",
    play,
    {
        "joint": TERMS_OF_DAYS,
        "late": TERMS_OF_DAYS
        | {
            "clocks": {"accept": "0.003h", "first_reply": "0.003h", "resolve": "0.003h"},
            "joint_reply": {"wait": "lead-after-due"},
        },
    },
)
