"""The notifier on a real store and real mail servers: each notice is mailed once; the hall shows the newest round."""

import asyncio
import email
import email.policy
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import pytest
from aiosmtpd.smtp import SMTP
from fastapi import FastAPI

from deploy.local.ports import Ports
from services.notifier import api, pages
from services.notifier.channels import email as email_channel
from services.notifier.channels.email import MailDelivery
from services.notifier.domain.deliveries import Delivery
from services.notifier.domain.hall import HallEntry, UnmaskedEntry
from services.notifier.domain.notices import Notice
from services.notifier.hall_masking import HallMasking
from services.notifier.handlers import Notices, read
from services.notifier.responses import DeliveryShown, FeedItem
from services.notifier.store import LEASE_S, NotifierStore
from services.notifier.views import HERE as HALL
from shared.city import City
from shared.contracts.resident_messages import Paragraph, Reply
from shared.events.case_events import PartOfferedEvent
from shared.http import problems
from shared.kafka import topics
from shared.kafka.failures import DependencyUnavailable
from shared.masking.case import CaseTexts, Masked
from shared.masking.worker import MaskingUnavailable
from shared.runtime import metrics, timestamps
from shared.runtime.settings import Settings
from shared.service.city_feed import CityFeed
from shared.service.event_decoders import CoreMessage, Event, ResidentMessage
from shared.store.mongo import Database, Document
from shared.web.error_pages import error_pages
from tests.backing import Backing
from tests.builders import CITY, INQUIRY, WRITER, Story, a_record, contributed, received, record_of, told
from tests.component.conftest import in_background
from tests.fakes import MaskerInProcess

pytestmark = pytest.mark.both_clients

STORY = told(received("路灯不亮", "三号楼", contact=WRITER, public=True), contributed("lighting", "亮了"))


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(email_channel, "FIRST_PAUSE_S", 0.02)
    monkeypatch.setattr(email_channel, "LOOK_EVERY_S", 0.02)


@pytest.fixture
async def store(database: Database) -> NotifierStore:
    one = NotifierStore(database)
    await one.prepare()
    return one


def knowing(revision: City) -> CityFeed[City]:
    city: CityFeed[City] = CityFeed(lambda revision: revision)
    city.use(revision)
    return city


async def up_to_date() -> bool:
    return False


@pytest.fixture
def notices(store: NotifierStore, settings: Settings) -> Notices:
    city = knowing(CITY)
    return Notices(store, city, up_to_date, settings)


@pytest.fixture
def masking(store: NotifierStore) -> HallMasking:
    return HallMasking(store, knowing(CITY), MaskerInProcess())


def heard(story: Story) -> list[CoreMessage]:
    rows = [record_of(one, n) for n, one in enumerate(story.messages) if ".inbox" not in one.topic[:-6]]
    return [one for one in map(read, rows) if one]


async def deliveries(store: NotifierStore) -> dict[str, Document]:
    return {one["_id"]: one async for one in store.deliveries.find({})}


async def until(store: NotifierStore, **states: str) -> dict[str, Document]:
    """Wait until the deliveries have these states."""
    async with asyncio.timeout(10):
        while True:
            found = await deliveries(store)
            if all(found[one]["state"] == state for one, state in states.items()):
                return found


def notice(id_: str, to: str = "writer@mail.example", subject: str = "路灯", text: str = "亮了 💡") -> Notice:
    return Notice(id_, "resident", INQUIRY, to, subject, text, "zh")


# ── notices ──────────────────────────────────────────────────────────────────


async def test_notices_create_one_delivery_each_and_repeats_none(notices: Notices, store: NotifierStore) -> None:
    batch = heard(STORY)
    await notices.take(batch)
    first = await deliveries(store)
    assert sorted(one["kind"] for one in first.values()) == ["department", "resident", "resident", "resident"]
    assert {one["to"] for one in first.values()} == {WRITER.email, "desk@lighting.example"}
    await notices.take(batch)
    await notices.take(list(reversed(batch)))
    assert await deliveries(store) == first


