"""Who gets which mail, and what of an answer the hall shows."""

from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.intake.domain import ContactGiven
from services.notifier.domain.notices import for_department, for_resident, hall_entry, hidden, one_line
from services.notifier.mailroom import mail_of
from shared import topics
from shared.events import Contact, ResidentTold
from tests.builders import INQUIRY, MONDAY_NOON, WRITER, Step, contributed, received, replied, told

URL = "https://city.example"
EMAIL = WRITER.email or ""


def last_told(*steps: Step) -> ResidentTold:
    return ResidentTold.model_validate(told(*steps).resident())


def all_told(*steps: Step) -> list[ResidentTold]:
    return [ResidentTold.model_validate(one) for _, one in told(*steps).on(topics.RESIDENTS)]


def delivery(**changed: Any) -> dict[str, Any]:
    return {
        "_id": "event-1",
        "to": EMAIL,
        "subject": "路灯",
        "text": "亮了",
        "language": "zh",
        "noted_at": MONDAY_NOON,
    } | changed


def test_a_resident_gets_a_mail_for_what_matters_and_for_nothing_else() -> None:
    story = all_told(received("路灯", contact=WRITER), replied("lighting", "等零件"), contributed("lighting", "亮了"))
    mailed = [one.what for one in story if for_resident("e", one, URL)]
    assert mailed == ["registered", "assigned", "replied", "answered"]


@pytest.mark.parametrize("contact", [None, Contact(phone="13900000000"), Contact(email="")])
def test_who_left_no_address_gets_no_mail(contact: Contact | None) -> None:
    assert for_resident("e", last_told(received("路灯", contact=contact)), URL) is None


@pytest.mark.parametrize(
    ("language", "subject", "look"),
    [("zh", f"[{INQUIRY}] 已答复: 路灯", "凭编号"), ("en", f"[{INQUIRY}] answered: 路灯", "See the whole case")],
)
def test_a_mail_speaks_the_language_of_the_message(language: str, subject: str, look: str) -> None:
    answer = last_told(received("路灯", contact=WRITER, language=language), contributed("lighting", "亮了"))
    notice = for_resident("event-7", answer, URL)
    assert notice is not None
    assert (notice.id, notice.to, notice.subject) == ("event-7", EMAIL, subject)
    assert "亮了" in notice.text
    assert f"{look}" in notice.text
    assert notice.text.endswith(f"{URL}/inquiries/{INQUIRY}\n")


def test_a_line_break_in_a_subject_makes_no_header() -> None:
    hostile = "路灯\r\nBcc: all@city.example\u2028X: y\x07"
    notice = for_resident("e", last_told(received(hostile, contact=WRITER)), URL)
    assert notice is not None
    mail = mail_of(delivery(subject=notice.subject), "chorus@city.example")
    assert mail["Bcc"] is None
    assert mail["Subject"].endswith("路灯 Bcc: all@city.example X: y")
    assert one_line("a\r\n b\tc\x00d") == "a b c d"


def test_a_department_learns_that_a_part_is_there_and_never_the_residents_words() -> None:
    offer = told(received("路灯 🔒秘密", "🔒秘密", contact=WRITER)).on(topics.EVENTS)[-1][1]
    notice = for_department("event-3", offer, "desk@lighting.example")
    assert notice.subject == f"[{INQUIRY}-p1] 新的分办件 / new part"
    assert "2026-03-17T04:00:00.000Z" in notice.text
    assert "秘密" not in notice.subject + notice.text
    assert EMAIL not in notice.text


def test_a_mail_carries_the_events_id_so_that_a_repeat_can_be_told() -> None:
    mail = mail_of(delivery(), "chorus@city.example")
    assert (mail["X-Chorus-Event"], mail["Message-ID"]) == ("event-1", "<event-1@city.example>")
    assert mail.get_content() == "亮了\n"
    assert bytes(mail) == bytes(mail_of(delivery(), "chorus@city.example"))


def accepted_address(text: str) -> bool:
    try:
        return ContactGiven(email=text).email is not None
    except ValidationError:
        return False


letters = st.text("ab.·中'+é🚧!#%=?_^`{|}~/\u0301\u200f", min_size=1, max_size=12)
endings = st.sampled_from(("example", "例", "x-y", "'", "xn--"))
addresses = st.builds("{}@{}.{}".format, letters, letters, endings).filter(accepted_address)


@given(addresses)
@settings(max_examples=100, deadline=None)
def test_any_address_that_intake_takes_makes_a_mail_or_a_plain_refusal(address: str) -> None:
    """Whatever else were raised would end the mailroom, again after every start."""
    try:
        mail = mail_of(delivery(to=address), "chorus@city.example")
        assert isinstance(mail, EmailMessage)
        assert len(mail["To"].addresses) <= 1
        bytes(mail)
    except ValueError:
        pass


# ── the hall ─────────────────────────────────────────────────────────────────

ANSWERED = (received("路灯", "三号楼门口", contact=WRITER, public=True), contributed("lighting", "亮了"))


def test_the_hall_shows_public_answers() -> None:
    entry = hall_entry(last_told(*ANSWERED), 2, "2026-03-16T05:00:00.000Z")
    assert entry is not None
    assert (entry["_id"], entry["n"], entry["subject"], entry["body"]) == (INQUIRY, 2, "路灯", "三号楼门口")
    assert entry["paragraphs"] == [{"department": "lighting", "name": "路灯管理所", "text": "亮了"}]


@pytest.mark.parametrize("changed", [{"public": False}, {"confidential": True}])
def test_the_hall_shows_nothing_else(changed: dict[str, Any]) -> None:
    given: dict[str, Any] = {"contact": WRITER, "public": True} | changed
    assert hall_entry(last_told(received("路灯", **given), contributed("lighting", "亮了")), 2, "") is None


def test_the_hall_shows_nothing_before_the_answer() -> None:
    assert all(hall_entry(one, 1, "") is None for one in all_told(*ANSWERED)[:-1])


def test_an_address_is_hidden_from_operators() -> None:
    assert hidden("writer@mail.example") == "w***@mail.example"
