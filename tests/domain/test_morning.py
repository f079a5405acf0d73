"""`chorus demo` detects lost and duplicated messages, and shortens the time limits of one message only."""

from dataclasses import replace
from typing import Any

import pytest

from deploy.cli.demo.account import DemoCase, DemoMail, DemoPart, duplicates, missing, missing_mails
from deploy.cli.demo.departments import mark_in
from deploy.cli.demo.messages import write_messages
from deploy.cli.demo.overdue import SHORT, with_short_policy
from deploy.cli.demo.residents import Form
from shared.city import load_city
from shared.city.parsing import city_of
from tests.conftest import REPOSITORY

TICKET = "20261122-7F3KQ2MX"
WORDS = "已更换灯头六个，今晚亮灯。"


def a_case(*, reply: list[tuple[str, str]] | None = None, state: str = "answered") -> DemoCase:
    message = next(one for one in write_messages(1, "ab12") if one.email and one.rating is None)
    case = DemoCase(message, inquiry_ids=[TICKET])
    case.parts[f"{TICKET}-p1"] = DemoPart(f"{TICKET}-p1", "parks", {"e1"}, WORDS)
    paragraphs = [{"department": one, "text": text} for one, text in (reply or [("parks", WORDS)])]
    case.seen = {"state": state, "reply": {"text": "", "paragraphs": paragraphs} if state == "answered" else None}
    return case


def fact(sequence: int, kind: str, **data: Any) -> dict[str, Any]:
    return {"sequence": sequence, "type": f"chorus.{kind}", "data": data}


def test_a_reply_with_the_departments_text_is_neither_lost_nor_duplicate() -> None:
    case = a_case()
    assert (list(missing(case)), list(duplicates(case))) == ([], [])


def test_a_message_without_a_ticket_is_lost() -> None:
    case = a_case()
    case.inquiry_ids = []
    assert list(missing(case)) == ["intake gave no ticket"]


def test_a_message_without_a_reply_is_lost() -> None:
    assert list(missing(a_case(state="assigned"))) == ["no reply; the ticket's state is assigned"]


def test_a_changed_text_is_missing_and_an_unknown_paragraph() -> None:
    case = a_case(reply=[("parks", WORDS + "!")])
    assert "lacks the text of parks" in next(missing(case))
    assert "that parks did not write" in next(duplicates(case))


def test_a_repeated_paragraph_is_a_duplicate() -> None:
    assert "has it twice" in next(duplicates(a_case(reply=[("parks", WORDS), ("parks", WORDS)])))


def test_two_offers_of_a_part_are_a_duplicate_unless_they_share_an_id() -> None:
    case = a_case()
    case.parts[f"{TICKET}-p1"].offers.add("e1")
    assert list(duplicates(case)) == []
    case.parts[f"{TICKET}-p1"].offers.add("e2")
    assert list(duplicates(case)) == [f"the part {TICKET}-p1 was offered under 2 ids"]


def test_two_parts_of_a_department_are_a_duplicate_unless_one_was_returned() -> None:
    case = a_case()
    case.parts[f"{TICKET}-p2"] = DemoPart(f"{TICKET}-p2", "parks", {"e2"}, returned=True)
    assert list(duplicates(case)) == []
    case.parts[f"{TICKET}-p2"].returned = False
    assert list(duplicates(case)) == ["parks got 2 parts"]


def test_a_reopened_message_needs_the_answer_and_the_rating_of_its_second_round() -> None:
    case = a_case()
    case.message = replace(case.message, rating="no")
    assert list(missing(case)) == ["the rating is not in the timeline"]
    case.facts = [fact(1, "inquiry.rated", round=1), fact(2, "inquiry.reopened", round=2)]
    case.rated = True
    assert list(missing(case)) == ["a rating has reopened it, and the ticket still shows round 1"]
    again = f"{TICKET}-p2"
    case.parts[again] = DemoPart(again, "parks", {"e2"}, "再次修好了", round=2)
    case.seen = {**a_case(reply=[("parks", "再次修好了")]).seen, "round": 2}
    assert list(missing(case)) == ["the rating of round 2 is not in the timeline"]
    case.facts.append(fact(3, "inquiry.rated", round=2))
    assert (list(missing(case)), list(duplicates(case))) == ([], [])
    case.mails = [DemoMail(("n1", "n2", "n3"), ("answered", "assigned", "registered"), WORDS, None)]
    assert list(missing_mails(case)) == []


