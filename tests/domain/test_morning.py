"""`chorus demo` detects lost and duplicated messages."""

from typing import Any

import pytest

from deploy.cli.demo.account import DemoCase, DemoPart, duplicates, missing, missing_mails
from deploy.cli.demo.departments import mark_in
from deploy.cli.demo.messages import write_messages
from deploy.cli.demo.residents import Form

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


def test_an_answer_with_the_departments_words_is_neither_lost_nor_double() -> None:
    case = a_case()
    assert (list(missing(case)), list(duplicates(case))) == ([], [])


def test_a_letter_without_a_ticket_is_lost() -> None:
    case = a_case()
    case.inquiry_ids = []
    assert list(missing(case)) == ["intake gave no ticket"]


def test_a_letter_without_an_answer_is_lost() -> None:
    assert list(missing(a_case(state="assigned"))) == ["no reply; the ticket's state is assigned"]


def test_changed_words_are_lost_and_something_nobody_wrote() -> None:
    case = a_case(reply=[("parks", WORDS + "!")])
    assert "lacks the text of parks" in next(missing(case))
    assert "that parks did not write" in next(duplicates(case))


def test_words_that_stand_twice_are_double() -> None:
    assert "has it twice" in next(duplicates(a_case(reply=[("parks", WORDS), ("parks", WORDS)])))


def test_a_part_under_two_ids_is_double_and_under_one_id_twice_a_repeat() -> None:
    case = a_case()
    case.parts[f"{TICKET}-p1"].offers.add("e1")
    assert list(duplicates(case)) == []
    case.parts[f"{TICKET}-p1"].offers.add("e2")
    assert list(duplicates(case)) == [f"the part {TICKET}-p1 was offered under 2 ids"]


def test_two_parts_for_one_department_are_double_unless_one_was_returned() -> None:
    case = a_case()
    case.parts[f"{TICKET}-p2"] = DemoPart(f"{TICKET}-p2", "parks", {"e2"}, returned=True)
    assert list(duplicates(case)) == []
    case.parts[f"{TICKET}-p2"].returned = False
    assert list(duplicates(case)) == ["parks got 2 parts"]


def test_two_tickets_for_one_letter_are_double() -> None:
    case = a_case()
    case.inquiry_ids.append("20261122-AAAAAAAA")
    assert "several tickets" in next(duplicates(case))


def test_a_notice_mailed_twice_is_double_and_an_answer_not_mailed_is_missed() -> None:
    case = a_case()
    assert "contains the reply" in next(missing_mails(case))
    case.mails = [("n1", f"您的诉求已答复。\n\n{WORDS[:6]}\n{WORDS[6:]}"), ("n1", "")]
    assert list(missing_mails(case)) == []
    assert list(duplicates(case)) == ["the notice n1 was mailed 2 times"]


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ([fact(1, "part.offered", part_id="p1"), fact(2, "part.offered", part_id="p1")], "chorus.part.offered of p1 2 times"),
        ([fact(1, "inquiry.registered"), fact(3, "part.accepted", part_id="p1")], "not 1, 2, 3"),
    ],
)
def test_the_record_tells_what_happened_twice_and_what_is_gone(facts: list[dict[str, Any]], words: str) -> None:
    case = a_case()
    case.facts = list(facts)
    assert words in next(duplicates(case))


def test_a_seed_gives_the_same_morning_under_another_mark() -> None:
    first, second = write_messages(3, "aaaa"), write_messages(3, "bbbb")
    assert [one.subject for one in first] == [one.subject for one in second]
    assert {one.mark for one in first}.isdisjoint(one.mark for one in second)
    assert len(first) >= 36


def test_every_letter_is_known_by_the_mark_at_its_end() -> None:
    assert all(mark_in(message.body) == message.mark for message in write_messages(2, "cafe"))
    assert mark_in("") == ""


def test_a_form_is_read_as_a_browser_would() -> None:
    form = Form()
    form.feed(
        '<form method="get"><input name="q"></form><form method="post" action="/?lang=en">'
        '<input type="hidden" name="key" value="k1"><input name="subject"><textarea name="body"></textarea>'
        '<input type="checkbox" name="public" value="true"></form><input name="other">'
    )
    assert (form.action, form.fields) == ("/?lang=en", {"key": "k1", "subject": "", "body": ""})
    assert (form.public, form.public_value) == ("public", "true")