async def test_a_department_without_an_address_gets_no_mail(store: NotifierStore, settings: Settings) -> None:
    silent = CITY.model_copy(
        update={"departments": tuple(one.model_copy(update={"email": None}) for one in CITY.departments)}
    )
    city = knowing(silent)
    await Notices(store, city, up_to_date, settings).take(heard(STORY))
    assert {one["kind"] for one in (await deliveries(store)).values()} == {"resident"}


async def test_a_batch_waits_until_a_city_is_known(store: NotifierStore, settings: Settings) -> None:
    with pytest.raises(DependencyUnavailable):
        await Notices(store, CityFeed(lambda revision: revision), up_to_date, settings).take(heard(STORY))
    assert await deliveries(store) == {}


def without_lighting() -> City:
    others = tuple(one for one in CITY.departments if one.code != "lighting")
    return CITY.model_copy(update={"departments": others, "rules": (), "revision": 1})


async def test_an_offer_to_an_unknown_department_waits_for_the_next_revision(
    store: NotifierStore, settings: Settings
) -> None:
    city = knowing(without_lighting())

    async def behind() -> bool:
        return city.current().revision < 2

    notices = Notices(store, city, behind, settings)
    with pytest.raises(DependencyUnavailable):
        await notices.take(heard(STORY))
    city.use(CITY.model_copy(update={"revision": 2}))
    await notices.take(heard(STORY))
    assert "department" in {one["kind"] for one in (await deliveries(store)).values()}


async def test_a_revision_that_arrives_during_the_lookup_is_used(store: NotifierStore, settings: Settings) -> None:
    city = knowing(without_lighting())

    async def just_read() -> bool:
        city.use(CITY.model_copy(update={"revision": 2}))
        return False

    await Notices(store, city, just_read, settings).take(heard(STORY))
    assert "department" in {one["kind"] for one in (await deliveries(store)).values()}


async def test_an_offer_to_a_department_in_no_revision_does_not_block(notices: Notices, store: NotifierStore) -> None:
    strangers = [
        replace(one, body=replace(one.body, department="nobody"))
        if isinstance(one, Event) and isinstance(one.body, PartOfferedEvent)
        else one
        for one in heard(STORY)
    ]
    await notices.take(strangers)
    assert {one["kind"] for one in (await deliveries(store)).values()} == {"resident"}


def test_events_without_notices_are_skipped() -> None:
    events = [record_of(one) for one in STORY.messages if one.topic == topics.EVENTS]
    assert [one.type for one in map(read, events) if isinstance(one, Event)] == ["chorus.part.offered"]
    later = a_record(b"{}", dict(events[0].headers, ce_type=b"chorus.x").items(), topic=topics.RESIDENTS)
    assert read(later) is None


# ── the hall ─────────────────────────────────────────────────────────────────


def hall_entry(inquiry_id: str, at: str) -> HallEntry:
    return HallEntry(inquiry_id, 1, 1, at, "zh", "路灯", "不亮", ())


def round_two(one: ResidentMessage) -> ResidentMessage:
    reply = Reply(text="再修好了", paragraphs=(Paragraph(department="roads", name="道路处", text="再修好了"),))
    case = one.told.case.model_copy(update={"round": 2, "reply": reply})
    return replace(one, id="round-2", n=one.n + 5, told=one.told.model_copy(update={"case": case}))


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (0, 1, 0), (1, 0, 1)])
async def test_the_hall_shows_the_newest_round_in_any_order_of_arrival(
    notices: Notices, masking: HallMasking, store: NotifierStore, order: tuple[int, ...]
) -> None:
    [answer] = [one for one in heard(STORY) if isinstance(one, ResidentMessage) and one.told.what == "answered"]
    rounds = (answer, round_two(answer))
    for number in order:
        await notices.take([rounds[number]])
        await masking.mask_waiting()
    [entry] = await store.hall_page(None, 10)
    assert (entry.inquiry_id, entry.round, entry.paragraphs[0].text) == (INQUIRY, 2, "再修好了")
    assert "writer@mail.example" not in str(entry)


