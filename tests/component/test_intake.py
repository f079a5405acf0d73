"""Intake's HTTP API: accepted and rejected messages, tickets, ratings, and logs without personal data."""

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.intake import api, pages, report_pages, ticket_pages
from services.intake.domain import OPEN_CHANNELS
from services.intake.handlers import TicketUpdates
from services.intake.links import Links
from services.intake.reports import Reports
from services.intake.store import IntakeStore
from services.intake.submissions import Submissions
from services.intake.tickets import WRONG_CODES, Tickets
from services.intake.views import HERE as INTAKE
from shared.city import City, retire
from shared.contracts import ids
from shared.http import problems
from shared.http.direct_routes import install_direct_routes
from shared.http.identity import WRONG_TOKENS
from shared.kafka import topics
from shared.ledger import ledger
from shared.ledger.ledger import Ledger
from shared.ledger.relay import Relay
from shared.masking.case import CaseTexts, Masked
from shared.masking.worker import Masker, MaskingUnavailable
from shared.runtime.settings import Settings
from shared.service.city_feed import CityFeed
from shared.service.event_decoders import read_told
from shared.store.mongo import Database, StoreUnavailable
from tests.builders import CITY, Story, contributed, received, record_of, told
from tests.component.conftest import in_background
from tests.fakes import FakePublisher, MaskerInProcess

SECRET = b"the secret of the query codes, 32+"
TOKEN = b"the token of a channel or operator"
BEARER = {"Authorization": f"Bearer {TOKEN.decode()}"}
KEY = "a random key of a client"
GOOD: dict[str, Any] = {"subject": "路灯不亮", "body": "门口的路灯坏了三天。"}


class Intake:
    """An intake without Kafka, with an HTTP client."""

    def __init__(self, database: Database, publisher: FakePublisher, settings: Settings) -> None:
        self.store, self.ledger = IntakeStore(database), Ledger(database, "ledger")
        self.city: CityFeed[City] = CityFeed(lambda revision: revision)
        submissions = Submissions(self.ledger, self.city, settings, SECRET)
        tickets = Tickets(self.store, self.ledger, settings, SECRET)
        self.links = Links(self.store, self.ledger, settings)
        self.reports = Reports(self.store, self.ledger, settings)
        self.publisher = publisher
        self.masker: Masker = MaskerInProcess()
        app = FastAPI()
        problems.install(app)
        app.include_router(api.routes(submissions, tickets, self.links, self.reports, TOKEN))
        app.include_router(pages.routes(submissions, self.masker, INTAKE))
        app.include_router(ticket_pages.routes(submissions, tickets, self.links, INTAKE))
        app.include_router(report_pages.routes(self.reports, INTAKE))
        install_direct_routes(app)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://intake.example")

    async def write(self, headers: dict[str, str] | None = None, **changed: Any) -> httpx.Response:
        return await self.http.post("/inquiries", json=GOOD | changed, headers=headers)

    async def look(self, inquiry_id: str, code: str) -> httpx.Response:
        return await self.http.get(f"/inquiries/{inquiry_id}", headers={"X-Query-Code": code})

    async def hear(self, story: Story) -> None:
        """Handle the resident messages of a story."""
        rows = [record_of(one, n) for n, one in enumerate(story.messages) if one.topic == topics.RESIDENTS]
        await TicketUpdates(self.store, self.ledger).save([one for one in map(read_told, rows) if one])


@pytest.fixture
async def intake(database: Database, publisher: FakePublisher, settings: Settings) -> AsyncIterator[Intake]:
    one = Intake(database, publisher, settings)
    await one.store.prepare()
    await one.ledger.prepare()
    one.city.use(CITY)
    async with one.http, in_background(one.ledger.write_groups, Relay(one.ledger, publisher).publish_fresh):
        yield one


