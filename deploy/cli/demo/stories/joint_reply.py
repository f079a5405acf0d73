"""Joint reply: a lead and a co-handler, one attributed reply, and a late part that becomes an addendum."""

from deploy.cli.demo.expectations import expect, expect_same, soon
from deploy.cli.demo.eyes import PlayedCase
from deploy.cli.demo.stage import FullStory, Stage
from deploy.cli.demo.stories.terms_of_days import TERMS_OF_DAYS

LEADS = "已在放学时段安排队员定点值守，摊点今天起劝离到疏导区。"
HELPS = "已抽检三个摊点的熟食，两份不合格，货品已封存。"
ADDED = "补充：今天下午又来了两个摊位，就在东门。"
EARLY, LATE = "We inspected the cable today; it is sound.", "The lamps are replaced since this morning."


async def play(stage: Stage) -> None:
    await _joined(stage)
    await _gone_ahead(stage)


async def _joined(stage: Stage) -> None:
    lead, helper, other = (stage.department(one) for one in ("urban-management", "market", "parks"))
    case = await _offered(stage, lead, helper)
    async with stage.step("What the resident adds later reaches both departments once, and no other"):
        await stage.hands.department(lead, "part.accepted", {"part_id": case.part(1)})
        await stage.hands.add(case, ADDED)
        for code in (lead, helper):
            added = await stage.once(case, code, "part.added")
            expect_same(added.data["text"], ADDED, "the addition")
        expect_same(stage.eyes.inbox(case, other), [], f"messages to {other}")
    async with stage.step("One share alone answers nothing"):
        await stage.hands.department(helper, "part.contributed", {"part_id": case.part(2), "text": HELPS})
        await stage.event(case, "part.contributed")
        expect_same((await stage.eyes.ticket(case))["reply"], None, "the reply")
    async with stage.step(
        "With the last share the resident has one reply, each paragraph with its department, unchanged"
    ):
        visit = {"kind": "visit", "at": "2026-03-16T15:30:00+08:00", "note": "三人到场"}
        share = {"part_id": case.part(1), "text": LEADS, "actions": [visit]}
        await stage.hands.department(lead, "part.contributed", share)
        reply = (await stage.ticket_in(case, "answered"))["reply"]
        expected = [(code, stage.name(code, case), text) for code, text in ((lead, LEADS), (helper, HELPS))]
        expect_same(
            [(one["department"], one["name"], one["text"]) for one in reply["paragraphs"]], expected, "paragraphs"
        )
        expect(
            all(name in reply["text"] and text in reply["text"] for _, name, text in expected), "the text lacks a part"
        )
    async with stage.step("One mail has the whole reply, and both departments learn once that it is sent"):
        await stage.told(case, "answered", LEADS, HELPS)
        for code in (lead, helper):
            await stage.once(case, code, "part.closed")


async def _offered(stage: Stage, lead: str, helper: str) -> PlayedCase:
    async with stage.step("Two departments are offered their part of one message; the first one leads"):
        case = await stage.write(
            "{street}学校门口的流动摊贩卖过期食品",
            "每天放学后，{street}{number}号校门口有七八个摊贩，熟食没有标签。请管一管占道，也查一查食品卫生。",
            [lead, helper],
            policy="joint",
        )
        first, second = [await stage.inbox(case, code, "part.offered") for code in (lead, helper)]
        expect_same([one.data["role"] for one in (first, second)], ["lead", "co-handler"], "the roles")
        expect_same((first.data["co_handlers"], second.data["lead"]), ([helper], lead), "who else is named")
        await stage.confirm(case)
    return case


async def _gone_ahead(stage: Stage) -> None:
    lead, late = stage.department("utilities"), stage.department("planning")
    async with stage.step("The lead cannot go ahead while the other department is in time"):
        case = await stage.write(
            "The lamps on {street} stay dark",
            "All lamps between house {number} and the market have been dark for a week.",
            [lead, late],
            policy="late",
            language="en",
        )
        await stage.inbox(case, late, "part.offered")
        await stage.confirm(case)
        await stage.hands.department(lead, "part.contributed", {"part_id": case.part(1), "text": EARLY})
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
        await stage.hands.department(late, "part.contributed", {"part_id": case.part(2), "text": LATE})
        seen = await stage.ticket_where(case, lambda one: one["reply"].get("addenda"), "the ticket has no addendum")
        paragraphs = [(one["department"], one["text"]) for one in seen["reply"]["addenda"][0]["paragraphs"]]
        expect_same(paragraphs, [(late, LATE)], "the addendum")
        await stage.told(case, "supplemented", LATE)


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
