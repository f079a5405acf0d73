"""Ends and privacy: refused with another place to turn to, withdrawn, confidential, linked in silence, erased for good."""

import json

from deploy.cli.demo.expectations import expect, expect_same, soon
from deploy.cli.demo.eyes import PlayedCase
from deploy.cli.demo.stage import FullStory, Stage
from deploy.cli.demo.stories.terms_of_days import TERMS_OF_DAYS
from deploy.cli.demo.topic_watch import problems_of_chain

PHONE = "13700137000"


async def play(stage: Stage) -> None:
    code = stage.department("civil-affairs")
    await _refused(stage, code)
    await _withdrawn(stage, code)
    case = await _confidential(stage, code)
    await _linked(stage, case, code)
    await _erased(stage, case, code)


async def _refused(stage: Stage, code: str) -> None:
    async with stage.step("What is no matter of the city is refused with the reason, and with where to turn instead"):
        case = await stage.write("contract", [code], policy="private")
        case.answers = False
        await stage.inbox(case, code, "part.offered")
        await stage.confirm(case)
        words = {"reason": "legal-proceedings", "words": stage.text("proceedings"), "instead": stage.text("instead")}
        await stage.hands.command(case, "refuse", "coordinator", **words)
        seen = await stage.ticket_in(case, "refused")
        expect(
            any(stage.text("instead") in one["text"] for one in seen["timeline"]),
            "the ticket does not say where to turn",
        )
        await stage.told(case, "refused", words["words"], stage.text("instead"))
        await stage.inbox(case, code, "part.withdrawn")


async def _withdrawn(stage: Stage, code: str) -> None:
    async with stage.step("The resident withdraws a message; the department reads why, and can do nothing more"):
        case = await stage.write("noise", [code], policy="private")
        case.answers = False
        await stage.inbox(case, code, "part.offered")
        answer = await stage.hands.as_resident(case, "withdrawal", {"why": stage.text("settled")})
        expect_same(answer.status_code, 202, "the status of the withdrawal")
        await stage.ticket_in(case, "withdrawn")
        why = (await stage.inbox(case, code, "part.withdrawn")).data["why"]
        expect(stage.text("settled") in why, f"the department reads {why!r}")
        late = await stage.hands.department(
            code, "part.contributed", {"part_id": case.part(1), "text": stage.text("answer")}
        )
        await stage.refused(case, code, late)


async def _confidential(stage: Stage, code: str) -> PlayedCase:
    async with stage.step("A confidential message reaches the department without name and contact, and never the hall"):
        case = await stage.write(
            "clinic",
            [code],
            policy="private",
            confidential=True,
            public=True,
            contact={"name": stage.text("name"), "phone": PHONE},
        )
        await stage.inbox(case, code, "part.offered")
        await stage.hands.department(code, "part.contributed", {"part_id": case.part(1), "text": stage.text("answer")})
        await stage.ticket_in(case, "answered")
        read = "\n".join(one.value.decode() for one in stage.eyes.inbox(case, code))
        seen = json.dumps(await stage.hands.case(case, "clerk", code), ensure_ascii=False)
        for place, text in (("the inbox", read), ("the desk of the department", seen)):
            found = [one for one in (stage.text("name"), PHONE, case.email or "") if one in text]
            expect_same(found, [], f"what {place} shows of the contact")
        expect_same((await stage.eyes.publication(case), await stage.eyes.hall_entry(case)), (None, None), "hall")
    return case


async def _linked(stage: Stage, earlier: PlayedCase, code: str) -> None:
    async with stage.step(
        "The same message again: the desk is offered a link; the resident learns nothing of the other"
    ):
        case = await stage.write(
            "clinic_again",
            [code],
            policy="private",
            contact={"phone": PHONE},
        )
        await stage.inbox(case, code, "part.offered")
        path = f"/cases/{case.inquiry_id}/resubmissions"

        async def offered() -> bool:
            likely = (await stage.hands.look(path, "coordinator")).json()["likely"]
            return earlier.inquiry_id in [one["inquiry_id"] for one in likely]

        await soon(offered, "the desk is not offered the earlier inquiry")
        await stage.hands.command(case, "link", "coordinator", linked_to=earlier.inquiry_id)
        expect_same((await stage.hands.case(case))["links"], [earlier.inquiry_id], "the link")
        await stage.hands.department(code, "part.contributed", {"part_id": case.part(1), "text": stage.text("answer")})
        await stage.ticket_in(case, "answered")
        texts = [*(await stage.eyes.all_public(case)).values()]
        texts.remove("\n".join(one.value.decode() for one in stage.eyes.events(case)))
        texts += [one.value.decode() for one in stage.eyes.inbox(case, code)]
        expect(not any(earlier.inquiry_id in one for one in texts), "the number of the other inquiry is shown")


async def _erased(stage: Stage, case: PlayedCase, code: str) -> None:
    async with stage.step("A supervisor erases it; ticket, desk and departments keep no word, and take no more"):
        await stage.hands.command(case, "erase", "supervisor", why="the resident asked for it")
        seen = await stage.ticket_in(case, "erased")
        expect(seen.get("erasure"), "the ticket does not say when the last copies are gone")
        await soon(lambda: _is_wordless(stage, case), "the ticket, its page or the desk still has a word of it")
        await stage.inbox(case, code, "part.erased")
        late = await stage.hands.department(
            code, "part.corrected", {"part_id": case.part(1), "text": stage.text("answer")}
        )
        await stage.refused(case, code, late)
    async with stage.step("The chain of its events still verifies with SHA-256 alone"):
        erased = await stage.event(case, "inquiry.erased")
        events = stage.eyes.events(case)
        expect_same(problems_of_chain(events), [], "the chain")
        expect_same(events[-1].id, erased.id, "the last event")


async def _is_wordless(stage: Stage, case: PlayedCase) -> bool:
    """Whether ticket, page and desk have no word. Each service erases when it reads of the erasure."""
    shown = (
        json.dumps(await stage.eyes.ticket(case), ensure_ascii=False),
        await stage.eyes.ticket_page(case),
        json.dumps(await stage.hands.case(case), ensure_ascii=False),
    )
    words = (stage.text("secret"), stage.text("name"), PHONE, stage.text("answer"), case.email or "")
    return not any(word in text for word in words for text in shown)


STORY = FullStory(9, "Refusal, withdrawal, privacy, erasure", play, {"private": TERMS_OF_DAYS})
