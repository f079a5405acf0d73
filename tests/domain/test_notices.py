"""Notices: which news is mailed, to whom; the content of the hall."""

from dataclasses import replace
from typing import Any

import pytest

from services.notifier.domain.hall import case_of, shown_entry, unmasked_entry
from services.notifier.domain.notices import Offer, for_department, for_resident, hidden, one_line, unaddressed
from services.notifier.responses import FeedItem
from shared.contracts.envelope import PREFIX
from shared.contracts.fields import Contact
from shared.contracts.resident_messages import Paragraph, ResidentTold
from shared.events.case_events import PartOfferedEvent, event_body
from shared.kafka import topics
from shared.masking.lexicon import NoLexicon
from shared.masking.masking import mask_case
from tests.builders import INQUIRY, MONDAY_NOON, WRITER, Step, contributed, received, replied, told
from tests.releasing import ONE, approved, reply_edited

EMAIL = WRITER.email or ""
AT = "2026-03-16T05:00:00.000Z"


def last_told(*steps: Step) -> ResidentTold:
    return ResidentTold.model_validate(told(*steps).resident())


def all_told(*steps: Step) -> list[ResidentTold]:
    return [ResidentTold.model_validate(one) for _, one in told(*steps).on(topics.RESIDENTS)]


def test_residents_get_mails_for_the_documented_events_only() -> None:
    story = all_told(received("路灯", contact=WRITER), replied("lighting", "等零件"), contributed("lighting", "亮了"))
    mailed = [one.what for one in story if for_resident("e", one, 1, 0, MONDAY_NOON)]
    assert mailed == ["registered", "assigned", "replied", "answered"]
    link = story[-1].model_copy(update={"what": "link"})
    assert for_resident("e", link, 1, 0, MONDAY_NOON) is not None


@pytest.mark.parametrize("contact", [None, Contact(phone="13900000000"), Contact(email="")])
def test_a_resident_without_an_address_gets_no_mail(contact: Contact | None) -> None:
    assert for_resident("e", last_told(received("路灯", contact=contact)), 1, 0, MONDAY_NOON) is None


def test_a_notice_to_a_resident_has_the_news_in_order() -> None:
    story = all_told(received("路灯\r\n不亮", contact=WRITER, language="en"), contributed("lighting", "亮了"))
    notice = for_resident("event-7", story[-1], 2, 5, MONDAY_NOON)
    assert notice is not None
    assert (notice.id, notice.to, notice.what, notice.n, notice.place) == ("event-7", EMAIL, "answered", 2, 5)
    assert (notice.subject, notice.language, notice.at) == ("路灯 不亮", "en", MONDAY_NOON)
    assert "亮了" in (notice.text or "")


def test_a_notice_to_a_department_has_ids_and_times_only() -> None:
    offer = told(received("路灯 🔒秘密", "🔒秘密", contact=WRITER)).on(topics.EVENTS)[-1][1]
    part = event_body(PREFIX + "part.offered", offer)
    assert isinstance(part, PartOfferedEvent)
    notice = for_department("event-3", INQUIRY, part, "desk@lighting.example", 3, MONDAY_NOON)
    assert (notice.subject, notice.text, notice.n) == (None, None, 3)
    assert notice.offer == Offer(f"{INQUIRY}-p1", "lighting", "lead", part.due)
    assert "秘密" not in repr(notice)
    assert EMAIL not in repr(notice)


@pytest.mark.parametrize(
    "family", ["👨\u200d👩\u200d👧", "क्\u200dष", "می\u200cخواهم", "🏴\U000e0067\U000e0062\U000e007f", "❤️"]
)
def test_a_header_keeps_joined_signs(family: str) -> None:
    assert one_line(f"a {family}\r\n b") == f"a {family} b"


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ("a\r\n b\tc\x00d", "a b c d"),
        ("a\u2028Bcc: b\u0085c", "a Bcc: b c"),
        ("a\u202eb\u2066c\ufeffd", "abcd"),
        ("a\ud800b", "a b"),
        ("", ""),
    ],
)
def test_a_header_keeps_no_breaks_and_no_direction_controls(given: str, line: str) -> None:
    assert one_line(given) == line


