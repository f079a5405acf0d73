"""Validation of residents' messages: the limit of every field, and the error messages."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from services.intake.domain import (
    ContactGiven,
    RatingGiven,
    Submission,
    TicketUpdate,
    channel_label,
    fingerprint,
    ticket,
)
from shared.contracts.resident_inputs import InquiryReceived
from shared.http.problems import field_problems
from shared.runtime.languages import language_of
from tests.builders import MONDAY_NOON

GOOD = {"subject": "路灯不亮", "body": "门口的路灯坏了三天。"}


def submission(**changed: Any) -> Submission:
    return Submission.model_validate_json(json.dumps(GOOD | changed))


def problem(**changed: Any) -> tuple[str, str]:
    """The only error of a body: JSON pointer and message."""
    with pytest.raises(ValidationError) as told:
        submission(**changed)
    [one] = field_problems(told.value)
    return one.pointer, one.detail


@pytest.mark.parametrize(
    "words",
    ["🚦💡 broken 👩‍👩‍👧‍👦", "المصباح لا يعمل \u202b123\u202c", "一行\n两行\r\n三行\t", "a", "字" * 200],
    ids=repr,
)
def test_text_in_any_script_is_accepted_unchanged(words: str) -> None:
    given = submission(subject=words, body=words)
    assert (given.subject, given.body) == (words, words)


def test_the_longest_message_is_accepted() -> None:
    given = submission(subject="题" * 200, body="🚧" * 20_000, area="区" * 100)
    assert (len(given.subject), len(given.body)) == (200, 20_000)


@pytest.mark.parametrize(
    ("changed", "pointer", "detail"),
    [
        ({"subject": ""}, "/subject", "subject '' is empty; write at least one character"),
        ({"subject": "　 \n"}, "/subject", "subject '　 \n' is blank; write some words"),
        ({"subject": "题" * 201}, "/subject", "subject has 201 characters; write at most 200"),
        ({"subject": "灯\0"}, "/subject", "subject '灯\0' contains U+0000, which cannot be stored; leave it out"),
        ({"subject": 7}, "/subject", "subject 7 is not text; write it in quotes"),
        (
            {"subject": None},
            "/subject",
            "subject None is not text; write some, or leave the field out if it is optional",
        ),
        ({"body": ""}, "/body", "body '' is empty; write at least one character"),
        ({"body": " "}, "/body", "body ' ' is blank; write some words"),
        ({"body": "字" * 20_001}, "/body", "body has 20001 characters; write at most 20000"),
        ({"body": ["字"]}, "/body", "body ['字'] is not text; write it in quotes"),
        ({"channel": "传真"}, "/channel", "channel '传真' is not a channel; write one such as web, app, wechat"),
        ({"channel": "c" * 32}, "/channel", "channel has 32 characters; write at most 31"),
        ({"area": "区" * 101}, "/area", "area has 101 characters; write at most 100"),
        ({"public": "yes"}, "/public", "public 'yes' is neither true nor false; write one of them"),
        ({"confidential": 1}, "/confidential", "confidential 1 is neither true nor false; write one of them"),
        ({"language": "fr"}, "/language", "language 'fr' is not one of 'zh' or 'en'"),
        (
            {"departments": "roads"},
            "/departments",
            "departments 'roads' is not a list; write it in brackets, [like, this]",
        ),
        ({"departments": [4]}, "/departments/0", "departments[0] 4 is not text; write it in quotes"),
        ({"external_id": ""}, "/external_id", "external_id '' is empty; write at least one character"),
        ({"external_id": "x" * 201}, "/external_id", "external_id has 201 characters; write at most 200"),
        ({"contact": "me"}, "/contact", "contact 'me' is not an object"),
        ({"contact": {"phone": "call me"}}, "/contact/phone", "contact.phone 'call me' is not a telephone number"),
        ({"contact": {"phone": "1" * 41}}, "/contact/phone", "contact.phone has 41 characters; write at most 40"),
        ({"contact": {"email": "a@b"}}, "/contact/email", "contact.email 'a@b' is not an e-mail address"),
        *(
            (
                {"contact": {"email": one}},
                "/contact/email",
                f"contact.email '{one}' is not an e-mail address; write one such as",
            )
            for one in ("=?x?q??=@x.cn", "=?utf-8?q?a?=@=?utf-8?q?b?=.c", "a..b@x.cn", ".a@x.cn", "a.@x.cn", "a@x..cn")
        ),
        (
            {"departments": ["roads", "a\0b"]},
            "/departments/1",
            "departments[1] 'a\0b' is not a department code; write one such as",
        ),
        ({"departments": ["r" * 5_000]}, "/departments/0", "departments[0] 'rrr"),
        (
            {"departments": ["Roads"]},
            "/departments/0",
            "departments[0] 'Roads' is not a department code; write one such as",
        ),
        (
            {"contact": {"email": "a@b.example\r\nBcc: all@city.example"}},
            "/contact/email",
            "contact.email 'a@b.example\r\nBcc: all@city.example' is not an e-mail address",
        ),
        ({"contact": {"name": "名" * 101}}, "/contact/name", "contact.name has 101 characters; write at most 100"),
        ({"contact": {"name": "a\0"}}, "/contact/name", "contact.name 'a\0' contains U+0000"),
    ],
    ids=lambda given: next(iter(given)) if isinstance(given, dict) else None,
)
def test_every_error_quotes_the_value_and_the_remedy(changed: dict[str, Any], pointer: str, detail: str) -> None:
    where, sentence = problem(**changed)
    assert where == pointer
    assert sentence.startswith(detail)


def test_a_missing_field_is_reported() -> None:
    with pytest.raises(ValidationError) as told:
        Submission.model_validate_json("{}")
    assert [one.detail for one in field_problems(told.value)] == [
        "subject is missing; add it",
        "body is missing; add it",
    ]


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '{"subject": "\\ud83d"}', "\ufeff{}", "[" * 100_000])
def test_a_body_that_is_not_a_json_object_is_reported(body: str) -> None:
    with pytest.raises(ValidationError) as told:
        Submission.model_validate_json(body)
    details = [one.detail for one in field_problems(told.value)]
    assert any("JSON" in detail for detail in details), details


def test_twenty_departments_are_accepted_and_twenty_one_rejected() -> None:
    codes = [f"bureau-{number}" for number in range(21)]
    assert len(submission(departments=codes[:20]).departments) == 20
    assert problem(departments=codes) == ("/departments", "departments has 21 entries; write at most 20")


def test_a_department_named_twice_counts_once() -> None:
    assert submission(departments=["roads", "water", "roads"]).departments == ("roads", "water")


def test_an_empty_contact_is_ignored() -> None:
    contact = submission(contact={"name": " ", "phone": "", "email": None}).contact
    assert contact is not None
    assert (contact.name, contact.phone, contact.email) == (None, None, None)


def test_full_width_digits_are_accepted_in_a_telephone_number() -> None:
    contact = submission(contact={"phone": "１３９　００００ ００００"}).contact
    assert contact is not None
    assert contact.phone == "139 0000 0000"


@pytest.mark.parametrize(
    "address", ["o'brien+x@mail.example", "张三@例.中国", "a=b?c@x-y.example", "a.b.c@x.y.z", "writer@xn--fiq.cn"]
)
def test_plain_addresses_in_any_script_are_accepted(address: str) -> None:
    assert ContactGiven(email=f" {address} ").email == address


def test_a_fingerprint_does_not_change_when_a_field_is_added() -> None:
    class Newer(Submission):
        """A later version of the model."""

        addition: str = "usual"
        another: tuple[str, ...] = ()

    body = {**GOOD, "contact": {"phone": "13900000000"}, "departments": ["roads"]}
    older, newer = [fingerprint(form.model_validate(body)) for form in (Submission, Newer)]
    assert older == newer
    assert fingerprint(Newer.model_validate(body | {"addition": "other"})) != newer
    assert fingerprint(Submission.model_validate(dict(reversed(body.items())))) == older
    assert fingerprint(submission()) != older


@pytest.mark.parametrize(
    "changed", [{"round": 0}, {"round": "1"}, {"round": 1.5}, {"solved": "yes"}, {"satisfied": "very"}, {"words": "\0"}]
)
def test_an_invalid_rating_is_reported(changed: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as told:
        RatingGiven.model_validate_json(json.dumps({"round": 1, "solved": True, "satisfied": "yes"} | changed))
    [one] = field_problems(told.value)
    assert one.pointer == "/" + next(iter(changed))


@pytest.mark.parametrize(
    ("accept_language", "language"),
    [
        (None, "zh"),
        ("", "zh"),
        ("en", "en"),
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en;q=0.5, zh;q=0.9", "zh"),
        ("zh;q=0.5, en;q=0.9", "en"),
        ("fr, en;q=0.3", "en"),
        ("de", "zh"),
        ("en;q=0, zh;q=0", "zh"),
        ("en;q=0", "zh"),
        ("en;q=high", "zh"),
        (",;q=,;;;,", "zh"),
        ("zh, en", "zh"),
        ("EN-us", "en"),
        ("en;q=nan", "zh"),
    ],
)
def test_the_language_follows_the_writers_preference(accept_language: str | None, language: str) -> None:
    assert language_of(accept_language) == language


def test_unknown_channels_are_counted_as_other() -> None:
    assert [channel_label(one) for one in ("web", "fax", "wechat")] == ["web", "other", "wechat"]


# ── the ticket ───────────────────────────────────────────────────────────────

RECEIVED = InquiryReceived(
    inquiry_id="20260316-7KQ2M9XD", subject="路灯", body="不亮", language="en", received_at=MONDAY_NOON
)


def update(n: int, place: int, state: str) -> TicketUpdate:
    at, text = f"2026-03-16T04:0{n}:00.000Z", f"{state} {n}.{place}"
    return TicketUpdate(n, place, at, "progressed", text, state, 1, (), None)


def test_a_new_ticket_shows_the_state_registered() -> None:
    seen = ticket(RECEIVED, "2026-03-16T04:00:00.000Z", [], [])
    assert (seen.state, seen.round, seen.reply, seen.departments) == ("registered", 1, None, [])
    [entry] = seen.timeline
    assert (entry.at, entry.text) == ("2026-03-16T04:00:00.000Z", "Your message has been received.")


def test_the_ticket_shows_the_newest_state_in_any_order_of_arrival() -> None:
    updates = [update(2, 7, "in-progress"), update(1, 3, "registered"), update(1, 4, "assigned")]
    seen = ticket(RECEIVED, "", updates, [])
    assert (seen.state, seen.rated) == ("in-progress", [])
    assert [one.text for one in seen.timeline] == ["registered 1.3", "assigned 1.4", "in-progress 2.7"]
