"""The ticket's pages over HTTP: opened by a link, looked up as people type, without internals in any sentence."""

import logging
import re
from typing import Any

import httpx
import pytest

from services.intake.erasure import erase as erase_at_intake
from services.intake.tickets import WRONG_CODES
from tests.builders import contributed, received, told
from tests.component.test_intake import Intake, intake, problem
from tests.releasing import ONE, approved, reply_edited

__all__ = ["intake"]
WORDS: dict[str, Any] = {"subject": "路灯不亮", "body": "门口的路灯\n坏了三天。", "area": "人民路 7 号"}
INTERNALS = re.compile(r"contact\.|\b(None|True|False|null|pydantic|value_error|U\+\d{4})\b|'[^']*' is|\[\d+\]")
TAGS = re.compile(r"<[^>]*>")
HOSTILE = [
    "",
    " ",
    "abc",
    "\u200b",
    "\0",
    "None",
    "a" * 20_001,
    "九" * 20_001,
    "\u202e\u2066<b>",
    "1" * 41,
    "'\"`;--",
    "{}",
]


async def a_ticket(intake: Intake, **more: Any) -> tuple[str, str]:
    receipt = (await intake.write(**WORDS, **more)).json()
    return receipt["inquiry_id"], receipt["query_code"]


async def answered(intake: Intake, **more: Any) -> tuple[str, str]:
    inquiry_id, code = await a_ticket(intake, **more)
    await intake.hear(told(received("路灯不亮"), contributed("lighting", "灯亮了"), inquiry_id=inquiry_id))
    return inquiry_id, code


async def opened(intake: Intake, ticket: str, code: str, lang: str = "en") -> httpx.Response:
    return await intake.http.get("/status", params={"ticket": ticket, "code": code, "lang": lang})


def texts(page: httpx.Response) -> str:
    """What a reader sees of a page."""
    return " ".join(TAGS.sub(" ", page.text.partition("<main")[2]).split())


async def test_the_status_url_opens_the_ticket(intake: Intake) -> None:
    receipt = (await intake.write(**WORDS)).json()
    page = await intake.http.get(receipt["status_url"].removeprefix("http://127.0.0.1:8001"))
    assert page.status_code == 200
    for words in (*WORDS.values(), receipt["inquiry_id"]):
        assert words in page.text
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert f"<title>{receipt['inquiry_id']} " in page.text


async def test_the_page_after_writing_leads_to_the_ticket_in_the_same_language(intake: Intake) -> None:
    for lang, tag in (("zh", "zh-CN"), ("en", "en")):
        page = await intake.http.post("/", data=WORDS, params={"lang": lang})
        [link] = re.findall(r'<a class="button" href="([^"]+)"', page.text)
        ticket = await intake.http.get(link.replace("&amp;", "&"))
        assert (ticket.status_code, WORDS["area"] in ticket.text) == (200, True)
        assert f'<html lang="{tag}">' in ticket.text


async def test_a_reply_is_shown_with_its_opening_and_closing(intake: Intake) -> None:
    inquiry_id, code = await a_ticket(intake)
    frame = reply_edited(opening="您好：", closing="此复。")
    steps = (received("路灯不亮"), contributed("lighting", "灯亮了"), frame, approved())
    await intake.hear(told(*steps, city=ONE, inquiry_id=inquiry_id))
    page = await opened(intake, inquiry_id, code)
    assert page.status_code == 200
    assert [words for words in ("您好：", "灯亮了", "此复。") if words not in texts(page)] == []


async def test_a_link_with_a_wrong_code_is_limited_like_any_wrong_code(intake: Intake) -> None:
    inquiry_id, code = await a_ticket(intake)
    for number in range(WRONG_CODES):
        # Other notations of the number do not give further attempts.
        ticket = inquiry_id if number % 2 else f" {inquiry_id.lower().replace('-', '–')} "
        assert (await opened(intake, ticket, "000000000000")).status_code == 404
    assert (await opened(intake, inquiry_id.replace("-", ""), "000000000000")).status_code == 429
    problem(await intake.look(inquiry_id.lower(), "000000000000"), 429)
    assert (await opened(intake, inquiry_id, code)).status_code == 200


