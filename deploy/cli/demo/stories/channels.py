"""Channels: a call that staff enter, mails by SMTP, answers that go back the way the message came, a forgery in vain.

No policy of the run applies to them: the channels of these messages are `hotline` and `email`, so the city's own do.
"""

import re
from collections.abc import Mapping
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formataddr
from typing import Any
from uuid import uuid4

import httpx

from deploy.cli.console import problem
from deploy.cli.demo.account import DemoMail
from deploy.cli.demo.expectations import expect, expect_same, soon
from deploy.cli.demo.eyes import PlayedCase
from deploy.cli.demo.hands import done
from deploy.cli.demo.stage import FullStory, Stage
from deploy.cli.demo.stories.terms_of_days import TERMS_OF_DAYS

TICKET_LINK = re.compile(r"https?://\S+/status\?ticket=([^&\s]+)&code=([0-9A-Z]+)")
RELEASED = ("answered", "awaiting-release")
APPROVALS_MAX = 2


async def play(stage: Stage) -> None:
    code = stage.department("water")
    call = await _entered(stage, code)
    mailbox = await _mailbox(stage, call)
    await _automatic(stage, mailbox)
    case = await _by_mail(stage, mailbox, code)
    await _replied(stage, case)
    await _answered(stage, case)
    await _forged(stage, case)
    await _nothing_automatic(stage)


async def _entered(stage: Stage, code: str) -> PlayedCase:
    async with stage.step(
        "A call is entered at the desk: the caller gets number and code; only the desk knows who typed"
    ):
        message, email = stage.message("call"), stage.address()
        body = {
            "subject": message.subject,
            "body": message.body,
            "channel": "hotline",
            "departments": [code],
            "contact": {"name": stage.text("resident"), "email": email},
            "language": message.language,
        }
        desk, staff = f"{stage.eyes.urls.router}/inquiries", stage.hands.staff
        denied = await stage.hands.http.post(desk, json=body, headers=await staff.token("supervisor"))
        expect_same(denied.status_code, httpx.codes.FORBIDDEN, "the status for a supervisor")
        expect("coordinator" in problem(denied), f"the refusal {problem(denied)!r} names no role")
        key = {**await staff.token("coordinator"), "Idempotency-Key": str(uuid4())}
        receipt, again = [done(await stage.hands.http.post(desk, json=body, headers=key)).json() for _ in range(2)]
        expect_same(again, receipt, "the answer to the same request again")
        case = stage.played(message, receipt["inquiry_id"], receipt["query_code"], email)
        offered = await stage.inbox(case, code, "part.offered")
        expect_same(offered.data["channel"], "hotline", "the channel that the department reads")
        name = staff.name("coordinator")
        expect_same((await stage.hands.case(case))["inquiry"]["entered_by"], name, "who entered it, at the desk")
        found = [where for where, text in (await stage.eyes.all_public(case)).items() if name in text]
        expect_same(found, [], "places that name the user")
    async with stage.step("The caller reads the answer with number and code"):
        await _contributed(stage, case, "fixed")
        seen = await stage.ticket_in(case, "answered")
        expect(stage.text("fixed") in seen["reply"]["text"], "the ticket lacks the answer")
    return case


async def _contributed(stage: Stage, case: PlayedCase, words: str) -> None:
    """Every department of the case answers; the answer is released, by approvers if the city's policy wants them."""
    parts = (await stage.hands.case(case))["parts"]
    for one in parts:
        answer = {"part_id": one["part_id"], "text": stage.text(words)}
        await stage.hands.department(one["department"], "part.contributed", answer)
    await stage.ticket_in(case, *RELEASED)
    authors = [one["department"] for one in parts]
    approvers = [None, *(code for code in stage.town.names if code not in authors)][:APPROVALS_MAX]
    for approver in approvers:
        if (await stage.eyes.ticket(case))["state"] == "answered":
            return
        reply = (await stage.hands.case(case, "approver", approver))["reply"]
        await stage.hands.command(case, "approve", "approver", approver, text_hash=reply["sha256"])