def problem(response: httpx.Response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["status"] == status
    assert body["detail"].endswith(".")
    assert all(set(one) == {"pointer", "detail"} for one in body["errors"])
    return body


# ── writing in ───────────────────────────────────────────────────────────────


async def test_a_message_is_accepted_and_published(intake: Intake) -> None:
    response = await intake.write(contact={"phone": "13900000000"}, public=True, area="东屿区")
    assert response.status_code == 202
    receipt = response.json()
    assert receipt["query_code"] == ids.query_code(SECRET, receipt["inquiry_id"])
    link = f"ticket={receipt['inquiry_id']}&code={receipt['query_code']}"
    assert receipt["status_url"] == f"http://127.0.0.1:8001/status?{link}"
    [(key, value, headers)] = await intake.publisher.until(1, topics.INPUTS)
    assert key == receipt["inquiry_id"].encode()
    given = json.loads(value or b"")
    assert given["contact"]["phone"] == "13900000000"
    assert given["language"] == "zh"
    assert dict(headers)["ce_type"] == b"chorus.inquiry.received"
    assert dict(headers)["ce_recordedtime"] == given["received_at"].encode()


async def test_the_language_follows_accept_language_unless_given(intake: Intake) -> None:
    await intake.write({"Accept-Language": "en-GB,en;q=0.9"})
    await intake.write({"Accept-Language": "en"}, language="zh")
    rows = await intake.publisher.until(2, topics.INPUTS)
    assert sorted(json.loads(value or b"")["language"] for _, value, _ in rows) == ["en", "zh"]


@pytest.mark.parametrize(
    ("changed", "pointer", "detail"),
    [
        ({"subject": ""}, "/subject", "subject '' is empty"),
        ({"body": "\0"}, "/body", "body '\0' contains U+0000"),
        ({"body": "字" * 20_001}, "/body", "body has 20001 characters; write at most 20000"),
        ({"departments": ["a\0b"]}, "/departments/0", "departments[0] 'a\0b' is not a department code"),
        ({"departments": ["ghosts"]}, "/departments/0", "departments[0] 'ghosts' is not a department here"),
        ({"departments": [f"d{n}" for n in range(21)]}, "/departments", "departments has 21 entries; write at most 20"),
        ({"contact": {"email": "x"}}, "/contact/email", "contact.email 'x' is not an e-mail address"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
async def test_an_invalid_field_is_422_with_pointer_and_message(
    intake: Intake, changed: dict[str, Any], pointer: str, detail: str
) -> None:
    body = problem(await intake.write(**changed), 422)
    assert body["errors"][0]["pointer"] == pointer
    assert body["errors"][0]["detail"].startswith(detail)
    assert await intake.ledger.entries.count_documents({}) == 0


async def test_a_retired_department_is_422_and_without_a_directory_every_code_is_accepted(intake: Intake) -> None:
    intake.city.use(retire(CITY, "parks").model_copy(update={"revision": 2}))
    problem(await intake.write(departments=["parks"]), 422)
    intake.city.city = None
    assert (await intake.write(departments=["parks"])).status_code == 202
    assert (
        problem(await intake.write(departments=["parks", "x" * 5_000]), 422)["errors"][0]["pointer"] == "/departments/1"
    )


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"{", "application/json", 422),
        (b"[]", "application/json", 422),
        (b"\xff", "application/json", 422),
        (b"", "application/json", 422),
        (b"[" * 100_000, "application/json", 422),
        (b'{"subject": "\\ud83d", "body": "x"}', "application/json", 422),
        (json.dumps(GOOD).encode(), "text/plain", 415),
        (json.dumps(GOOD).encode(), "", 415),
        (json.dumps(GOOD | {"body": "x" * 300_000}).encode(), "application/json", 413),
    ],
    ids=lambda value: repr(value)[:20],
)
async def test_a_body_that_is_not_a_message_is_rejected(
    intake: Intake, content: bytes, media_type: str, status: int
) -> None:
    headers = {"Content-Type": media_type} if media_type else {}
    problem(await intake.http.post("/inquiries", content=content, headers=headers), status)


async def test_json_with_charset_utf_8_is_accepted(intake: Intake) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    assert (await intake.http.post("/inquiries", content=json.dumps(GOOD), headers=headers)).status_code == 202


# ── once ─────────────────────────────────────────────────────────────────────


async def test_the_same_key_and_body_return_the_same_ticket(intake: Intake) -> None:
    first, again = [await intake.write({"Idempotency-Key": KEY}) for _ in range(2)]
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()
    assert ("idempotent-replayed" in first.headers, again.headers["idempotent-replayed"]) == (False, "true")
    assert await intake.ledger.entries.count_documents({}) == 1


async def test_the_same_key_with_another_body_is_422_without_ticket_or_code(intake: Intake) -> None:
    receipt = (await intake.write({"Idempotency-Key": KEY})).json()
    answer = await intake.write({"Idempotency-Key": KEY}, body="别的事")
    problem(answer, 422)
    assert receipt["inquiry_id"] not in answer.text
    assert receipt["query_code"] not in answer.text


async def test_the_same_key_still_in_flight_is_409(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go = asyncio.Event(), asyncio.Event()
    accept = intake.ledger.accept

    async def slowly(entry: Any) -> Any:
        begun.set()
        await go.wait()
        return await accept(entry)

    monkeypatch.setattr(intake.ledger, "accept", slowly)
    first = asyncio.create_task(intake.write({"Idempotency-Key": KEY}))
    await begun.wait()
    problem(await intake.write({"Idempotency-Key": KEY}), 409)
    go.set()
    assert (await first).status_code == 202


async def test_a_repeat_returns_its_ticket_after_a_department_was_retired(intake: Intake) -> None:
    first = await intake.write({"Idempotency-Key": KEY}, departments=["parks"])
    intake.city.use(retire(CITY, "parks").model_copy(update={"revision": 2}))
    again = await intake.write({"Idempotency-Key": KEY}, departments=["parks"])
    assert (again.status_code, again.json()) == (202, first.json())


async def test_an_external_id_needs_the_token_and_is_unique_in_its_channel(intake: Intake) -> None:
    body = problem(await intake.write(external_id="A-1"), 401)
    assert body["errors"][0]["pointer"] == "/external_id"
    problem(await intake.write({"Authorization": "Bearer wrong"}, external_id="A-1"), 401)
    first, again = [await intake.write(BEARER, external_id="A-1", channel="hotline") for _ in range(2)]
    elsewhere = await intake.write(BEARER, external_id="A-1", channel="window")
    assert first.json() == again.json()
    assert elsewhere.json()["inquiry_id"] != first.json()["inquiry_id"]
    problem(await intake.write(BEARER, external_id="A-1", channel="hotline", body="别的事"), 422)


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("", "idempotency-key '' is too short; write at least 16 characters"),
        ("k" * 15, f"idempotency-key '{'k' * 15}' is too short; write at least 16 characters"),
        ("k" * 201, "idempotency-key has 201 characters; write at most 200"),
    ],
)
async def test_a_key_has_sixteen_to_two_hundred_characters(intake: Intake, key: str, why: str) -> None:
    body = problem(await intake.write({"Idempotency-Key": key}), 422)
    assert body["detail"] == f"{why}."
    assert body["errors"] == [{"pointer": "/idempotency-key", "detail": why}]
    for length in (16, 200):
        assert (await intake.write({"Idempotency-Key": "k" * length})).status_code == 202


