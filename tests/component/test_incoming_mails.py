"""Mails of residents on a real store: confirmed once stored, once each, and about a ticket only with a proof."""

import json
from datetime import timedelta
from typing import Any

import pytest
from dns.exception import Timeout

from services.intake.erasure import erase
from services.intake.mail.api import mail_routes
from services.intake.mail.mails import MailIntake
from services.intake.mail.sent_texts import MAILS
from services.intake.mail.signatures import SenderProof
from services.intake.submissions import Submissions
from services.intake.tickets import Tickets
from services.notifier.channels.message import MailWriter
from services.notifier.domain.addresses import MailKeys
from services.notifier.domain.notices import SUBJECTS
from shared.channels.reply_address import reply_address
from shared.http.identity import operators_only
from shared.kafka import topics
from shared.ledger.ledger import Ledger
from shared.runtime import metrics, timestamps
from shared.runtime.catalogue_texts import texts_used_in
from shared.runtime.settings import Settings
from shared.store.mongo import StoreUnavailable
from tests.asking import ASKING, asked
from tests.builders import CITY, Story, contributed, received, told
from tests.component.test_intake import BEARER, SECRET, TOKEN, Intake, intake, problem
from tests.endings import erased
from tests.fakes import header
from tests.incoming import BOX, RESIDENT, FakeDns, a_mail, signed
from tests.mailing import a_delivery, plain, thread_of

__all__ = ["intake"]
QUESTION = "请问是哪一段路？请写明路名和门牌号，以便工作人员尽快到场查看。"


class Post:
    """The mails of an intake."""

    def __init__(self, intake: Intake, settings: Settings, **more: Any) -> None:
        self.intake = intake
        given = {"mail_in": BOX, "public_url": "https://city.example", "hall_url": "https://hall.example"} | more
        self.settings = settings.model_copy(update=given)
        self.dns = FakeDns()
        submissions = Submissions(intake.ledger, intake.city, self.settings, SECRET)
        tickets = Tickets(intake.store, intake.ledger, self.settings, SECRET)
        proof = SenderProof(self.dns)
        self.mails = MailIntake(intake.store.mails, submissions, tickets, self.settings, SECRET, proof)

    async def take(self, content: Any, return_path: str = RESIDENT, to: str = BOX) -> str:
        content = content if isinstance(content, bytes) else content.as_bytes()
        return (await self.mails.take(content, return_path, [to])).outcome

    async def entries(self) -> list[tuple[str, dict[str, Any]]]:
        found = await self.intake.ledger.entries.find({}).sort("recorded_at", 1).to_list(None)
        return [(one["type"].removeprefix("chorus.inquiry."), json.loads(one.get("value", "null"))) for one in found]

    async def ticket(self) -> str:
        """A ticket that the resident wrote by mail, answered with a question."""
        assert await self.take(a_mail(Message_ID="<first@mail.example>")) == "inquiry"
        inquiry_id: str = (await self.entries())[-1][1]["inquiry_id"]
        await self.tell(told(received("路灯不亮"), asked("lighting", QUESTION), inquiry_id=inquiry_id, city=ASKING))
        return inquiry_id

    async def tell(self, story: Story) -> None:
        await self.intake.hear(story)

    def reply_to(self, inquiry_id: str) -> str:
        return reply_address(SECRET, BOX, inquiry_id)


@pytest.fixture
def post(intake: Intake, settings: Settings) -> Post:
    return Post(intake, settings)


# ── new messages ─────────────────────────────────────────────────────────────


async def test_a_mail_is_an_inquiry_with_its_sender_as_contact_and_the_original_is_kept(post: Post) -> None:
    content = a_mail().as_bytes()
    reply = await post.mails.take(content, RESIDENT, [BOX])
    assert reply.text.startswith("250 ")
    [(kind, value)] = await post.entries()
    assert (kind, value["channel"], value["language"], value["subject"]) == ("received", "email", "zh", "路灯不亮")
    assert value["body"] == "门口的路灯坏了三天。"
    assert value["contact"] == {"name": "陈测试", "phone": None, "email": RESIDENT}
    assert "refers_to" not in value
    [kept] = await post.intake.store.mails.of(value["inquiry_id"])
    assert (kept["raw"], "unassigned_since" in kept) == (content, False)
    [row] = await post.intake.publisher.until(1, topics.INPUTS)
    assert (header(row, "ce_id"), header(row, "ce_actor")) == (kept["event_id"], "resident")