async def _news(stage: Stage, email: str, what: str) -> DemoMail:
    """The first mail to this address with this news."""

    async def look() -> list[DemoMail]:
        return [one for one in stage.eyes.mails.to(email) if what in one.what]

    return (await soon(look, f"no mail to {email} says {what}"))[0]


async def _mailbox(stage: Stage, call: PlayedCase) -> str:
    async with stage.step("Each mail has an address for replies, of its own ticket"):
        reply_to = (await _news(stage, call.email or "", "registered")).reply_to
        found = re.fullmatch(r"([^+@\s]+)\+([^@\s]+)@(\S+)", reply_to)
        expect(found, f"the mail has the Reply-To {reply_to!r}")
        name, tag, domain = found.groups() if found else ("", "", "")
        expect(tag.startswith(call.inquiry_id.lower()), f"the address {reply_to!r} does not name the ticket")
    return f"{name}@{domain}"


def _mail(stage: Stage, sender: str, to: str, subject: str, text: str, **headers: str) -> EmailMessage:
    made = EmailMessage(SMTP)
    given = {
        "From": formataddr((stage.text("resident"), sender)),
        "To": to,
        "Subject": subject,
        "Message-ID": f"<{uuid4()}@mail.example>",
    }
    for name, value in {**given, **headers}.items():
        made[name] = value
    made.set_content(text)
    return made


def _automatic_address(stage: Stage) -> str:
    return f"demo-{stage.run}-10-automatic@mail.example"


async def _automatic(stage: Stage, mailbox: str) -> None:
    async with stage.step("An automatic mail, and one with an empty return path, are taken without an error"):
        message, address = stage.message("automatic"), _automatic_address(stage)
        marked: Mapping[str, str] = {"Auto-Submitted": "auto-replied"}
        automatic = _mail(stage, address, mailbox, message.subject, message.body, **marked)
        await stage.hands.mail(automatic, address)
        await stage.hands.mail(_mail(stage, address, mailbox, message.subject, message.body), "<>")


async def _by_mail(stage: Stage, mailbox: str, code: str) -> PlayedCase:
    async with stage.step("A mail becomes an inquiry, once even if it comes twice; the writer gets number and link"):
        message, email = stage.message("mail"), stage.address()
        sent = _mail(stage, email, mailbox, message.subject, message.body)
        await stage.hands.mail(sent, email)
        await stage.hands.mail(sent, email)
        case = await _registered(stage, "mail", email)
        await stage.confirm(case)
        await stage.settle()
        registered = [one for one in stage.eyes.mails.to(email) if "registered" in one.what]
        expect_same(len(registered), 1, "mails about a registration")
        await _assigned(stage, case, code)
        seen = (await stage.hands.case(case))["inquiry"]
        expect_same((seen["channel"], seen["body"].strip()), ("email", message.body), "the channel and the text")
    return case


async def _registered(stage: Stage, name: str, email: str) -> PlayedCase:
    """The inquiry that a mail from this address has become, with the number and the code in the mail about it."""
    text = (await _news(stage, email, "registered")).text
    found = TICKET_LINK.search(text)
    expect(found, "the mail about the registration has no link to the ticket")
    inquiry_id, query_code = found.groups() if found else ("", "")
    return stage.played(stage.message(name), inquiry_id, query_code, email)


async def _assigned(stage: Stage, case: PlayedCase, code: str) -> None:
    """Wait until it is assigned by the city's rules; without a rule for it, a coordinator assigns it to this department."""
    seen = await stage.ticket_where(case, lambda one: one["state"] != "registered", "nobody has the message")
    if seen["state"] == "triage":
        await stage.hands.command(case, "assign", "coordinator", lead=code)
    await stage.event(case, "part.offered")


