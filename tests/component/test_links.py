"""The request for the link to a ticket: what it answers never tells whether the ticket exists."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.intake import links
from services.intake.erasure import erase as erase_at_intake
from services.intake.links import ANSWER_STEP_S, LINKS_A_DAY, LINKS_AN_HOUR, Links
from shared.contracts import ids
from shared.kafka import topics
from shared.runtime import timestamps
from shared.runtime.settings import Settings
from shared.store.mongo import Database, StoreUnavailable
from tests.builders import contributed, link_requested, received, told
from tests.component.test_intake import BEARER, Intake, intake, problem

__all__ = ["intake"]
UNKNOWN = "20260316-ZZZZZZZZ"
CONTACT = {"email": "writer@mail.example"}
NOW = timestamps.now()


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Answers come at once, and the ledger's time passes only when a test says so."""
    monkeypatch.setattr(links, "ANSWER_STEP_S", 0.001)
    now = [NOW]
    monkeypatch.setattr(timestamps, "now", lambda: now[0])

    def passes(period: timedelta) -> None:
        now[0] += period

    return passes


def forget(intake: Intake) -> None:
    """What a restart does to the limits in memory."""
    fresh = Links(intake.store, intake.ledger, Settings())
    intake.links._clients, intake.links._tickets = fresh._clients, fresh._tickets


async def written(intake: Intake, **more: Any) -> str:
    receipt = (await intake.write(contact=CONTACT, **more)).json()
    inquiry_id: str = receipt["inquiry_id"]
    return inquiry_id


async def ask(intake: Intake, inquiry_id: str, lang: str = "en") -> httpx.Response:
    return await intake.http.post(f"/inquiries/{inquiry_id}/link-request", params={"lang": lang})


async def ask_on_page(intake: Intake, inquiry_id: str, lang: str = "en") -> httpx.Response:
    return await intake.http.post("/status/link", data={"inquiry_id": inquiry_id}, params={"lang": lang})


async def requests(intake: Intake, inquiry_id: str) -> list[dict[str, Any]]:
    return [one for one in await intake.ledger.of(inquiry_id) if one["type"] == "chorus.inquiry.link-requested"]


async def test_a_request_is_published_as_an_input_of_the_case(intake: Intake) -> None:
    inquiry_id = await written(intake)
    assert (await ask(intake, inquiry_id)).status_code == 202
    key, value, headers = (await intake.publisher.until(2, topics.INPUTS))[1]
    assert (key, value) == (inquiry_id.encode(), f'{{"inquiry_id":"{inquiry_id}"}}'.encode())
    named = dict(headers)
    assert (named["ce_type"], named["ce_actor"]) == (b"chorus.inquiry.link-requested", b"resident")


@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_the_answer_is_the_same_for_every_ticket(intake: Intake, lang: str) -> None:
    with_address, without = await written(intake), (await intake.write()).json()["inquiry_id"]
    erased = await written(intake)
    await erase_at_intake(intake.store, intake.ledger, erased, 1)
    tickets = (with_address, without, erased, UNKNOWN)
    for way in (ask, ask_on_page):
        answers = [await way(intake, one, lang) for one in tickets]
        assert {(one.status_code, one.text, str(one.headers)) for one in answers} == {
            (202, answers[0].text, str(answers[0].headers))
        }
        words = {"zh": "并且提交时留了邮箱", "en": "and its writer gave an e-mail address"}[lang]
        assert words in answers[0].text
        assert not any(one in answers[0].text for one in tickets)


async def test_unknown_and_erased_tickets_leave_nothing_behind(intake: Intake) -> None:
    erased = await written(intake)
    await erase_at_intake(intake.store, intake.ledger, erased, 1)
    before = await intake.ledger.entries.count_documents({})
    for one in (erased, UNKNOWN):
        assert (await ask(intake, one)).status_code == 202
    assert await intake.ledger.entries.count_documents({}) == before