async def test_of_two_rounds_in_one_batch_the_newer_is_shown(
    notices: Notices, masking: HallMasking, store: NotifierStore
) -> None:
    [answer] = [one for one in heard(STORY) if isinstance(one, ResidentMessage) and one.told.what == "answered"]
    await notices.take([answer, round_two(answer)])
    await masking.mask_waiting()
    assert [one.round for one in await store.hall_page(None, 10)] == [2]


class Dying:
    """A masker whose process dies a few times."""

    def __init__(self, deaths: int) -> None:
        self.deaths = deaths

    async def mask(self, case: CaseTexts) -> Masked:
        if self.deaths:
            self.deaths -= 1
            raise MaskingUnavailable("The process that masks died.")
        return await MaskerInProcess().mask(case)


async def test_an_answer_waits_unmasked_and_is_seen_by_nobody_until_it_is_masked(
    notices: Notices, masking: HallMasking, store: NotifierStore
) -> None:
    await notices.take(heard(told(received("路灯，请打 13800138000", public=True), contributed("lighting", "好"))))
    assert await store.hall_page(None, 10) == []
    assert await store.unmasked.count_documents({}) == 1
    assert await masking.mask_waiting() == 1
    [entry] = await store.hall_page(None, 10)
    assert entry.subject == "路灯，请打 ＊＊＊"
    assert await store.unmasked.count_documents({}) == await masking.mask_waiting() == 0


async def test_what_could_not_be_masked_is_masked_later_and_mails_have_not_waited(
    notices: Notices, store: NotifierStore
) -> None:
    masking = HallMasking(store, knowing(CITY), Dying(1))
    await notices.take(heard(STORY))
    assert len(await deliveries(store)) == 4
    await masking.mask_waiting()
    assert await store.hall_page(None, 10) == []
    [waiting] = [one async for one in store.unmasked.find({})]
    assert (waiting["attempts"], waiting["due_at"] > timestamps.now()) == (1, True)
    await store.unmasked.update_one({}, {"$set": {"due_at": timestamps.now()}})
    await masking.mask_waiting()
    assert len(await store.hall_page(None, 10)) == 1


async def test_a_claim_of_the_dead_runs_out_and_the_answer_is_masked(notices: Notices, store: NotifierStore) -> None:
    await notices.take(heard(STORY))
    now = timestamps.now()
    assert len(await store.claim_unmasked(now, 10)) == 1
    assert await store.claim_unmasked(now, 10) == []
    assert len(await store.claim_unmasked(now + timedelta(seconds=LEASE_S + 1), 10)) == 1


async def test_a_later_round_that_comes_while_the_first_is_masked_is_not_lost(
    notices: Notices, masking: HallMasking, store: NotifierStore
) -> None:
    [answer] = [one for one in heard(STORY) if isinstance(one, ResidentMessage) and one.told.what == "answered"]
    await notices.take([answer])
    [first] = await store.claim_unmasked(timestamps.now(), 10)
    await notices.take([round_two(answer)])
    await store.show([first.entry])
    await store.forget_unmasked(first)
    await masking.mask_waiting()
    assert [one.round for one in await store.hall_page(None, 10)] == [2]


async def test_without_a_city_nothing_is_masked(store: NotifierStore) -> None:
    with pytest.raises(DependencyUnavailable):
        await HallMasking(store, CityFeed(lambda revision: revision), MaskerInProcess()).mask_waiting()