@pytest.mark.parametrize("channel", ["import", "other", "kiosk", "office-5"])
async def test_another_channel_needs_the_token(intake: Intake, channel: str) -> None:
    answer = await intake.write(channel=channel)
    body = problem(answer, 401)
    known = "web, app, wechat, microblog, email, hotline, window"
    detail = f"channel '{channel}' needs the operator's token; send it, or write one of {known}"
    assert body["errors"] == [{"pointer": "/channel", "detail": detail}]
    assert answer.headers["www-authenticate"] == "Bearer"
    assert await intake.ledger.entries.count_documents({}) == 0
    assert (await intake.write(BEARER, channel=channel)).status_code == 202


async def test_wrong_tokens_are_refused_and_limited_and_the_right_one_never(intake: Intake) -> None:
    for _ in range(WRONG_TOKENS):
        answer = await intake.write({"Authorization": "Bearer wrong"})
        problem(answer, 401)
        assert answer.headers["www-authenticate"] == "Bearer"
    limited = await intake.write({"Authorization": "Bearer wrong"}, external_id="A-1")
    problem(limited, 429)
    assert int(limited.headers["retry-after"]) > 0
    assert await intake.ledger.entries.count_documents({}) == 0
    assert (await intake.write(BEARER, external_id="A-1")).status_code == 202
    assert (await intake.write()).status_code == 202