def test_two_tickets_of_a_message_are_a_duplicate() -> None:
    case = a_case()
    case.inquiry_ids.append("20261122-AAAAAAAA")
    assert "several tickets" in next(duplicates(case))


def test_a_repeated_mail_and_a_missing_mail_are_detected() -> None:
    case = a_case()
    assert [one.rpartition(" ")[2] for one in missing_mails(case)] == ["registered", "assigned", "answered"]
    first = DemoMail(("n1", "n2"), ("assigned", "registered"), "", "http://127.0.0.1/mail/confirm?token=x")
    reply = DemoMail(("n3",), ("answered",), f"您的诉求已答复。\n\n{WORDS[:6]}\n{WORDS[6:]}", None)
    case.mails = [first, reply]
    assert list(missing_mails(case)) == []
    case.mails = [first, reply, reply]
    assert list(duplicates(case)) == ["the notice n3 was mailed 2 times"]


def test_a_mail_about_the_reply_has_the_reply_or_before_confirmation_the_link() -> None:
    case = a_case()
    case.code = "7KQ2M9XD4N1P"
    link = f"http://127.0.0.1/status?ticket={TICKET}&code={case.code}"
    for text, confirm_url, complete in (
        ("", None, False),
        (WORDS, None, True),
        (WORDS, "http://127.0.0.1/mail/confirm?token=x", False),
        (link, "http://127.0.0.1/mail/confirm?token=x", True),
    ):
        case.mails = [DemoMail(("n1", "n2", "n3"), ("answered", "assigned", "registered"), text, confirm_url)]
        assert (list(missing_mails(case)) == []) == complete


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (
            [fact(1, "part.offered", part_id="p1"), fact(2, "part.offered", part_id="p1")],
            "chorus.part.offered of p1 2 times",
        ),
        ([fact(1, "inquiry.registered"), fact(3, "part.accepted", part_id="p1")], "not 1, 2, 3"),
    ],
)
def test_the_timeline_reveals_duplicate_and_missing_facts(facts: list[dict[str, Any]], words: str) -> None:
    case = a_case()
    case.facts = list(facts)
    assert words in next(duplicates(case))


def test_a_seed_gives_the_same_messages_with_other_marks() -> None:
    first, second = write_messages(3, "aaaa"), write_messages(3, "bbbb")
    assert [one.subject for one in first] == [one.subject for one in second]
    assert {one.mark for one in first}.isdisjoint(one.mark for one in second)
    assert len(first) >= 36


def test_every_message_ends_with_its_mark() -> None:
    assert all(mark_in(message.body) == message.mark for message in write_messages(2, "cafe"))
    assert mark_in("") == ""


def test_a_form_is_parsed_like_in_a_browser() -> None:
    form = Form()
    form.feed(
        '<form method="get"><input name="q"></form><form method="post" action="/?lang=en">'
        '<input type="hidden" name="key" value="k1"><input name="subject"><textarea name="body"></textarea>'
        '<input type="checkbox" name="public" value="true"></form><input name="other">'
    )
    assert (form.action, form.fields) == ("/?lang=en", {"key": "k1", "subject": "", "body": ""})
    assert (form.public, form.public_value) == ("public", "true")


def test_the_short_policy_takes_no_part_from_the_citys_own_policies() -> None:
    city = load_city(REPOSITORY / "deploy" / "city").model_dump(mode="json")
    short, *own = city_of(with_short_policy(city, {"channels": ["hotline"]})).policies
    assert (short.id, short.when.channels) == (SHORT["id"], ("hotline",))
    assert [one.model_dump(mode="json") for one in own] == city["policies"]
    assert with_short_policy(
        with_short_policy(city, {"channels": ["app"]}), {"channels": ["hotline"]}
    ) == with_short_policy(city, {"channels": ["hotline"]})
