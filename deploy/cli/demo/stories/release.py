"""Release: approval of one exact text, nothing visible before it, publication after a review, corrections told to everybody."""

import hashlib
from typing import Any

from deploy.cli.demo.expectations import expect, expect_same, soon
from deploy.cli.demo.eyes import PlayedCase
from deploy.cli.demo.stage import FullStory, Stage
from deploy.cli.demo.stories.terms_of_days import TERMS_OF_DAYS

PHONE = "13800138000"


async def play(stage: Stage) -> None:
    lead, helper = stage.department("environment"), stage.department("urban-management")
    case = await _waits(stage, lead, helper)
    await _one_exact_text(stage, case, lead)
    await _published(stage, case)
    await _corrected(stage, case, (lead, helper))
    await _hidden(stage, case)


async def _waits(stage: Stage, lead: str, helper: str) -> PlayedCase:
    async with stage.step(
        "Both shares are in, one from Kafka and one from a clerk at the desk; the reply waits for approval"
    ):
        case = await stage.write("piles", [lead, helper], policy="release", public=True)
        await stage.inbox(case, helper, "part.offered")
        await stage.confirm(case)
        await stage.hands.department(lead, "part.contributed", {"part_id": case.part(1), "text": stage.text("leads")})
        await stage.hands.command(case, "contribute", "clerk", helper, part_id=case.part(2), text=stage.text("helps"))
        await stage.ticket_in(case, "awaiting-release")
        await stage.inbox(case, lead, "reply.draft")
    async with stage.step("Nobody outside reads a word of it: page, ticket, hall, feed, mails and events"):
        expect_same((await stage.eyes.ticket(case))["reply"], None, "the reply of the ticket")
        places = await stage.eyes.all_public(case)
        found = [place for place, text in places.items() if stage.text("leads") in text or stage.text("helps") in text]
        expect_same(found, [], "places that show a word of the reply")
    return case


async def _waiting_reply(stage: Stage, case: PlayedCase, version: int) -> dict[str, Any]:
    """The reply, once this version of it waits for approval."""

    async def look() -> dict[str, Any] | None:
        reply = (await stage.hands.case(case, "approver"))["reply"]
        waits = reply and (reply["version"], reply["state"]) == (version, "awaiting-release")
        return dict(reply) if waits else None

    return await soon(look, f"version {version} of the reply does not wait for approval")


async def _one_exact_text(stage: Stage, case: PlayedCase, lead: str) -> None:
    async with stage.step("An author cannot approve: neither a clerk, nor a user of a department that wrote a share"):
        first = await _waiting_reply(stage, case, 1)
        sentence = await stage.hands.forbidden(
            case, "approve", "clerk", stage.department("urban-management"), text_hash=first["sha256"]
        )
        expect("approver" in sentence, f"the refusal {sentence!r} names no role")
        await stage.hands.refused(case, "approve", "approver", lead, text_hash=first["sha256"])
    async with stage.step("An edit of the lead makes a new version; the hash of the former one is refused"):
        await stage.hands.department(
            lead, "reply.edit", {"inquiry_id": case.inquiry_id, "opening": stage.text("opening")}
        )
        second = await _waiting_reply(stage, case, 2)
        await stage.hands.refused(case, "approve", "approver", text_hash=first["sha256"])
    async with stage.step("The approval of the exact text releases it: the resident gets it, by mail once"):
        await stage.hands.command(case, "approve", "approver", text_hash=second["sha256"])
        text = (await stage.ticket_in(case, "answered"))["reply"]["text"]
        expect_same(hashlib.sha256(text.encode()).hexdigest(), second["sha256"], "the hash of what the resident reads")
        await stage.told(case, "answered", stage.text("opening"), stage.text("leads"), stage.text("helps"))
        expect_same(len(stage.eyes.events(case, "inquiry.answered")), 1, "answers")


async def _waiting_version(stage: Stage, case: PlayedCase, word: str) -> dict[str, Any]:
    """The masked version with this word that waits for a reviewer."""

    async def look() -> dict[str, Any] | None:
        seen = await stage.eyes.publication(case)
        texts = str([one["text"] for one in seen["paragraphs"]]) if seen else ""
        return seen if seen and seen["state"] == "waiting" and word in texts else None

    return await soon(look, "no masked version waits for a review")