async def test_an_erasure_takes_an_answer_that_waits(
    notices: Notices, masking: HallMasking, store: NotifierStore
) -> None:
    await notices.take(heard(STORY))
    await store.erase_entry(INQUIRY, 100)
    assert await store.unmasked.count_documents({}) == await masking.mask_waiting() == 0


async def test_an_unmasked_answer_is_read_back_as_it_was(store: NotifierStore) -> None:
    given = UnmaskedEntry(hall_entry(INQUIRY, "2026-03-16T05:00:00.000Z"), WRITER)
    await store.add_unmasked([given], timestamps.now())
    [claimed] = await store.claim_unmasked(timestamps.now(), 1)
    assert replace(claimed, claim=None) == given


async def test_entries_and_deliveries_survive_a_round_trip(store: NotifierStore) -> None:
    entry = replace(
        hall_entry(INQUIRY, "2026-03-16T05:00:00.000Z"),
        paragraphs=(Paragraph(department="roads", name="道路处", text="补了"),),
    )
    await store.show([entry])
    assert await store.entry(INQUIRY) == entry
    now = timestamps.now()
    await store.add_notices([notice("event-1")], now)
    [waiting] = await store.deliveries_page("waiting", INQUIRY, 10)
    assert waiting == Delivery(
        id="event-1",
        kind="resident",
        inquiry_id=INQUIRY,
        to="writer@mail.example",
        subject="路灯",
        text="亮了 💡",
        language="zh",
        state="waiting",
        attempts=0,
        noted_at=now,
        due_at=now,
    )
    assert await store.deliveries_page("sent", INQUIRY, 10) == await store.deliveries_page(None, "x", 10) == []


async def test_the_hall_is_paginated_newest_first(store: NotifierStore) -> None:
    numbers = [f"20260316-0000000{n}" for n in range(5)]
    times = ["04", "06", "05", "06", "07"]
    await store.show([hall_entry(one, at) for one, at in zip(numbers, times, strict=True)])
    first = await store.hall_page(None, 2)
    second = await store.hall_page(first[-1].inquiry_id, 2)
    third = await store.hall_page(second[-1].inquiry_id, 2)
    assert [one.inquiry_id[-1] for one in (*first, *second, *third)] == ["4", "3", "1", "2", "0"]


async def test_an_unknown_place_in_the_hall_is_404(store: NotifierStore, settings: Settings) -> None:
    await store.show([hall_entry(INQUIRY, "2026-03-16T04:00:00Z")])
    async with over_http(store, settings) as http:
        for path, accept, kind in (
            ("/hall", "text/html", "text/html; charset=utf-8"),
            ("/hall", "*/*", "application/problem+json"),
            ("/hall/feed.json", "*/*", "application/problem+json"),
        ):
            answer = await http.get(path, params={"after": "20260316-ZZZZZZZZ"}, headers={"Accept": accept})
            assert (answer.status_code, answer.headers["content-type"]) == (404, kind)
            assert (await http.get(path, params={"after": INQUIRY})).status_code == 200
            assert (await http.get(path, params={"after": ""})).status_code == 200


async def test_the_feed_and_the_deliveries_refuse_unknown_fields(store: NotifierStore, settings: Settings) -> None:
    async with over_http(store, settings) as http:
        for path in ("/hall/feed.json?befor=x", "/deliveries?sate=failed"):
            answer = await http.get(path, headers={"Authorization": "Bearer token"})
            assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
        assert (await http.get("/hall?utm_source=x")).status_code == 200


def test_a_feed_title_that_turns_direction_is_isolated() -> None:
    titles = {
        "路灯不亮": "路灯不亮",
        "مصباح الشارع": "\u2068مصباح الشارع\u2069",
        "lamp \u202egnirts": "\u2068lamp gnirts\u2069",
        "a \u2069 b": "\u2068a b\u2069",
    }
    for subject, title in titles.items():
        entry = replace(hall_entry(INQUIRY, "04"), subject=subject)
        assert FeedItem.of(entry, "https://hall.example").title == title


