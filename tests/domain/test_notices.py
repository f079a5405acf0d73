"""Mails: their recipients and content; the content of the hall."""

import email
import email.policy
from dataclasses import replace
from email.message import EmailMessage
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiosmtplib.email import extract_recipients
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.intake.domain import ContactGiven
from services.notifier.channels.email import mail_of
from services.notifier.domain.deliveries import Delivery
from services.notifier.domain.hall import hall_entry
from services.notifier.domain.notices import for_department, for_resident, hidden, one_line, unaddressed
from shared.contracts.envelope import PREFIX
from shared.contracts.fields import Contact
from shared.contracts.resident_messages import Paragraph, ResidentTold
from shared.events.case_events import PartOfferedEvent, event_body
from shared.kafka import topics
from shared.runtime.languages import LANGUAGES
from shared.runtime.translations import date_and_time
from tests.builders import INQUIRY, MONDAY_NOON, WRITER, Step, contributed, received, replied, told

URL = "https://city.example"
EMAIL = WRITER.email or ""
CITY_ZONE = ZoneInfo("Asia/Shanghai")


def last_told(*steps: Step) -> ResidentTold:
    return ResidentTold.model_validate(told(*steps).resident())


def all_told(*steps: Step) -> list[ResidentTold]:
    return [ResidentTold.model_validate(one) for _, one in told(*steps).on(topics.RESIDENTS)]


DELIVERY = Delivery(
    id="event-1",
    kind="resident",
    inquiry_id=INQUIRY,
    to=EMAIL,
    subject="路灯",
    text="亮了",
    language="zh",
    state="waiting",
    attempts=0,
    noted_at=MONDAY_NOON,
)


def test_residents_get_mails_for_the_documented_events_only() -> None:
    story = all_told(received("路灯", contact=WRITER), replied("lighting", "等零件"), contributed("lighting", "亮了"))
    mailed = [one.what for one in story if for_resident("e", one, URL)]
    assert mailed == ["registered", "assigned", "replied", "answered"]


@pytest.mark.parametrize("contact", [None, Contact(phone="13900000000"), Contact(email="")])
def test_a_resident_without_an_address_gets_no_mail(contact: Contact | None) -> None:
    assert for_resident("e", last_told(received("路灯", contact=contact)), URL) is None


@pytest.mark.parametrize(
    ("language", "subject", "look"),
    [
        ("zh", f"[{INQUIRY}] 诉求已答复：路灯", "凭编号和查询码查询办理进度："),
        (
            "en",
            f"[{INQUIRY}] Reply to your message: 路灯",
            "Track your message with the ticket number and the query code: ",
        ),
    ],
)
def test_a_mail_is_in_the_language_of_the_message(language: str, subject: str, look: str) -> None:
    answer = last_told(received("路灯", contact=WRITER, language=language), contributed("lighting", "亮了"))
    notice = for_resident("event-7", answer, URL)
    assert notice is not None
    assert (notice.id, notice.to, notice.subject) == ("event-7", EMAIL, subject)
    assert "亮了" in notice.text
    assert f"{look}" in notice.text
    assert notice.text.endswith(f"{URL}/inquiries/{INQUIRY}\n")


def test_a_line_break_in_a_subject_does_not_create_a_header() -> None:
    hostile = "路灯\r\nBcc: all@city.example\u2028X: y\x07"
    notice = for_resident("e", last_told(received(hostile, contact=WRITER)), URL)
    assert notice is not None
    mail = mail_of(replace(DELIVERY, subject=notice.subject), "chorus@city.example")
    assert mail["Bcc"] is None
    assert mail["Subject"].endswith("路灯 Bcc: all@city.example X: y")
    assert one_line("a\r\n b\tc\x00d") == "a b c d"


def test_a_mail_to_a_department_announces_the_part_without_the_residents_text() -> None:
    offer = told(received("路灯 🔒秘密", "🔒秘密", contact=WRITER)).on(topics.EVENTS)[-1][1]
    part = event_body(PREFIX + "part.offered", offer)
    assert isinstance(part, PartOfferedEvent)
    notice = for_department("event-3", INQUIRY, part, "desk@lighting.example", CITY_ZONE)
    assert notice.subject == f"[{INQUIRY}-p1] 新的分办件 / New part"
    for due_at in part.due:
        for language in LANGUAGES:
            assert notice.text.count(date_and_time(due_at, CITY_ZONE, language)) == 1
    assert "秘密" not in notice.subject + notice.text
    assert EMAIL not in notice.text


def test_a_mail_has_the_events_id_so_that_repeats_can_be_recognised() -> None:
    mail = mail_of(DELIVERY, "chorus@city.example")
    assert (mail["X-Chorus-Event"], mail["Message-ID"]) == ("event-1", "<event-1@city.example>")
    assert mail.get_content() == "亮了\n"
    assert bytes(mail) == bytes(mail_of(DELIVERY, "chorus@city.example"))