@pytest.mark.parametrize("given", ["Bearer", "bearer  ", "BEARER wrong", f"Bearer x{TOKEN.decode()}"])
async def test_a_token_that_is_not_the_right_one_is_wrong(intake: Intake, given: str) -> None:
    problem(await intake.write({"Authorization": given}), 401)


async def test_another_scheme_is_no_token(intake: Intake) -> None:
    basic = {"Authorization": f"Basic {TOKEN.decode()}"}
    assert (await intake.write(basic)).status_code == 202
    problem(await intake.write(basic, channel="kiosk"), 401)


@pytest.mark.parametrize("channel", OPEN_CHANNELS)
async def test_anybody_may_name_a_channel_of_the_closed_list(intake: Intake, channel: str) -> None:
    assert (await intake.write(channel=channel)).status_code == 202


async def test_all_fields_that_need_the_token_are_named(intake: Intake) -> None:
    body = problem(await intake.write(channel="kiosk", external_id="A-1"), 401)
    assert [one["pointer"] for one in body["errors"]] == ["/channel", "/external_id"]


async def test_an_unavailable_store_is_503(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(entry: Any) -> Any:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(intake.ledger, "accept", away)
    answer = await intake.write()
    problem(answer, 503)
    assert answer.headers["retry-after"] == "5"


async def test_a_hanging_store_is_503_in_time(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(collection: Any, documents: Any) -> set[Any]:
        await asyncio.Event().wait()
        return set()

    monkeypatch.setattr(ledger, "insert_new", never)
    monkeypatch.setattr(ledger, "ACCEPT_S", 0.1)
    answer = await asyncio.wait_for(intake.write(), 5)
    assert answer.headers["retry-after"] == "5"
    problem(answer, 503)
    page = await asyncio.wait_for(intake.http.post("/", data={"subject": "路灯", "body": "不亮"}), 5)
    assert (page.status_code, "路灯" in page.text) == (503, True)


async def test_messages_are_accepted_without_kafka(intake: Intake) -> None:
    intake.publisher.away = True
    assert (await intake.write()).status_code == 202
    assert await intake.ledger.unpublished.count_documents({}) == 1


# ── looking ──────────────────────────────────────────────────────────────────


async def a_ticket(intake: Intake) -> tuple[str, str]:
    receipt = (await intake.write()).json()
    return receipt["inquiry_id"], receipt["query_code"]


async def test_the_ticket_is_shown_with_the_query_code(intake: Intake) -> None:
    inquiry_id, code = await a_ticket(intake)
    seen = (await intake.look(inquiry_id, code)).json()
    assert (seen["state"], seen["reply"], len(seen["timeline"])) == ("registered", None, 1)
    story = told(received("路灯不亮"), contributed("lighting", "灯亮了 💡"), inquiry_id=inquiry_id)
    await intake.hear(story)
    await intake.hear(story)
    answer = await intake.look(inquiry_id, f"{code[:4]}-{code[4:8]} {code[8:]}".lower())
    seen = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert (seen["state"], seen["round"]) == ("answered", 1)
    assert seen["reply"]["paragraphs"] == [{"department": "lighting", "name": "路灯管理所", "text": "灯亮了 💡"}]
    assert len(seen["timeline"]) == len(story.on(topics.RESIDENTS))


async def test_a_wrong_code_looks_like_an_unknown_ticket(intake: Intake) -> None:
    inquiry_id, _ = await a_ticket(intake)
    wrong = problem(await intake.look(inquiry_id, "000000000000"), 404)
    unknown = problem(await intake.look("20260316-ZZZZZZZZ", "000000000000"), 404)
    none = problem(await intake.http.get(f"/inquiries/{inquiry_id}"), 404)
    assert wrong == unknown == none


async def test_wrong_codes_are_limited_for_each_ticket_and_the_right_one_never(intake: Intake) -> None:
    inquiry_id, code = await a_ticket(intake)
    other, _ = await a_ticket(intake)
    for _ in range(WRONG_CODES):
        problem(await intake.look(inquiry_id, "000000000000"), 404)
    limited = await intake.look(inquiry_id, "000000000000")
    problem(limited, 429)
    assert 0 < int(limited.headers["retry-after"]) <= 601
    problem(await intake.look(other, "000000000000"), 404)
    assert (await intake.look(inquiry_id, code)).status_code == 200


async def test_an_unknown_ticket_is_limited_like_a_known_one(intake: Intake) -> None:
    for _ in range(WRONG_CODES):
        problem(await intake.look("20260316-ZZZZZZZZ", "x"), 404)
    problem(await intake.look("20260316-ZZZZZZZZ", "x"), 429)


# ── rating ───────────────────────────────────────────────────────────────────

GOOD_WORD = {"round": 1, "solved": True, "satisfied": "yes", "words": "谢谢"}


async def an_answered_ticket(intake: Intake) -> tuple[str, dict[str, str]]:
    inquiry_id, code = await a_ticket(intake)
    await intake.hear(told(received("路灯不亮"), contributed("lighting", "亮了"), inquiry_id=inquiry_id))
    return f"/inquiries/{inquiry_id}/rating", {"X-Query-Code": code}


async def test_a_rating_is_accepted_once_and_a_repeat_returns_the_same_response(intake: Intake) -> None:
    where, code = await an_answered_ticket(intake)
    first, again = [await intake.http.post(where, json=GOOD_WORD, headers=code) for _ in range(2)]
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()
    problem(await intake.http.post(where, json=GOOD_WORD | {"solved": False}, headers=code), 409)
    rows = [one for one in await intake.publisher.until(2, topics.INPUTS) if b'"solved"' in (one[1] or b"")]
    assert {dict(headers)["ce_type"] for _, _, headers in rows} == {b"chorus.inquiry.rated"}


async def test_an_inquiry_without_a_reply_cannot_be_rated(intake: Intake) -> None:
    inquiry_id, code = await a_ticket(intake)
    where = f"/inquiries/{inquiry_id}/rating"
    problem(await intake.http.post(where, json=GOOD_WORD, headers={"X-Query-Code": code}), 409)
    problem(await intake.http.post(where, json=GOOD_WORD, headers={"X-Query-Code": "wrong"}), 404)


@pytest.mark.parametrize("digits", ["9" * 5_000, "²", "-1", "", "x"])
async def test_an_invalid_round_in_the_form_returns_a_page(intake: Intake, digits: str) -> None:
    where, code = await an_answered_ticket(intake)
    form = {"inquiry_id": where.split("/")[2], "code": code["X-Query-Code"], "round": digits, "solved": "true"}
    answer = await intake.http.post("/status/rating", data=form | {"satisfied": "yes"})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "text/html; charset=utf-8")
    content = b'{"round": ' + b"9" * 5_000 + b', "solved": true, "satisfied": "yes"}'
    problem(await intake.http.post(where, content=content, headers=code | {"Content-Type": "application/json"}), 422)


async def test_only_an_answered_round_can_be_rated(intake: Intake) -> None:
    where, code = await an_answered_ticket(intake)
    problem(await intake.http.post(where, json=GOOD_WORD | {"round": 2}, headers=code), 409)
    body = problem(await intake.http.post(where, json=GOOD_WORD | {"satisfied": "very"}, headers=code), 422)
    assert body["errors"][0]["pointer"] == "/satisfied"


# ── logs, pages, restart ─────────────────────────────────────────────────────


async def test_logs_contain_no_query_strings_contacts_or_texts(
    intake: Intake, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "chorus")
    caplog.set_level(logging.INFO, "uvicorn")
    contact = {"name": "陈测试", "phone": "13900000000", "email": "writer@mail.example"}
    receipt = (await intake.write(contact=contact, subject="🔒题", body="🔒文")).json()
    await intake.http.get(f"/inquiries/{receipt['inquiry_id']}?code={receipt['query_code']}")
    await intake.http.get(f"/inquiries/{receipt['inquiry_id']}?code=WRONGCODE000")
    await intake.write(contact=contact, subject="🔒题", body="🔒文", departments=["ghosts"])
    logged = "".join(f"{vars(one)}" for one in caplog.records if one.name == "chorus")
    assert receipt["inquiry_id"] in logged
    for secret in ("陈测试", "13900000000", "writer@mail", "🔒", receipt["query_code"], "WRONGCODE000"):
        assert secret not in logged


@pytest.mark.parametrize("path", ["/", "/status", "/status/rating"])
@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (
            "&".join(f"f{n}=1" for n in range(1_000)),
            422,
            {"zh": "请重新打开表单，填写后提交。", "en": "Open the form again, fill it in and send it."},
        ),
        (
            "body=" + "x" * 300_000,
            413,
            {"zh": "内容超过可以接收的长度。", "en": "Your message is longer than we can accept."},
        ),
    ],
    ids=["too many fields", "too long"],
)
async def test_an_unreadable_form_returns_an_error_page(
    intake: Intake, path: str, content: str, status: int, words: dict[str, str]
) -> None:
    for language, said in words.items():
        answer = await intake.http.post(path, content=content, params={"lang": language})
        assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
        assert said in answer.text