# ── the mailroom ─────────────────────────────────────────────────────────────


async def test_a_sent_mail_has_its_ids_and_its_text_is_deleted(
    store: NotifierStore, settings: Settings, running: Backing
) -> None:
    if running.mail is None:
        pytest.skip("the mail server is not our own sink, so its mails cannot be read")
    event = f"event-{uuid4().hex}"
    hostile = notice(event, subject="路灯\r\nBcc: all@city.example")
    await store.add_notices([replace(hostile, subject=" ".join(hostile.subject.split()))], timestamps.now())
    async with in_background(MailDelivery(store, settings).deliver):
        [done] = (await until(store, **{event: "sent"})).values()
    mails = [
        email.message_from_bytes(one.read_bytes(), policy=email.policy.default) for one in running.mail.glob("*.eml")
    ]
    [mail] = [one for one in mails if one["X-Chorus-Event"] == event]
    assert mail["Message-ID"] == f"<{event}@city.example>"
    assert (mail["To"], mail["Bcc"]) == ("writer@mail.example", None)
    assert mail["Subject"] == "路灯 Bcc: all@city.example"
    assert str(mail.get_body().get_content()).strip() == "亮了 💡"  # type: ignore[union-attr]
    assert (done["to"], done["text"], done["subject"]) == ("w***@mail.example", None, None)


