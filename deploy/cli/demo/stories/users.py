"""Users and roles: a clerk without Kafka, other departments outside, refusals that name the roles, a token that ends."""

import httpx

from deploy.cli.console import problem
from deploy.cli.demo.expectations import expect, expect_same
from deploy.cli.demo.eyes import PlayedCase
from deploy.cli.demo.stage import FullStory, Stage
from deploy.cli.demo.stories.terms_of_days import TERMS_OF_DAYS


async def play(stage: Stage) -> None:
    own, other = stage.department("education"), stage.department("health")
    case = await _by_the_desk(stage, own)
    await _others_stay_outside(stage, case, own, other)
    await _named_roles(stage, case)
    await _as_a_resident(stage, own, other)
    await _disabled(stage, case, own)


async def _by_the_desk(stage: Stage, own: str) -> PlayedCase:
    async with stage.step("A department without Kafka accepts and answers at the desk, with the rights of its clerk"):
        case = await stage.write("bus", [own], policy="users")
        await stage.event(case, "part.offered")
        await stage.hands.command(case, "accept", "clerk", own, part_id=case.part(1))
        await stage.hands.command(case, "contribute", "clerk", own, part_id=case.part(1), text=stage.text("answer"))
        seen = await stage.ticket_in(case, "answered")
        expect_same([one["text"] for one in seen["reply"]["paragraphs"]], [stage.text("answer")], "the paragraphs")
    async with stage.step("Every act carries the person: the role in the event, the number of the user at the desk"):
        accepted = await stage.event(case, "part.accepted")
        expect_same(accepted.data["actor"], {"kind": "staff", "role": "clerk"}, "the actor of the event")
        decisions = (await stage.hands.case(case))["decisions"]
        users = {one["user"] for one in decisions if one["actor"]["kind"] == "staff"}
        expect(len(users) == 1 and None not in users, f"the users of the decisions are {users!r}")
        events = "\n".join(one.value.decode() for one in stage.eyes.events(case))
        expect(stage.hands.staff.name("clerk", own) not in events, "an event has the name of the user")
    return case


async def _others_stay_outside(stage: Stage, case: PlayedCase, own: str, other: str) -> None:
    async with stage.step("For a clerk of another department the inquiry does not exist"):
        seen = await stage.hands.look(f"/cases/{case.inquiry_id}", "clerk", other)
        sent = await stage.hands.send(case, "accept", "clerk", other, part_id=case.part(1))
        statuses = (seen.status_code, sent.status_code)
        expect_same(statuses, (httpx.codes.NOT_FOUND, httpx.codes.NOT_FOUND), "the statuses")
        listed = (await stage.hands.look("/cases", "clerk", other)).json()["cases"]
        expect_same([one for one in listed if other not in one["departments"]], [], "foreign cases in the list")
    async with stage.step("The command of one user is unknown to another"):
        again = await stage.hands.send(case, "accept", "clerk", own, part_id=case.part(1))
        path = f"/commands/{again.json()['event_id']}"
        expect_same((await stage.hands.look(path, "clerk", other)).status_code, httpx.codes.NOT_FOUND, "the status")


async def _named_roles(stage: Stage, case: PlayedCase) -> None:
    async with stage.step("A refusal names the roles that would be allowed"):
        text = {"part_id": case.part(1), "text": stage.text("answer")}
        sentence = await stage.hands.forbidden(case, "erase", "coordinator", why="a test")
        expect("supervisor, operator" in sentence, f"the refusal says {sentence!r}")
        sentence = await stage.hands.forbidden(case, "contribute", "supervisor", **text)
        expect("clerk" in sentence, f"the refusal says {sentence!r}")
        users = await stage.hands.look("/users", "coordinator")
        expect(users.status_code == 403 and "operator" in problem(users), f"the list of users says {problem(users)!r}")
    async with stage.step("Without a token the desk says nothing"):
        answer = await stage.hands.http.get(f"{stage.eyes.urls.router}/cases/{case.inquiry_id}")
        expect_same(answer.status_code, httpx.codes.UNAUTHORIZED, "the status")


async def _as_a_resident(stage: Stage, own: str, other: str) -> None:
    async with stage.step("A clerk who is a resident too sees of another department what every resident sees"):
        case = await stage.write("clinic", [other], policy="users")
        await stage.inbox(case, other, "part.offered")
        await stage.hands.department(other, "part.accepted", {"part_id": case.part(1)})
        draft = {"part_id": case.part(1), "text": stage.text("draft"), "final": False}
        await stage.hands.department(other, "part.contributed", draft)
        await stage.ticket_in(case, "in-progress")
        expect(stage.text("draft") not in await stage.eyes.ticket_page(case), "the page shows a draft")
        seen = await stage.hands.look(f"/cases/{case.inquiry_id}", "clerk", own)
        expect_same(seen.status_code, httpx.codes.NOT_FOUND, "the status at the desk")
        final = {"part_id": case.part(1), "text": stage.text("opened")}
        await stage.hands.department(other, "part.contributed", final)
        await stage.ticket_in(case, "answered")


async def _disabled(stage: Stage, case: PlayedCase, own: str) -> None:
    async with stage.step("The token of a disabled user is worthless at once, and the audit of users says so"):
        staff, where = stage.hands.staff, f"{stage.eyes.urls.router}/cases/{case.inquiry_id}"
        header = await staff.token("approver", own)
        before = await stage.hands.http.get(where, headers=header)
        await staff.disable(staff.name("approver", own))
        after = await stage.hands.http.get(where, headers=header)
        expected = (httpx.codes.OK, httpx.codes.UNAUTHORIZED)
        expect_same((before.status_code, after.status_code), expected, "the statuses before and after")
        expect(await _audited(stage, staff.name("approver", own)), "the audit does not name the disabled user")


async def _audited(stage: Stage, name: str) -> bool:
    """Whether the audit of users says that this user was disabled."""
    after = None
    while True:
        page = (await stage.hands.look(f"/audit?limit=500{f'&after={after}' if after else ''}", "auditor")).json()
        if any((one["name"], one["what"]) == (name, "user-disabled") for one in page["entries"]):
            return True
        if (after := page["next"]) is None:
            return False


STORY = FullStory(11, "Users and roles", play, {"users": TERMS_OF_DAYS})