async def _replied(stage: Stage, case: PlayedCase) -> None:
    async with stage.step(
        "The department's word comes as a mail; a reply to it is an addition, without what it quotes"
    ):
        part = (await stage.hands.case(case))["parts"][0]
        word = {"part_id": part["part_id"], "text": stage.text("interim")}
        await stage.hands.department(part["department"], "part.replied", word)
        mail = await stage.told(case, "replied", stage.text("interim"))
        quoted = "\n".join(f"> {line}" for line in mail.text.splitlines())
        text = f"{stage.text('more')}\n\n{quoted}\n"
        threaded: Mapping[str, str] = {"In-Reply-To": mail.message_id}
        reply = _mail(stage, case.email or "", mail.reply_to, f"Re: {case.subject}", text, **threaded)
        await stage.hands.mail(reply, case.email or "")
        added = await stage.inbox(case, part["department"], "part.added")
        expect_same(added.data["text"], stage.text("more"), "the addition")


async def _answered(stage: Stage, case: PlayedCase) -> None:
    async with stage.step("The answer comes as a mail, once"):
        await _contributed(stage, case, "answer")
        await stage.ticket_in(case, "answered")
        await stage.told(case, "answered", stage.text("answer"))


async def _forged(stage: Stage, case: PlayedCase) -> None:
    async with stage.step("A reply with a guessed address goes to triage; its writer learns nothing of the ticket"):
        message, stranger = stage.message("forged"), stage.address()
        right = (await _news(stage, case.email or "", "answered")).reply_to
        guessed = re.sub(r"[0-9a-f]{20}@", f"{'0' * 20}@", right)
        expect(guessed != right, f"the address {right!r} has no proof that could be guessed")
        subject = f"Re: [{case.inquiry_id}] {message.subject}"
        await stage.hands.mail(_mail(stage, stranger, guessed, subject, message.body), stranger)
        forged = await _registered(stage, "forged", stranger)
        forged.answers = False
        expect(forged.inquiry_id != case.inquiry_id, "the stranger has got the ticket of the resident")
        triaged = await stage.event(forged, "inquiry.triaged")
        expect_same(triaged.data["reason"], "another-ticket", "why it is in triage")
        await stage.confirm(forged)
        why = {"reason": "no-clear-request", "words": stage.text("why"), "instead": stage.text("instead")}
        await stage.hands.command(forged, "refuse", "coordinator", **why)
        await stage.told(forged, "refused", stage.text("instead"))
        words = [stage.text(name) for name in ("interim", "more", "answer")]
        secrets = (case.code, case.email or "", stage.message("mail").body, *words)
        seen = {
            **await stage.eyes.all_public(forged),
            "the ticket of the stranger": str(await stage.eyes.ticket(forged)),
        }
        # Hall and feed show what everybody may read.
        own = {where: text for where, text in seen.items() if where not in ("the hall", "the feed")}
        found = [(where, one) for where, text in own.items() for one in secrets if one in text]
        expect_same(found, [], "what the stranger reads of the resident's ticket")
        additions: list[Mapping[str, Any]] = (await stage.hands.case(case))["additions"]
        expect_same([one["text"] for one in additions], [stage.text("more")], "the additions of the resident's ticket")


async def _nothing_automatic(stage: Stage) -> None:
    async with stage.step("The automatic mails have made no case and no answer"):
        expect_same(stage.eyes.mails.to(_automatic_address(stage)), [], "mails to the automatic sender")
        listed = done(await stage.hands.look("/cases?limit=500", "auditor")).json()["cases"]
        subjects = [one["subject"] for one in listed]
        expect(stage.message("mail").subject in subjects, "the list of cases lacks the mail of the resident")
        expect(stage.message("automatic").subject not in subjects, "an automatic mail has made a case")


STORY = FullStory(10, "Channels", play, {"channels": TERMS_OF_DAYS})