async def test_the_same_mail_again_is_nothing_new_whatever_way_it_comes(post: Post) -> None:
    content = a_mail().as_bytes()
    assert await post.take(content) == "inquiry"
    assert await post.take(content) == "repeated"
    assert await post.take(b"Received: from relay.example\r\n" + content) == "repeated"
    assert await post.take(a_mail(Message_ID="<m2@mail.example>")) == "inquiry"
    assert await post.take(a_mail("别的")) == "inquiry", "a reused Message-ID is not enough"
    assert len(await post.entries()) == 3


@pytest.mark.parametrize("step", ["accept", "add", "assign"])
async def test_while_the_store_is_away_the_sender_keeps_the_mail(
    post: Post, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any) -> None:
        raise StoreUnavailable("away")

    of: Any = Ledger if step == "accept" else type(post.intake.store.mails)
    with monkeypatch.context() as broken:
        broken.setattr(of, step, away)
        reply = await post.mails.take(a_mail().as_bytes(), RESIDENT, [BOX])
    assert (reply.text[:4], reply.outcome) == ("451 ", "deferred")
    assert await post.take(a_mail()) == ("repeated" if step == "assign" else "inquiry")
    assert await post.take(a_mail()) == "repeated"
    [(_, value)] = await post.entries()
    assert len(await post.intake.store.mails.of(value["inquiry_id"])) == 1


@pytest.mark.parametrize(
    ("headers", "return_path"),
    [
        ({}, ""),
        ({"Auto_Submitted": "auto-replied"}, RESIDENT),
        ({"Precedence": "bulk"}, RESIDENT),
        ({"List_Id": "<all.city.example>"}, RESIDENT),
        ({"From": BOX}, RESIDENT),
        ({"From": f"City <{BOX.replace('@', '+x-y@')}>"}, RESIDENT),
        ({"X_Chorus_Event": "e1"}, RESIDENT),
    ],
    ids=str,
)
async def test_a_mail_that_no_person_wrote_makes_no_case_and_no_answer(
    post: Post, headers: dict[str, str], return_path: str
) -> None:
    counted = metrics.MAILS_RECEIVED.labels("ignored")
    before = counted._value.get()
    reply = await post.mails.take(a_mail(**headers).as_bytes(), return_path, [BOX])
    assert (reply.text[:4], reply.outcome, counted._value.get() - before) == ("250 ", "ignored", 1)
    assert await post.entries() == []
    assert await post.intake.store.mails.mails.count_documents({}) == 0


async def test_too_many_mails_of_one_return_path_come_later_and_others_at_once(
    intake: Intake, settings: Settings
) -> None:
    post = Post(intake, settings, mail_in_per_address_per_hour=2)
    for number in range(2):
        assert await post.take(a_mail(f"路灯 {number}")) == "inquiry"
    reply = await post.mails.take(a_mail("路灯 2").as_bytes(), RESIDENT.upper(), [BOX])
    assert (reply.text[:4], reply.outcome) == ("451 ", "limited")
    assert await post.take(a_mail("路灯 0")) == "repeated", "a repeat is not counted"
    assert await post.take(a_mail("路灯 3"), "other@mail.example") == "inquiry"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (a_mail("路" * 20_001).as_bytes(), "20001 characters"),
        (a_mail("\n", Subject="").as_bytes(), "no words"),
        (b"\r\n\r\n", "no words"),
    ],
)
async def test_a_mail_that_can_never_be_taken_is_refused_with_a_reason(post: Post, content: bytes, said: str) -> None:
    reply = await post.mails.take(content, RESIDENT, [BOX])
    assert (reply.text[:4], said in reply.text, "\n" in reply.text) == ("554 ", True, False)
    assert await post.entries() == []


async def test_a_mail_without_a_usable_sender_is_registered_for_its_return_path(post: Post) -> None:
    assert await post.take(a_mail(From="nobody"), "back@mail.example") == "inquiry"
    [(_, value)] = await post.entries()
    assert value["contact"]["email"] == "back@mail.example"


