"""Additions over HTTP and on the ticket's page: taken once, limited, and refused when the ticket has ended."""

import asyncio
import re
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.intake.erasure import erase as erase_at_intake
from shared.contracts.limits import ADDITION_MAX, ADDITIONS_MAX
from shared.kafka import topics
from shared.runtime import timestamps
from tests.asking import ASKING, asked, ringing
from tests.builders import MONDAY_NOON, Story, contributed, later, received, told
from tests.component.test_intake import Intake, intake, problem
from tests.component.test_ticket_pages import HOSTILE, INTERNALS, a_ticket, opened, texts

__all__ = ["intake"]
WORDS = {"text": "在三号楼东侧。\n第二盏。"}
KEY = {"Idempotency-Key": "a random key of the resident"}


async def add(intake: Intake, ticket: str, code: str, headers: Any = None, **changed: Any) -> httpx.Response:
    where = f"/inquiries/{ticket}/additions"
    return await intake.http.post(where, json=WORDS | changed, headers={"X-Query-Code": code} | (headers or {}))


async def entries(intake: Intake, kind: str = "chorus.inquiry.added") -> list[dict[str, Any]]:
    return await intake.ledger.entries.find({"type": kind}).to_list(None)


def story_of(ticket: str, *steps: Any) -> Story:
    return told(received("路灯不亮"), *steps, city=ASKING, inquiry_id=ticket)


# ── the route ────────────────────────────────────────────────────────────────


async def test_an_addition_is_taken_published_and_shown(intake: Intake) -> None:
    ticket, code = await a_ticket(intake)
    answer = await add(intake, ticket, code)
    assert answer.status_code == 202
    [entry] = await entries(intake)
    assert answer.json() == {"event_id": entry["_id"]}
    rows = await intake.publisher.until(2, topics.INPUTS)
    assert dict(rows[-1][2])["ce_type"] == b"chorus.inquiry.added"
    assert dict(rows[-1][2])["ce_actor"] == b"resident"
    seen = (await intake.look(ticket, code)).json()
    assert [one["text"] for one in seen["additions"]] == [WORDS["text"]]


async def test_the_same_key_and_words_are_one_addition(intake: Intake) -> None:
    ticket, code = await a_ticket(intake)
    first, again = [await add(intake, ticket, code, KEY) for _ in range(2)]
    assert (first.status_code, first.json()) == (202, again.json())
    assert len(await entries(intake)) == 1
    problem(await add(intake, ticket, code, KEY, text="别的话"), 422)
    await add(intake, ticket, code)
    assert len(await entries(intake)) == 2


async def test_one_key_is_two_additions_for_two_tickets(intake: Intake) -> None:
    for _ in range(2):
        ticket, code = await a_ticket(intake)
        assert (await add(intake, ticket, code, KEY)).status_code == 202
    assert len(await entries(intake)) == 2


async def test_a_wrong_code_looks_like_an_unknown_ticket(intake: Intake) -> None:
    ticket, code = await a_ticket(intake)
    wrong, unknown = await add(intake, ticket, "WRONGCODE000"), await add(intake, "20260316-00000000", code)
    assert problem(wrong, 404)["detail"] == problem(unknown, 404)["detail"]
    assert await entries(intake) == []


@pytest.mark.parametrize("text", ["", " \n", "\u200b", "a\0b", "a" * (ADDITION_MAX + 1), None, 7, ["x"]])
async def test_words_that_cannot_be_taken_are_refused(intake: Intake, text: object) -> None:
    ticket, code = await a_ticket(intake)
    assert problem(await add(intake, ticket, code, text=text), 422)["errors"][0]["pointer"] == "/text"


async def test_the_number_of_additions_is_limited_also_at_once(intake: Intake) -> None:
    ticket, code = await a_ticket(intake)
    answers = await asyncio.gather(*(add(intake, ticket, code, text=f"第{n}次") for n in range(ADDITIONS_MAX + 3)))
    assert sorted(one.status_code for one in answers) == [202] * ADDITIONS_MAX + [409] * 3
    assert len(await entries(intake)) == ADDITIONS_MAX
    assert (await intake.look(ticket, code)).json()["can_add"] is False


async def test_a_question_can_be_answered_although_the_number_of_additions_is_reached(intake: Intake) -> None:
    ticket, code = await a_ticket(intake)
    for number in range(ADDITIONS_MAX):
        assert (await add(intake, ticket, code, text=f"第{number}次")).status_code == 202
    problem(await add(intake, ticket, code), 409)
    # The question is later than the additions.
    await intake.hear(story_of(ticket, later(asked("lighting"), timestamps.now() + timedelta(minutes=1))))
    assert (await intake.look(ticket, code)).json()["can_add"] is True
    assert (await add(intake, ticket, code)).status_code == 202