async def _published(stage: Stage, case: PlayedCase) -> None:
    async with stage.step(
        "The hall shows nothing before a person has read the masked version, which hides the telephone"
    ):
        version = await _waiting_version(stage, case, stage.text("leads"))
        expect(PHONE not in str(version) and version["found"], "the masked version shows the telephone number")
        expect_same(
            (await stage.eyes.hall_entry(case), await stage.eyes.feed_item(case)), (None, None), "hall and feed"
        )
    async with stage.step("Published by its hash, hall and feed show exactly that version"):
        await stage.hands.command(case, "publish", "coordinator", text_hash=version["sha256"])
        item = await _in_the_feed(stage, case, stage.text("leads"))
        entry = await stage.eyes.hall_entry(case) or ""
        for place, text in (("the hall", entry), ("the feed", item["content_text"])):
            expect(stage.text("leads") in text and stage.text("helps") in text, f"{place} lacks a share of the reply")
            expect(PHONE not in text, f"{place} shows the telephone number")


async def _in_the_feed(stage: Stage, case: PlayedCase, word: str) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        item = await stage.eyes.feed_item(case)
        return item if item and word in item["content_text"] else None

    return await soon(look, f"the feed does not show {word!r}")


async def _corrected(stage: Stage, case: PlayedCase, authors: tuple[str, str]) -> None:
    lead, _ = authors
    async with stage.step("A correction waits for its own approval; until then everybody reads the former text"):
        await stage.hands.department(lead, "part.corrected", {"part_id": case.part(1), "text": stage.text("corrected")})
        third = await _waiting_reply(stage, case, 3)
        places = await stage.eyes.all_public(case)
        expect_same(
            [place for place, text in places.items() if stage.text("corrected") in text],
            [],
            "places that show the correction",
        )
    async with stage.step(
        "Approved, the resident, both departments and the hall read it, with the former text beside it"
    ):
        await stage.hands.command(case, "approve", "approver", text_hash=third["sha256"])
        seen = await stage.ticket_where(case, lambda one: one["reply"].get("changes"), "the ticket shows no correction")
        change = seen["reply"]["changes"][0]
        expect_same((change["what"], change["text"]), ("corrected", stage.text("leads")), "the change")
        expect_same(seen["reply"]["paragraphs"][0]["text"], stage.text("corrected"), "the new text")
        await stage.told(case, "corrected", stage.text("corrected"))
        for code in authors:
            expect_same(
                (await stage.inbox(case, code, "reply.corrected")).data["text"],
                stage.text("corrected"),
                f"what {code} reads",
            )
        version = await _waiting_version(stage, case, stage.text("corrected"))
        await stage.hands.command(case, "publish", "coordinator", text_hash=version["sha256"])
        item = await _in_the_feed(stage, case, stage.text("corrected"))
        expect(f"\n{stage.text('leads')}" in item["content_text"], "the feed lacks the former text")
    async with stage.step("A retraction takes effect at once, and its reason is told"):
        words = {"part_id": case.part(2), "words": stage.text("retracted")}
        await stage.hands.command(case, "retract", "coordinator", **words)
        await stage.told(case, "retracted", stage.text("retracted"))
        await stage.inbox(case, lead, "reply.retracted")


async def _hidden(stage: Stage, case: PlayedCase) -> None:
    async with stage.step("Hidden with a reason, the entry leaves hall and feed"):
        await stage.hands.command(case, "hide", "coordinator", why=stage.text("hidden"))

        async def gone() -> bool:
            return await stage.eyes.hall_entry(case) is None and await stage.eyes.feed_item(case) is None

        await soon(gone, "the hall still shows the entry")
    async with stage.step("The audit trail says who approved, corrected and published which text"):
        audit = (await stage.hands.case(case))["audit"]
        types = [one["type"] for one in audit]
        wanted = (
            "reply.approved",
            "reply.released",
            "reply.corrected",
            "reply.retracted",
            "hall.published",
            "hall.hidden",
        )
        expect_same([one for one in wanted if one not in types], [], "missing lines of the audit trail")
        nameless = [one["type"] for one in audit if one["actor"]["kind"] == "staff" and one["user"] is None]
        expect_same(nameless, [], "acts of staff without a person")


STORY = FullStory(
    7, "Release, publication, correction", play, {"release": TERMS_OF_DAYS | {"release": {"approvers": 1}}}
)