# ── replies ──────────────────────────────────────────────────────────────────


async def test_a_reply_to_our_address_is_an_addition_without_what_it_quotes(post: Post) -> None:
    ticket = await post.ticket()
    [update] = [one for one in await post.intake.store.updates(ticket) if one.what == "asked"]
    ours = the_mail_about(ticket, update.text, post.settings)
    assert QUESTION in ours
    quoted = "\n".join(f"> {line}".rstrip() for line in ours.splitlines())
    text = f"东段，十二号。\n\n在 2026年11月22日，城市 <{BOX}> 写道：\n{quoted}\n\n另外，井盖也坏了。"
    mail = a_mail(text, From="other@mail.example", To=post.reply_to(ticket).upper(), Message_ID="<r1@mail.example>")
    assert await post.take(mail, "other@mail.example") == "addition"
    [_, (kind, value)] = await post.entries()
    assert (kind, value["inquiry_id"]) == ("added", ticket)
    assert value["text"] == "东段，十二号。\n\n另外，井盖也坏了。"
    assert len(await post.intake.store.mails.of(ticket)) == 2
    assert post.dns.asked == [], "the address is proof enough"
    assert await post.take(mail, "other@mail.example") == "repeated"


def the_mail_about(ticket: str, text: str, settings: Settings) -> str:
    """The plain text of the mail with the question, as the notifier writes it."""
    keys = MailKeys.of(SECRET)
    delivery = a_delivery(what="asked", text=text, inquiry_id=ticket, subject="路灯不亮")
    made = MailWriter(settings, SECRET, keys).to_resident(
        thread_of(delivery.notice), [delivery], CITY, True, "路灯不亮"
    )
    return plain(made)


async def test_the_token_counts_in_the_envelope_too(post: Post) -> None:
    ticket = await post.ticket()
    assert await post.take(a_mail("东段。"), to=post.reply_to(ticket)) == "addition"


async def test_a_reply_of_quotations_only_adds_nothing(post: Post) -> None:
    ticket = await post.ticket()
    quoted = "\n".join(f"> {line}" for line in QUESTION.splitlines())
    assert await post.take(a_mail(quoted, To=post.reply_to(ticket))) == "ignored"
    assert len(await post.entries()) == 1


@pytest.mark.parametrize("how", ["in the subject", "in the thread"])
async def test_the_residents_address_with_a_signature_of_its_domain_is_a_proof(post: Post, how: str) -> None:
    ticket = await post.ticket()
    named = (
        {"Subject": f"Re: [{ticket}] 路灯"} if how == "in the subject" else {"References": f"<{ticket}@city.example>"}
    )
    assert await post.take(signed(a_mail("东段。", From=RESIDENT.upper(), **named))) == "addition"
    assert post.dns.asked == ["s1._domainkey.mail.example."]


def forgeries(ticket: str) -> dict[str, bytes]:
    """Mails that name a ticket, and do not prove that its resident wrote them."""
    about = {"Subject": f"Re: [{ticket}] 路灯"}
    good = signed(a_mail("东段。", **about))
    return {
        "unsigned": a_mail("东段。", **about).as_bytes(),
        "another resident": signed(a_mail("东段。", From="evil@mail.example", **about)),
        "another domain": signed(a_mail("东段。", **about), "evil.example"),
        "a parent domain": signed(a_mail("东段。", From=f"x@sub.{RESIDENT.partition('@')[2]}", **about)),
        "changed text": good.replace(b"\r\n\r\n", b"\r\n\r\neA==\r\n", 1),
        "a second sender": b"From: evil@evil.example\r\n" + good,
        "text below the signed length": signed(a_mail("东段。", **about), length=True),
        "garbage": b"DKIM-Signature: v=1; a=rsa-sha256; d=mail.example; s=; bh=%; b=\xff\r\n"
        + a_mail(**about).as_bytes(),
    }