async def test_a_request_during_erasure_keeps_nothing_but_its_id(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    inquiry_id, accept = await written(intake), intake.ledger.accept

    async def after_the_erasure(given: Any) -> Any:
        await erase_at_intake(intake.store, intake.ledger, inquiry_id, 9)
        return await accept(given)

    monkeypatch.setattr(intake.ledger, "accept", after_the_erasure)
    assert (await ask(intake, inquiry_id)).status_code == 202
    [entry] = await requests(intake, inquiry_id)
    assert "value" not in entry
    assert "salt" not in entry


async def test_an_imported_resident_gets_the_link_too(intake: Intake) -> None:
    receipt = await intake.write(BEARER, contact=CONTACT, channel="import", external_id="A-1")
    inquiry_id = receipt.json()["inquiry_id"]
    await ask(intake, inquiry_id)
    assert len(await requests(intake, inquiry_id)) == 1


@pytest.mark.parametrize("change", [str.lower, lambda one: one.replace("-", " — "), lambda one: one.replace("-", "")])
async def test_the_number_may_be_typed_in_any_way(intake: Intake, change: Callable[[str], str]) -> None:
    inquiry_id = await written(intake)
    assert (await ask_on_page(intake, change(inquiry_id))).status_code == 202
    assert len(await requests(intake, inquiry_id)) == 1


@pytest.mark.parametrize("typed", ["", " ", "abc", "20260316", "\u0000", "<script>", "九" * 300])
async def test_what_cannot_be_a_number_is_answered_with_how_to_write_one(intake: Intake, typed: str) -> None:
    page = await ask_on_page(intake, typed)
    assert page.status_code == 422
    assert "Enter the ticket number, for example 20261122-ABCDEFGH." in page.text
    assert "请填写编号，例如 20261122-ABCDEFGH。" in (await ask_on_page(intake, typed, "zh")).text
    assert "<script>" not in page.text


async def test_the_api_names_what_is_wrong_with_a_number(intake: Intake) -> None:
    body = problem(await ask(intake, "abc"), 422)
    assert body["errors"] == [
        {
            "pointer": "/inquiry_id",
            "detail": "inquiry_id 'abc' is not a ticket number; write one such as 20261122-7KX4MQ2B",
        }
    ]


async def test_twice_in_a_minute_is_one_request(intake: Intake, clock: Callable[[timedelta], None]) -> None:
    inquiry_id = await written(intake)
    answers = await asyncio.gather(ask_on_page(intake, inquiry_id), ask_on_page(intake, inquiry_id))
    assert [one.status_code for one in answers] == [202, 202]
    assert len(await requests(intake, inquiry_id)) == 1
    clock(timedelta(minutes=1))
    await ask_on_page(intake, inquiry_id)
    assert len(await requests(intake, inquiry_id)) == 2


@pytest.mark.parametrize("way", [ask, ask_on_page])
async def test_the_limit_is_the_same_for_known_and_unknown_tickets(
    intake: Intake, way: Callable[..., Awaitable[httpx.Response]]
) -> None:
    answers = {}
    for one in (await written(intake), UNKNOWN):
        for _ in range(LINKS_AN_HOUR):
            assert (await way(intake, one)).status_code == 202
        # Another notation of the number is the same number.
        limited = await way(intake, one.lower().replace("-", ""))
        assert 0 < int(limited.headers["retry-after"]) <= 3_601
        answers[one] = limited.status_code, re.sub(r"\d+ s|value=.*?>", "", limited.text)
    [(status, text)] = set(answers.values())
    assert status == 429
    assert "try again" in text


async def test_after_a_restart_the_ledger_limits_without_saying_so(
    intake: Intake, clock: Callable[[timedelta], None]
) -> None:
    inquiry_id = await written(intake)

    async def sent_after(attempts: int) -> int:
        for _ in range(attempts):
            forget(intake)
            assert (await ask(intake, inquiry_id)).status_code == 202
            clock(timedelta(minutes=2))
        return len(await requests(intake, inquiry_id))

    assert await sent_after(LINKS_AN_HOUR + 2) == LINKS_AN_HOUR
    clock(timedelta(hours=1))
    assert await sent_after(LINKS_AN_HOUR + 2) == LINKS_A_DAY
    clock(timedelta(hours=2))
    assert await sent_after(1) == LINKS_A_DAY
    clock(timedelta(days=1))
    assert await sent_after(1) == LINKS_A_DAY + 1


async def test_a_client_is_limited_before_it_uses_up_the_limit_of_a_ticket(
    database: Database, publisher: Any, settings: Settings
) -> None:
    one = Intake(database, publisher, settings.model_copy(update={"submissions_per_minute": 2}))
    async with one.http:
        numbers = [ids.new_inquiry_id(NOW.date()) for _ in range(3)]
        assert [(await ask(one, number)).status_code for number in numbers] == [202, 202, 429]
        page = await ask_on_page(one, numbers[2], "zh")
        assert (page.status_code, "申请链接的次数过多" in page.text) == (429, True)
        assert numbers[2] not in one.links._tickets._times


async def test_an_unavailable_store_is_503(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(inquiry_id: str) -> Any:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(intake.ledger, "of", away)
    problem(await ask(intake, UNKNOWN), 503)
    for _ in range(LINKS_AN_HOUR):
        page = await ask_on_page(intake, UNKNOWN, "zh")
        assert (page.status_code, page.headers["retry-after"]) == (503, "5")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
    monkeypatch.undo()
    monkeypatch.setattr(links, "ANSWER_STEP_S", 0.001)
    assert (await ask(intake, UNKNOWN)).status_code == 202, "failed requests do not count"


async def test_without_kafka_a_request_is_accepted(intake: Intake) -> None:
    inquiry_id = await written(intake)
    intake.publisher.away = True
    assert (await ask(intake, inquiry_id)).status_code == 202
    assert len(await requests(intake, inquiry_id)) == 1


async def test_known_and_unknown_tickets_are_answered_at_the_same_time(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "ANSWER_STEP_S", ANSWER_STEP_S)
    inquiry_id, accept = await written(intake), intake.ledger.accept

    async def slowly(entry: Any) -> Any:
        await asyncio.sleep(0.2)
        return await accept(entry)

    monkeypatch.setattr(intake.ledger, "accept", slowly)
    took: list[float] = []
    for one in (inquiry_id, UNKNOWN):
        began = time.monotonic()
        await ask(intake, one)
        took.append(time.monotonic() - began)
    assert len(await requests(intake, inquiry_id)) == 1
    assert abs(took[0] - took[1]) < 0.1, took


async def test_the_ticket_does_not_show_that_a_link_was_sent(intake: Intake) -> None:
    receipt = (await intake.write()).json()
    inquiry_id, code = receipt["inquiry_id"], receipt["query_code"]
    story = told(received("路灯不亮"), link_requested(), contributed("lighting", "亮了"), link_requested())
    await intake.hear(told(received("路灯不亮"), link_requested(), inquiry_id=inquiry_id))
    seen = (await intake.look(inquiry_id, code)).json()
    assert (seen["state"], len(seen["timeline"])) == ("assigned", 2)
    assert "link" in {one["what"] for _, one in story.on(topics.RESIDENTS)}


async def test_the_number_that_was_typed_stays_on_the_way_to_the_link(intake: Intake) -> None:
    page = await intake.http.post("/status", data={"inquiry_id": "20260316 7kq2m9xd&x", "code": "wrong"})
    assert page.status_code == 404
    assert 'href="/status/link?lang=zh&amp;ticket=20260316%207kq2m9xd%26x"' in page.text


async def test_the_page_is_linked_from_the_look_up_and_works_without_scripts(intake: Intake) -> None:
    for lang, words in (("zh", "忘记查询码"), ("en", "I have lost my query code")):
        page = await intake.http.get("/status", params={"lang": lang})
        assert f'<a href="/status/link?lang={lang}">{words}</a>' in page.text
        form = await intake.http.get("/status/link", params={"lang": lang, "ticket": "20260316-7KQ2M9XD"})
        assert f'action="/status/link?lang={lang}"' in form.text
        assert 'value="20260316-7KQ2M9XD"' in form.text
        assert (form.headers["cache-control"], form.headers["referrer-policy"]) == ("no-store", "no-referrer")