async def test_the_last_city_is_loaded_from_the_store_without_kafka(intake: Intake) -> None:
    assert await intake.store.last_city() is None
    await intake.store.save_city(CITY)
    await intake.store.save_city(CITY)
    assert await intake.store.last_city() == CITY


# ── the public version ───────────────────────────────────────────────────────

TYPED = {
    "key": "the-form",
    "subject": "请打 13800138000",
    "body": "我叫王小明，\r\n路灯坏了。",
    "name": "王小明",
    "email": "wang@mail.example",
    "public": "true",
}


async def preview(intake: Intake, **changed: str) -> httpx.Response:
    return await intake.http.post("/", data=TYPED | {"act": "preview"} | changed, params={"lang": "en"})


async def test_the_public_version_is_shown_before_anything_is_sent(intake: Intake) -> None:
    page = await preview(intake)
    assert page.status_code == 200
    assert "请打 ＊＊＊" in page.text
    assert "我叫＊＊＊" in page.text
    assert await intake.ledger.entries.count_documents({}) == 0
    assert "will not be published" not in page.text
    assert "will not be published" in (await preview(intake, confidential="true")).text


async def test_from_the_public_version_the_form_is_sent_as_it_was_typed(intake: Intake) -> None:
    page = (await preview(intake)).text
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
    sent = await intake.http.post("/", data={**hidden, "act": "send"})
    assert sent.status_code == 202
    [(_, value, _)] = await intake.publisher.until(1, topics.INPUTS)
    given = json.loads(value or b"")
    assert (given["subject"], given["body"]) == ("请打 13800138000", "我叫王小明，\n路灯坏了。")
    assert (given["contact"]["name"], given["public"]) == ("王小明", True)


async def test_from_the_public_version_the_writer_goes_back_to_what_was_typed(intake: Intake) -> None:
    page = await intake.http.post("/", data=TYPED | {"act": "change"})
    assert page.status_code == 200
    assert 'value="请打 13800138000"' in page.text
    assert 'value="the-form"' in page.text
    assert await intake.ledger.entries.count_documents({}) == 0


async def test_what_is_wrong_is_said_before_a_preview(intake: Intake) -> None:
    page = await preview(intake, email="nobody")
    assert page.status_code == 422
    assert "Enter an e-mail address, for example name@mail.example." in page.text


async def test_without_the_process_that_masks_the_form_stays_and_can_be_sent(intake: Intake) -> None:
    async def gone(case: CaseTexts) -> Masked:
        raise MaskingUnavailable("The process that masks died.")

    intake.masker.mask = gone  # type: ignore[method-assign]
    page = await preview(intake)
    assert (page.status_code, page.headers["retry-after"]) == (503, "5")
    assert "请打 13800138000" in page.text
    assert (await intake.http.post("/", data=TYPED)).status_code == 202