class Picky:
    """An SMTP server whose reply depends on the recipient: `later…`, `never…`, `hangup…`; others are accepted."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.asked: list[str] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        self.asked.append(address)
        if address.startswith("later") and self.asked.count(address) < 3:
            return "451 try again later"
        if address.startswith("hangup") and self.asked.count(address) < 3:
            server.transport.close()
        if address.startswith("silence") and self.asked.count(address) < 3:
            await asyncio.sleep(30)
        if address.startswith("never"):
            return f"550 no such mailbox: <{address}>"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.taken += envelope.rcpt_tos
        return "250 kept"


@asynccontextmanager
async def mail_server(picky: Picky, port: int, **how: Any) -> AsyncIterator[None]:
    talk: Any = partial(SMTP, picky, hostname="picky.example", **how)
    server = await asyncio.get_running_loop().create_server(talk, "127.0.0.1", port)
    async with server:
        yield


async def test_temporary_rejections_are_retried_and_permanent_ones_are_not(store: NotifierStore) -> None:
    picky, port = Picky(), Ports.free().smtp
    everyone = [notice(name, f"{name}@mail.example") for name in ("later", "never", "always")]
    await store.add_notices(everyone, timestamps.now())
    async with mail_server(picky, port), in_background(MailDelivery(store, Settings(smtp=f"127.0.0.1:{port}")).deliver):
        found = await until(store, later="sent", never="failed", always="sent")
    assert sorted(picky.taken) == ["always@mail.example", "later@mail.example"]
    assert (found["later"]["attempts"], found["never"]["attempts"]) == (3, 1)
    assert "550" in found["never"]["error"] or "no such mailbox" in found["never"]["error"]


async def test_mails_wait_while_the_mail_server_is_unavailable(store: NotifierStore) -> None:
    picky, port = Picky(), Ports.free().smtp
    await store.add_notices([notice("one"), notice("two")], timestamps.now())
    async with in_background(MailDelivery(store, Settings(smtp=f"127.0.0.1:{port}")).deliver):
        await until(store, one="retrying", two="retrying")
        async with mail_server(picky, port):
            await until(store, one="sent", two="sent")
    assert picky.taken == ["writer@mail.example"] * 2


async def test_an_address_that_the_server_cannot_accept_does_not_block_others(store: NotifierStore) -> None:
    """An address in Chinese characters needs SMTPUTF8, which not every server supports."""
    picky, port = Picky(), Ports.free().smtp
    await store.add_notices([notice("foreign", "张三@mail.example"), notice("plain")], timestamps.now())
    async with mail_server(picky, port), in_background(MailDelivery(store, Settings(smtp=f"127.0.0.1:{port}")).deliver):
        found = await until(store, plain="sent", foreign="failed")
    assert picky.taken == ["writer@mail.example"]
    assert found["foreign"]["error"]


async def test_two_processes_send_each_mail_once(store: NotifierStore, database: Database) -> None:
    picky, port = Picky(), Ports.free().smtp
    names = {f"n{number}": "sent" for number in range(60)}
    await store.add_notices([notice(name, f"{name}@mail.example") for name in names], timestamps.now())
    settings = Settings(smtp=f"127.0.0.1:{port}")
    rooms = [MailDelivery(NotifierStore(database), settings).deliver for _ in range(2)]
    async with mail_server(picky, port), in_background(*rooms):
        await until(store, **names)
    assert sorted(picky.taken) == sorted(f"{name}@mail.example" for name in names)


async def test_a_mail_claimed_by_a_dead_process_is_sent_by_another(
    store: NotifierStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.add_notices([notice("one")], timestamps.now())
    with monkeypatch.context() as short:
        short.setattr("services.notifier.store.LEASE_S", 0.05)
        assert [one.id for one in await store.claim(timestamps.now(), "resident", 10)] == ["one"]
    picky, port = Picky(), Ports.free().smtp
    async with mail_server(picky, port), in_background(MailDelivery(store, Settings(smtp=f"127.0.0.1:{port}")).deliver):
        await until(store, one="sent")
    assert picky.taken == ["writer@mail.example"]


@pytest.mark.parametrize(
    "poison",
    [
        {"to": "=?x?q??=@x.cn"},
        {"to": "=?utf-8?q?a?=@=?utf-8?q?b?=.c"},
        {"to": "x@=?utf-8?q?a=2Ecn=3E=2C_evil=40e.cn?=.cn"},
        {"to": "a@x.cn,b@y.cn"},
        {"text": None},
        {"subject": "a\nb"},
    ],
    ids=str,
)
async def test_a_mail_that_cannot_be_composed_fails_and_others_are_sent(store: NotifierStore, poison: Document) -> None:
    picky, port = Picky(), Ports.free().smtp
    await store.add_notices([notice("poison"), notice("good")], timestamps.now())
    await store.deliveries.update_one({"_id": "poison"}, {"$set": poison})
    before = failures()
    async with mail_server(picky, port), in_background(MailDelivery(store, Settings(smtp=f"127.0.0.1:{port}")).deliver):
        found = await until(store, poison="failed", good="sent")
        async with asyncio.timeout(5):
            while failures() == before:
                await asyncio.sleep(0.01)
    assert picky.asked == ["writer@mail.example"]
    assert (found["poison"]["attempts"], found["poison"]["text"], found["poison"]["subject"]) == (1, None, None)
    assert found["poison"]["error"]
    assert failures() == before + 1


def failures() -> float:
    return float(metrics.DELIVERIES.labels("resident", "failed")._value.get())


@pytest.mark.parametrize("over", ["hangup", "silence"])
async def test_other_mails_are_sent_after_a_connection_loss_or_timeout(
    store: NotifierStore, over: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(email_channel, "SEND_TIMEOUT_S", 0.3)
    picky, port = Picky(), Ports.free().smtp
    names = {over: "sent", "one": "sent", "two": "sent"}
    await store.add_notices([notice(name, f"{name}@mail.example") for name in names], timestamps.now())
    async with mail_server(picky, port), in_background(MailDelivery(store, Settings(smtp=f"127.0.0.1:{port}")).deliver):
        found = await until(store, **names)
    assert {name: one["attempts"] for name, one in found.items()} == {over: 3, "one": 1, "two": 1}
    assert sorted(picky.taken) == sorted(f"{name}@mail.example" for name in names)


async def test_a_process_with_an_expired_claim_changes_nothing(
    store: NotifierStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.add_notices([notice("one")], timestamps.now())
    with monkeypatch.context() as short:
        short.setattr("services.notifier.store.LEASE_S", 0.0)
        [slow] = await store.claim(timestamps.now(), "resident", 10)
    [quick] = await store.claim(timestamps.now() + timedelta(seconds=1), "resident", 10)
    await store.retry_at(slow, timestamps.now(), "too late")
    await store.sent(quick, timestamps.now())
    settled = await deliveries(store)
    for late in (
        store.retry_at(slow, timestamps.now(), "x"),
        store.failed(slow, "x"),
        store.release(slow, timestamps.now()),
    ):
        await late
    assert await deliveries(store) == settled
    assert (settled["one"]["state"], "due_at" in settled["one"]) == ("sent", False)


async def test_nothing_is_sent_shortly_before_the_claim_expires(store: NotifierStore) -> None:
    picky, port = Picky(), Ports.free().smtp
    await store.add_notices([notice("one"), notice("two")], timestamps.now())
    claimed = await store.claim(timestamps.now() - timedelta(seconds=LEASE_S - 25), "resident", 10)
    assert claimed == []
    claimed = await store.claim(timestamps.now(), "resident", 10)
    nearly_over = [replace(one, due_at=timestamps.now() + timedelta(seconds=25)) for one in claimed]
    async with mail_server(picky, port):
        await MailDelivery(store, Settings(smtp=f"127.0.0.1:{port}"))._send_all(nearly_over)
    assert picky.taken == []
    assert len(await store.claim(timestamps.now(), "resident", 10)) == 2


# ── what operators see ───────────────────────────────────────────────────────


async def test_operators_see_deliveries_without_addresses_or_texts(
    store: NotifierStore, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "chorus")
    picky, port = Picky(), Ports.free().smtp
    await store.add_notices(
        [notice(name, f"{name}-secret@mail.example") for name in ("never", "later")], timestamps.now()
    )
    async with mail_server(picky, port), in_background(MailDelivery(store, Settings(smtp=f"127.0.0.1:{port}")).deliver):
        found = await until(store, never="failed", later="sent")
    assert (found["never"]["to"], found["never"]["text"], found["never"]["subject"]) == (
        "n***@mail.example",
        None,
        None,
    )
    await store.deliveries.update_one({"_id": "later"}, {"$set": {"error": "451 <later-secret@mail.example> later"}})
    rows = {one.id: DeliveryShown.of(one) for one in await store.deliveries_page(None, None, 10)}
    assert "n***@mail.example" in (rows["never"].error or "")
    assert rows["later"].error == "451 <l***@mail.example> later"
    assert "secret" not in f"{rows}{[vars(one) for one in caplog.records if one.name == 'chorus']}"


@asynccontextmanager
async def over_http(store: NotifierStore, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the hall, without a city."""
    app = FastAPI()
    problems.install(app, error_pages(HALL))
    app.include_router(api.routes(store, settings, b"token"))
    app.include_router(pages.routes(store, CityFeed(lambda revision: revision), settings, HALL))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hall.example") as http:
        yield http


# ── over HTTP ────────────────────────────────────────────────────────────────


async def test_an_unknown_entry_is_an_error_page_or_a_problem(store: NotifierStore, settings: Settings) -> None:
    async with over_http(store, settings) as http:
        for accept, media_type in (
            ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html"),
            ("*/*", "text/html"),
            ("application/json", "application/problem+json"),
            ("application/problem+json, application/json", "application/problem+json"),
        ):
            answer = await http.get(f"/hall/{INQUIRY}", headers={"Accept": accept})
            assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (404, media_type)
        feed = await http.get("/hall/feed.json", headers={"Accept": "application/json"})
        assert (feed.status_code, feed.headers["content-type"], feed.json()["items"]) == (
            200,
            "application/feed+json",
            [],
        )