async def test_a_link_without_a_code_asks_for_it(intake: Intake) -> None:
    for query in ("ticket=20260316-7KQ2M9XD", "ticket=20260316-7KQ2M9XD&code=", "inquiry_id=20260316-7KQ2M9XD"):
        page = await intake.http.get(f"/status?{query}")
        assert (page.status_code, 'value="20260316-7KQ2M9XD"' in page.text) == (200, True)


async def test_the_link_of_an_erased_ticket_shows_no_word(intake: Intake) -> None:
    inquiry_id, code = await answered(intake)
    await erase_at_intake(intake.store, intake.ledger, inquiry_id, 9)
    page = await opened(intake, inquiry_id, code)
    assert (page.status_code, "have been erased" in page.text) == (200, True)
    assert not any(words in page.text for words in WORDS.values())


async def test_a_link_leaves_no_code_in_the_logs(intake: Intake, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "chorus")
    caplog.set_level(logging.INFO, "uvicorn")
    inquiry_id, code = await a_ticket(intake)
    await opened(intake, inquiry_id, code)
    await opened(intake, inquiry_id, "WRNGC0DE0000")
    logged = "".join(f"{vars(one)}" for one in caplog.records if one.name != "httpx")
    assert inquiry_id in logged
    assert code not in logged
    assert "WRNGC0DE0000" not in logged


@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_the_look_up_accepts_what_people_type(intake: Intake, lang: str) -> None:
    inquiry_id, code = await a_ticket(intake)
    day, letters = inquiry_id.split("-")
    wide = str.maketrans({chr(one): chr(one + 0xFEE0) for one in range(0x21, 0x7F)})
    similar = str.maketrans("10", "lo")
    for number in (
        day + letters,
        f"{day} {letters}",
        f"{day[:4]} {day[4:]} – {letters[:4]} {letters[4:]}",
        f"{day}—{letters.lower()}",
        inquiry_id.translate(wide),
        inquiry_id.lower().translate(similar),
    ):
        for given in (
            code,
            f"{code[:4]} {code[4:8]}-{code[8:]}".lower(),
            code.translate(wide),
            code.translate(similar),
        ):
            data = {"inquiry_id": number, "code": given}
            page = await intake.http.post("/status", data=data, params={"lang": lang})
            assert (page.status_code, inquiry_id in page.text) == (200, True), (number, given)
    seen = await intake.look(f"{day}{letters}".lower(), code)
    assert (seen.status_code, seen.json()["inquiry_id"]) == (200, inquiry_id)


async def test_a_rating_under_a_typed_number_counts_for_the_ticket(intake: Intake) -> None:
    inquiry_id, code = await answered(intake)
    rating = {"round": 1, "solved": True, "satisfied": "mostly", "words": "还行"}
    typed = inquiry_id.lower().replace("-", " ")
    first, again = [
        await intake.http.post(f"/inquiries/{one}/rating", json=rating, headers={"X-Query-Code": code})
        for one in (typed, inquiry_id)
    ]
    assert (first.status_code, again.status_code, first.json()) == (202, 202, again.json())
    assert len(await intake.ledger.of(inquiry_id)) == 2