def test_addresses_in_a_mail_servers_reply_are_hidden() -> None:
    said = "550 <writer@mail.example>: 'o.b@x.cn' and 张三@例.cn, a@b unknown"
    once = unaddressed(said)
    assert once == "550 <w***@mail.example>: o***@x.cn' and 张***@例.cn, a***@b unknown"
    assert unaddressed(once) == once


# ── the hall ─────────────────────────────────────────────────────────────────

ANSWERED = (received("路灯", "三号楼门口", contact=WRITER, public=True), contributed("lighting", "亮了"))


def test_the_hall_shows_public_replies() -> None:
    unmasked = unmasked_entry(last_told(*ANSWERED), 2, "2026-03-16T05:00:00.000Z")
    assert unmasked is not None
    assert unmasked.contact == WRITER
    entry = unmasked.entry
    assert (entry.inquiry_id, entry.n, entry.subject, entry.body) == (INQUIRY, 2, "路灯", "三号楼门口")
    assert entry.paragraphs == (Paragraph(department="lighting", name="路灯管理所", text="亮了"),)
    assert (entry.summary, entry.departments) == ("三号楼门口", ["路灯管理所"])


def test_the_list_shows_the_beginning_of_a_long_message() -> None:
    long = last_told(received("路灯", "字" * 121, public=True), contributed("lighting", "亮了"))
    unmasked = unmasked_entry(long, 2, "")
    assert unmasked is not None
    entry = unmasked.entry
    assert entry.summary == "字" * 120 + "…"
    assert replace(entry, body="字" * 120).summary == "字" * 120


@pytest.mark.parametrize("changed", [{"public": False}, {"confidential": True}])
def test_the_hall_shows_no_private_or_confidential_inquiry(changed: dict[str, Any]) -> None:
    given: dict[str, Any] = {"contact": WRITER, "public": True} | changed
    assert unmasked_entry(last_told(received("路灯", **given), contributed("lighting", "亮了")), 2, "") is None


def test_the_hall_shows_an_inquiry_only_after_its_reply() -> None:
    assert all(unmasked_entry(one, 1, "") is None for one in all_told(*ANSWERED)[:-1])


def test_the_hall_masks_the_opening_and_the_closing_and_keeps_their_places() -> None:
    steps = (*ANSWERED, reply_edited(opening="陈测试您好：", closing="请致电13900000000。"), approved())
    unmasked = unmasked_entry(ResidentTold.model_validate(told(*steps, city=ONE).resident()), 4, AT)
    assert unmasked is not None
    entry = shown_entry(unmasked.entry, mask_case(case_of(unmasked, ()), NoLexicon()))
    assert entry.opening is not None
    assert entry.closing is not None
    assert ("测试" in entry.opening, "13900000000" in entry.closing) == (False, False)
    shown = FeedItem.of(entry, "https://hall.example").content_text
    assert shown == f"三号楼门口\n\n{entry.opening}\n\n【路灯管理所】\n亮了\n\n{entry.closing}"


def test_an_entry_without_opening_and_closing_has_none_after_masking() -> None:
    unmasked = unmasked_entry(last_told(*ANSWERED), 2, AT)
    assert unmasked is not None
    assert case_of(unmasked, ()).answers == ("亮了",)
    entry = shown_entry(unmasked.entry, mask_case(case_of(unmasked, ()), NoLexicon()))
    assert (entry.opening, entry.closing) == (None, None)


def test_while_a_reply_waits_for_its_release_there_is_no_mail_and_no_entry() -> None:
    story = told(*ANSWERED, reply_edited(opening="x"), city=ONE)
    notices = [ResidentTold.model_validate(one) for _, one in story.on(topics.RESIDENTS)]
    assert [one.what for one in notices if for_resident("e", one, 1, 0, MONDAY_NOON)] == ["registered", "assigned"]
    assert [one for one in notices if unmasked_entry(one, 1, AT)] == []


def test_an_address_is_hidden_from_operators() -> None:
    assert hidden("writer@mail.example") == "w***@mail.example"