def accepted_address(text: str) -> bool:
    try:
        return ContactGiven(email=text).email is not None
    except ValidationError:
        return False


names = st.lists(st.text("ab·中'+é🚧!#%=?_^`{|}~/\u0301", min_size=1, max_size=6), min_size=1, max_size=3)
hosts = st.text("ab·中é🚧-\u0301", min_size=1, max_size=12)
endings = st.sampled_from(("example", "例", "x-y", "xn--"))
addresses = st.builds("{}@{}.{}".format, names.map(".".join), hosts, endings).filter(accepted_address)


@given(addresses)
@settings(max_examples=200, deadline=None)
def test_every_valid_address_gets_a_mail_with_exactly_one_recipient(address: str) -> None:
    mail = mail_of(replace(DELIVERY, to=address), "chorus@city.example")
    assert isinstance(mail, EmailMessage)
    assert extract_recipients(mail) == [address]
    bytes(mail)


@pytest.mark.parametrize(
    "address",
    [
        "=?x?q??=@x.cn",
        "=?utf-8?q?a?=@=?utf-8?q?b?=.c",
        "=?utf-8?q?=0D=0ABcc=3Avic=40evil.com?=@x.cn",
        "x@=?utf-8?q?a=2Ecn=3E=2C_evil=40e.cn?=.cn",
        "a@x.cn, b@y.cn",
        "<a@x.cn>",
        "",
    ],
)
def test_an_address_that_a_header_would_decode_differently_gets_no_mail(address: str) -> None:
    with pytest.raises(ValueError, match="address"):
        mail_of(replace(DELIVERY, to=address), "chorus@city.example")


def test_an_erased_delivery_makes_no_mail() -> None:
    for gone in (replace(DELIVERY, text=None), replace(DELIVERY, subject=None)):
        with pytest.raises(ValueError, match="deleted"):
            mail_of(gone, "chorus@city.example")


@pytest.mark.parametrize(
    "subject", ["路灯 =?utf-8?q?=0D=0ABcc=3Avic=40evil.com?=", "=?utf-8?b?DQpCY2M6dmljQGV2aWwuY29t?=", "=?x?q??="]
)
def test_an_encoded_word_in_a_subject_is_not_decoded(subject: str) -> None:
    """Decoding would insert a line break and further headers."""
    written = bytes(mail_of(replace(DELIVERY, subject=subject), "chorus@city.example"))
    mail = email.message_from_bytes(written, policy=email.policy.default)
    assert mail["Bcc"] is None
    assert mail["Subject"].replace("= ?", "=?") == subject


def test_addresses_in_a_mail_servers_reply_are_hidden() -> None:
    said = "550 <writer@mail.example>: 'o.b@x.cn' and 张三@例.cn, a@b unknown"
    once = unaddressed(said)
    assert once == "550 <w***@mail.example>: o***@x.cn' and 张***@例.cn, a***@b unknown"
    assert unaddressed(once) == once


# ── the hall ─────────────────────────────────────────────────────────────────

ANSWERED = (received("路灯", "三号楼门口", contact=WRITER, public=True), contributed("lighting", "亮了"))


def test_the_hall_shows_public_replies() -> None:
    entry = hall_entry(last_told(*ANSWERED), 2, "2026-03-16T05:00:00.000Z")
    assert entry is not None
    assert (entry.inquiry_id, entry.n, entry.subject, entry.body) == (INQUIRY, 2, "路灯", "三号楼门口")
    assert entry.paragraphs == (Paragraph(department="lighting", name="路灯管理所", text="亮了"),)
    assert (entry.summary, entry.departments) == ("三号楼门口", ["路灯管理所"])


def test_the_list_shows_the_beginning_of_a_long_message() -> None:
    entry = hall_entry(last_told(received("路灯", "字" * 121, public=True), contributed("lighting", "亮了")), 2, "")
    assert entry is not None
    assert entry.summary == "字" * 120 + "…"
    assert replace(entry, body="字" * 120).summary == "字" * 120


@pytest.mark.parametrize("changed", [{"public": False}, {"confidential": True}])
def test_the_hall_shows_no_private_or_confidential_inquiry(changed: dict[str, Any]) -> None:
    given: dict[str, Any] = {"contact": WRITER, "public": True} | changed
    assert hall_entry(last_told(received("路灯", **given), contributed("lighting", "亮了")), 2, "") is None


def test_the_hall_shows_an_inquiry_only_after_its_reply() -> None:
    assert all(hall_entry(one, 1, "") is None for one in all_told(*ANSWERED)[:-1])


def test_an_address_is_hidden_from_operators() -> None:
    assert hidden("writer@mail.example") == "w***@mail.example"