@pytest.mark.parametrize("name", forgeries("20261122-00000000"))
async def test_a_forged_reply_goes_to_triage_and_tells_nothing(post: Post, name: str) -> None:
    ticket = await post.ticket()
    reply = await post.mails.take(forgeries(ticket)[name], "evil@evil.example", [BOX])
    assert (reply.text, reply.outcome) == ("250 2.0.0 Kept", "triage")
    [_, (kind, value)] = await post.entries()
    assert (kind, value["refers_to"], value["inquiry_id"] != ticket) == ("received", ticket, True)
    shown = json.dumps({**value, "refers_to": "", "subject": ""}, ensure_ascii=False)
    assert (ticket in shown, QUESTION in shown) == (False, False)
    story = told(received("路灯", refers_to=ticket))
    assert (story.case.status, story.case.parts) == ("triage", {})
    said = [one.value.decode() for one in story.messages if one.topic == topics.RESIDENTS]
    assert not [one for one in said if ticket in one]


async def test_dns_that_does_not_answer_and_a_ticket_that_does_not_exist_prove_nothing(post: Post) -> None:
    ticket = await post.ticket()
    post.dns.error = Timeout()  # type: ignore[no-untyped-call]
    assert await post.take(signed(a_mail("东段。", Subject=f"[{ticket}]"))) == "triage"
    post.dns.error = None
    asked = len(post.dns.asked)
    assert await post.take(signed(a_mail("西段。", Subject="[20261122-00000000]"))) == "triage"
    assert len(post.dns.asked) == asked + 1, "the signature is checked before the ticket is looked up"


async def test_a_reply_to_a_ticket_that_takes_none_is_a_message_that_names_it(post: Post) -> None:
    ticket = await post.ticket()
    assert await post.take(a_mail("路" * 5_001), to=post.reply_to(ticket)) == "triage"
    await post.tell(told(received("路灯不亮"), contributed("lighting", "亮了"), inquiry_id=ticket))
    assert await post.take(a_mail("没有亮。"), to=post.reply_to(ticket)) == "triage"
    assert [value.get("refers_to") for _, value in await post.entries()] == [None, ticket, ticket]


# ── what staff may read, and erasure ─────────────────────────────────────────


async def test_operators_read_the_original_and_nobody_else_does(post: Post) -> None:
    ticket, http = await post.ticket(), post.intake.http
    app: Any = http._transport
    app.app.include_router(mail_routes(post.intake.store.mails, operators_only(TOKEN)))
    problem(await http.get(f"/inquiries/{ticket}/mails"), 401)
    [shown] = (await http.get(f"/inquiries/{ticket}/mails", headers=BEARER)).json()["mails"]
    raw = await http.get(f"/inquiries/{ticket}/mails/{shown['event_id']}", headers=BEARER)
    assert (raw.headers["content-type"], len(raw.content)) == ("message/rfc822", shown["size"])
    problem(await http.get(f"/inquiries/{ticket}/mails/other", headers=BEARER), 404)
    problem(await http.get(f"/inquiries/20261122-00000000/mails/{shown['event_id']}", headers=BEARER), 404)


async def test_an_erasure_takes_the_originals_and_a_late_reply_becomes_a_message(post: Post) -> None:
    ticket = await post.ticket()
    assert await post.take(a_mail("东段。"), to=post.reply_to(ticket)) == "addition"
    await post.tell(told(received("路灯不亮"), erased(), inquiry_id=ticket))
    await erase(post.intake.store, post.intake.ledger, ticket, 9)
    stored = await post.intake.store.mails.mails.find({}).to_list(None)
    assert stored == []
    assert await post.take(a_mail("还在吗？"), to=post.reply_to(ticket)) == "triage"


async def test_a_mail_whose_entry_was_never_stored_is_forgotten_after_two_days(post: Post) -> None:
    store, now = post.intake.store.mails, timestamps.now()
    await store.add("orphan", b"raw", [], now - timedelta(days=2))
    await store.add("young", b"raw", [], now - timedelta(days=1))
    assert await post.take(a_mail()) == "inquiry"
    await store.forget_unassigned(now)
    kept = await store.mails.find({}, ["_id"]).to_list(None)
    assert ("orphan" in [one["_id"] for one in kept], len(kept)) == (False, 2)


def test_every_news_of_a_mail_has_its_heading_among_what_was_sent() -> None:
    """The headings are found by the place where the catalogue uses them."""
    assert set(SUBJECTS.values()) <= set(texts_used_in(MAILS, "en"))