async def test_an_answered_ticket_takes_no_addition_and_a_repeat_still_gets_its_answer(intake: Intake) -> None:
    ticket, code = await a_ticket(intake)
    first = await add(intake, ticket, code, KEY)
    await intake.hear(story_of(ticket, contributed("lighting", "灯亮了")))
    refused = problem(await add(intake, ticket, code), 409)
    assert refused["detail"] == "Nothing can be added now; the ticket is answered. Rate the reply, or write again."
    assert (await add(intake, ticket, code, KEY)).json() == first.json()


async def test_a_ticket_that_is_closed_without_an_answer_takes_the_late_answer(intake: Intake) -> None:
    ticket, code = await a_ticket(intake)
    closed = ringing(story_of(ticket, asked("lighting")), MONDAY_NOON.replace(month=5))
    await intake.hear(closed)
    seen = (await intake.look(ticket, code)).json()
    assert (seen["state"], seen["can_add"]) == ("closed", True)
    assert (await add(intake, ticket, code)).status_code == 202


async def test_an_erased_ticket_takes_nothing(intake: Intake) -> None:
    ticket, code = await a_ticket(intake)
    await add(intake, ticket, code)
    await erase_at_intake(intake.store, intake.ledger, ticket, 1)
    assert "the ticket is erased" in problem(await add(intake, ticket, code), 409)["detail"]
    assert all("value" not in one for one in await entries(intake))


# ── the page ─────────────────────────────────────────────────────────────────


async def sent(intake: Intake, page: httpx.Response, text: str, lang: str = "en") -> httpx.Response:
    """Send the form of a page, as a browser does."""
    form = page.text.partition('action="/status/addition')[2].partition("</form>")[0]
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
    return await intake.http.post("/status/addition", data={**hidden, "text": text}, params={"lang": lang})


@pytest.mark.parametrize(
    ("lang", "question", "label"), [("zh", "需要您补充情况", "您的回复"), ("en", "We have a question", "Your answer")]
)
async def test_the_page_asks_and_takes_the_answer(intake: Intake, lang: str, question: str, label: str) -> None:
    ticket, code = await a_ticket(intake)
    await intake.hear(story_of(ticket, asked("lighting", "哪一栋？")))
    page = await opened(intake, ticket, code, lang)
    for words in (question, label, "哪一栋？", "路灯管理所"):
        assert words in texts(page)
    done = await sent(intake, page, "三号楼", lang)
    assert done.status_code == 200
    assert "三号楼" in texts(done)
    # The answer is on its way to the departments: the page does not ask again.
    assert label not in texts(done)
    [entry] = await entries(intake)
    assert '"三号楼"' in entry["value"]


async def test_the_same_form_twice_is_one_addition_and_an_edited_one_another(intake: Intake) -> None:
    ticket, code = await a_ticket(intake)
    page = await opened(intake, ticket, code)
    for text in ("在东门", "在东门", "在西门"):
        assert (await sent(intake, page, text)).status_code == 200
    assert sorted(one["value"].partition('"text":')[2] for one in await entries(intake)) == ['"在东门"}', '"在西门"}']


@pytest.mark.parametrize("text", ["", "\u200b", "九" * (ADDITION_MAX + 1), "\0"])
async def test_a_form_that_cannot_be_taken_comes_back_with_its_words(intake: Intake, text: str) -> None:
    ticket, code = await a_ticket(intake)
    answer = await sent(intake, await opened(intake, ticket, code), text)
    assert answer.status_code == 422
    assert 'id="text-error"' in answer.text
    assert not INTERNALS.search(texts(answer))
    assert await entries(intake) == []


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_values_never_lead_to_an_error_page_of_the_server(intake: Intake, text: str) -> None:
    ticket, code = await a_ticket(intake)
    for form in (
        {"inquiry_id": ticket, "code": code, "text": text, "key": text},
        {"inquiry_id": text, "code": text, "text": "x"},
        {"text": text},
        {},
    ):
        answer = await intake.http.post("/status/addition", data=form)
        assert answer.status_code in (200, 404, 413, 422, 429), answer.text


async def test_an_ended_ticket_says_that_nothing_can_be_added(intake: Intake) -> None:
    ticket, code = await a_ticket(intake)
    page = await opened(intake, ticket, code)
    await intake.hear(story_of(ticket, contributed("lighting", "灯亮了")))
    answer = await sent(intake, page, "还有一件事")
    assert answer.status_code == 422
    assert "Nothing can be added to this message now." in texts(answer)
    assert "/status/addition" not in answer.text


async def test_the_page_of_a_closed_ticket_says_why_and_takes_the_answer(intake: Intake) -> None:
    ticket, code = await a_ticket(intake)
    await intake.hear(ringing(story_of(ticket, asked("lighting")), MONDAY_NOON.replace(month=5)))
    page = await opened(intake, ticket, code)
    assert "Your message is closed, because we did not receive your answer." in texts(page)
    assert (await sent(intake, page, "三号楼")).status_code == 200
    assert len(await entries(intake)) == 1


async def test_reloading_the_address_of_the_form_leads_to_the_status(intake: Intake) -> None:
    answer = await intake.http.get("/status/addition")
    assert (answer.status_code, answer.headers["location"]) == (303, "/status?lang=zh")