async def test_the_ticket_as_json_has_the_message_the_deadline_and_the_ratings(intake: Intake) -> None:
    inquiry_id, code = await a_ticket(intake, public=True, confidential=True)
    seen = (await intake.look(inquiry_id, code)).json()
    assert {name: seen[name] for name in WORDS} == WORDS
    assert (seen["public"], seen["confidential"], seen["answer_due_at"]) == (True, True, None)
    story = told(received("路灯和路面都坏了"), inquiry_id=inquiry_id)
    await intake.hear(story)
    seen = (await intake.look(inquiry_id, code)).json()
    assert seen["answer_due_at"] == max(one["due_at"] for one in seen["departments"])
    await intake.hear(
        told(contributed("lighting", "亮了"), contributed("roads", "补了"), after_this=story, inquiry_id=inquiry_id)
    )
    rating = {"round": 1, "solved": False, "satisfied": "no", "words": "还没好"}
    await intake.http.post(f"/inquiries/{inquiry_id}/rating", json=rating, headers={"X-Query-Code": code})
    seen = (await intake.look(inquiry_id, code)).json()
    assert (seen["answer_due_at"], seen["rated"], seen["ratings"]) == (None, [1], [rating])


@pytest.mark.parametrize(
    ("lang", "next_step"), [("zh", "请重新提交诉求并写明此编号"), ("en", "please write to us again")]
)
async def test_after_a_rating_the_page_shows_it_and_what_happens_next(
    intake: Intake, lang: str, next_step: str
) -> None:
    inquiry_id, code = await answered(intake)
    form = {"inquiry_id": inquiry_id, "code": code, "round": "1", "solved": "false", "satisfied": "no"}
    for words in ("还没好", "还没好", "别的话"):
        page = await intake.http.post("/status/rating", data=form | {"words": words}, params={"lang": lang})
        assert page.status_code == (422 if words == "别的话" else 200)
        assert next_step in page.text
        assert "还没好" in page.text
    assert next_step in (await opened(intake, inquiry_id, code, lang)).text


async def test_a_rating_during_erasure_shows_nothing_of_the_ticket(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    inquiry_id, code = await answered(intake)
    accept = intake.ledger.accept

    async def after_the_erasure(given: Any) -> Any:
        await erase_at_intake(intake.store, intake.ledger, inquiry_id, 9)
        return await accept(given)

    monkeypatch.setattr(intake.ledger, "accept", after_the_erasure)
    form = {"inquiry_id": inquiry_id, "code": code, "round": "1", "solved": "true", "satisfied": "yes"}
    for where, more in (("rating", {}), ("withdrawal", {"act": "withdraw"})):
        page = await intake.http.post(f"/status/{where}", data=form | more)
        assert (page.status_code, "已删除" in page.text) == (200, True)
        assert not any(words in page.text for words in WORDS.values())


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("field", ["subject", "body", "area", "name", "phone", "email", "departments", "public", "key"])
async def test_the_form_tells_no_internals_whatever_is_typed(intake: Intake, lang: str, field: str) -> None:
    for value in HOSTILE:
        page = await intake.http.post("/", data=WORDS | {field: value}, params={"lang": lang})
        assert page.status_code in (202, 422), (field, value)
        without_what_was_typed = texts(page).replace(value, "") if len(value) > 3 else texts(page)
        assert not INTERNALS.search(without_what_was_typed), (field, value)
        if page.status_code == 422:
            assert 'role="alert"' in page.text


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("field", ["inquiry_id", "code", "round", "solved", "satisfied", "words"])
async def test_the_rating_tells_no_internals_whatever_is_typed(intake: Intake, lang: str, field: str) -> None:
    inquiry_id, code = await answered(intake)
    good = {"inquiry_id": inquiry_id, "code": code, "round": "1", "solved": "true", "satisfied": "yes"}
    for value in [*HOSTILE, "-1", "²", "9" * 5_000]:
        page = await intake.http.post("/status/rating", data=good | {field: value}, params={"lang": lang})
        assert page.status_code in (200, 404, 422, 429), (field, value)
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        without_what_was_typed = texts(page).replace(value, "") if len(value) > 3 else texts(page)
        assert not INTERNALS.search(without_what_was_typed), (field, value)


async def test_a_form_that_is_loaded_again_keeps_its_language(intake: Intake) -> None:
    answer = await intake.http.get("/status/rating", params={"lang": "en"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/status?lang=en")
