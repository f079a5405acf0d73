"""The scorer on a real store: each event counts once, and views can be computed for any time."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import REGISTRY

from services.scorer import api
from services.scorer.handlers import Events
from services.scorer.queries import ScoreQueries
from services.scorer.store import ScorerStore
from services.scorer.views import HERE as SCOREBOARD
from shared.city import City
from shared.http import problems
from shared.kafka import topics
from shared.runtime import timestamps
from shared.runtime.settings import Settings
from shared.service.city_feed import CityFeed
from shared.service.event_decoders import Event, read_event
from shared.store.mongo import Database
from tests.builders import (
    CITY,
    INQUIRY,
    Story,
    a_record,
    accepted,
    contributed,
    rated,
    received,
    record_of,
    returned,
    told,
)

pytestmark = pytest.mark.both_clients

STORY = told(
    received("路灯和路面"), accepted("lighting"), contributed("lighting", "亮了"), contributed("roads", "补了"), rated()
)
OTHER = told(received("水管"), returned("water"), inquiry_id="20260316-0000000B")
AS_OF = "2026-03-20T00:00:00Z"
BROWSER = {"Accept": "text/html,*/*;q=0.8"}
NAMES_EN = {one.code: one.name.en.casefold() for one in CITY.departments}


def events(*stories: Story) -> list[Event]:
    return [read_event(record_of(one)) for story in stories for one in story.messages if one.topic == topics.EVENTS]


@pytest.fixture
async def store(database: Database) -> ScorerStore:
    one = ScorerStore(database)
    await one.prepare()
    return one


@pytest.fixture
async def http(store: ScorerStore, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    city: CityFeed[City] = CityFeed(lambda revision: revision)
    city.use(CITY)
    app = FastAPI()
    problems.install(app)
    app.include_router(api.routes(ScoreQueries(store, city), settings, SCOREBOARD))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://scorer.example") as client:
        yield client


async def board(http: httpx.AsyncClient, **query: str) -> dict[str, Any]:
    asked = {"period": "2026-03", "as_of": AS_OF, "format": "json"} | query
    answer = await http.get("/scoreboard", params=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_repeated_and_reordered_events_change_no_figure(
    store: ScorerStore, http: httpx.AsyncClient, database: Database
) -> None:
    batch = events(STORY, OTHER)
    await Events(store).take(batch)
    once = await board(http)
    await Events(store).take(batch)
    await Events(store).take(batch[::-1])
    assert await board(http) == once
    assert await store.events.count_documents({}) == len(batch)
    await database["events"].delete_many({})
    for one in reversed(batch):
        await Events(store).take([one])
    assert await board(http) == once


async def test_the_scoreboard_has_a_row_for_each_department(store: ScorerStore, http: httpx.AsyncClient) -> None:
    await Events(store).take(events(STORY, OTHER))
    seen = await board(http)
    assert seen["period"] == {
        "from": "2026-02-28T16:00:00.000Z",
        "to": "2026-03-31T16:00:00.000Z",
        "zone": "Asia/Shanghai",
    }
    assert (seen["policy_id"], seen["as_of"]) == ("standard", "2026-03-20T00:00:00.000Z")
    lines = {one["code"]: one for one in seen["departments"]}
    assert set(lines) == {one.code for one in CITY.departments}
    assert lines["roads"]["name"] == {"zh": "道路处", "en": "Roads"}
    assert lines["roads"]["volume"] == {"assigned": 1, "answered": 1, "released": 1}
    assert (lines["roads"]["joint"], lines["water"]["returned"]) == (1, 1)
    assert lines["parks"]["clocks"]["accept"]["share"] is None


@pytest.mark.parametrize("format", ["json", "html"])
async def test_departments_are_in_the_citys_own_order(store: ScorerStore, http: httpx.AsyncClient, format: str) -> None:
    await Events(store).take(events(STORY, OTHER))
    names = [one.name.en for one in CITY.departments]
    if format == "json":
        assert [one["name"]["en"] for one in (await board(http))["departments"]] == names
        return
    page = await http.get("/scoreboard", params={"period": "2026-03", "as_of": AS_OF, "lang": "en"}, headers=BROWSER)
    assert re.findall(r'role="rowheader"><bdi>(.*?)</bdi>', page.text) == names


async def test_rows_are_sorted_by_a_column_and_equal_rows_keep_the_citys_order(
    store: ScorerStore, http: httpx.AsyncClient
) -> None:
    await Events(store).take(events(STORY, OTHER))
    own = [one["code"] for one in (await board(http))["departments"]]

    async def codes(**query: str) -> list[str]:
        return [one["code"] for one in (await board(http, **query))["departments"]]

    assert await codes(sort="returned") == ["water", *(one for one in own if one != "water")]
    assert await codes(sort="returned", order="asc") == [*(one for one in own if one != "water"), "water"]
    judged = [one for one in own if one in ("lighting", "roads", "water")]
    for order in ("asc", "desc"):
        assert set((await codes(sort="accept", order=order))[: len(judged)]) == set(judged)
    assert await codes(sort="department", lang="en") == sorted(own, key=NAMES_EN.__getitem__)
    assert await codes(sort="department", lang="en", order="desc") == sorted(
        own, key=NAMES_EN.__getitem__, reverse=True
    )


async def test_the_page_links_to_nothing_that_has_not_begun(http: httpx.AsyncClient) -> None:
    async def turns(**query: str) -> list[str]:
        page = await http.get("/scoreboard", params=query, headers=BROWSER)
        assert page.status_code == 200
        return re.findall(r'rel="(?:prev|next)" href="/scoreboard\?period=([^&]*)&amp;', page.text)

    month = f"{timestamps.now().astimezone(ZoneInfo('Asia/Shanghai')):%Y-%m}"
    assert await turns(period="2026-01", as_of="2026-03-31T15:59:59Z") == ["2025-12", "2026-02"]
    assert await turns(period="2026-03", as_of="2026-03-31T15:59:59Z") == ["2026-02"]
    assert await turns(period="2026-03", as_of="2026-03-31T16:00:00Z") == ["2026-02", "2026-04"]
    assert await turns(period="9000-01") == [month]
    assert await turns(period=month, as_of="9000-01-01T00:00:00Z") == [previous(month)]
    assert await turns(period="1970-01") == ["1970-02"]


def previous(month: str) -> str:
    return f"{date.fromisoformat(month + '-01') - timedelta(days=1):%Y-%m}"


@pytest.mark.parametrize(
    ("query", "zh", "en"),
    [
        ({"period": "2026-13"}, "没有这个统计时段", "There is no such period."),
        ({"period": "<script>"}, "没有这个统计时段", "There is no such period."),
        ({"sort": "beauty"}, "表中没有这一栏", "The table has no such column."),
        ({"sort": ""}, "表中没有这一栏", "The table has no such column."),
        ({"sort": "assigned", "order": "up"}, "排序方式", "The order is ascending"),
        ({"as_of": "yesterday"}, "时间格式不对", "That is not a time."),
        ({"format": "pdf"}, "格式只有 html", "The format is html"),
    ],
    ids=str,
)
async def test_a_wrong_address_is_a_page_for_people(
    http: httpx.AsyncClient, query: dict[str, str], zh: str, en: str
) -> None:
    for lang, text in (("zh", zh), ("en", en)):
        answer = await http.get("/scoreboard", params={**query, "lang": lang}, headers=BROWSER)
        assert (answer.status_code, answer.headers["content-type"]) == (422, "text/html; charset=utf-8")
        assert text in answer.text
        assert "<script>" not in answer.text
    assert (await http.get("/scoreboard", params=query)).headers["content-type"] == "application/problem+json"


async def test_format_html_is_a_page_for_everybody(http: httpx.AsyncClient) -> None:
    answer = await http.get("/scoreboard", params={"format": "html", "sort": "beauty"})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "text/html; charset=utf-8")


async def test_an_unknown_query_field_is_422(http: httpx.AsyncClient) -> None:
    for path in ("/scoreboard", f"/inquiries/{INQUIRY}/clocks"):
        answer = await http.get(path, params={"peroid": "2026-03"})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/peroid")


async def test_links_keep_time_language_and_order(http: httpx.AsyncClient) -> None:
    asked = {"period": "2026-W12", "as_of": AS_OF, "lang": "en", "sort": "assigned", "order": "asc"}
    page = (await http.get("/scoreboard", params=asked, headers=BROWSER)).text
    assert "<h1>Week 12 of 2026</h1>" in page
    kept = f"/scoreboard?period=2026-W12&amp;as_of={AS_OF.replace(':', '%3A')}&amp;format=html&amp;lang="
    assert f'class="switch" href="{kept}zh&amp;sort=assigned&amp;order=asc"' in page
    turned = kept.replace("2026-W12", "2026-03")
    assert f'rel="prev" href="{turned}en&amp;sort=assigned&amp;order=asc"' in page


async def test_an_unknown_department_is_shown_with_its_code(store: ScorerStore, http: httpx.AsyncClient) -> None:
    offer = next(one for one in events(STORY) if one.type == "chorus.part.offered")
    await Events(store).take([replace(offer, value=json.dumps({**offer.data, "department": ""}))])
    [line] = [one for one in (await board(http))["departments"] if one["volume"]["assigned"]]
    assert (line["code"], line["name"]) == ("", {"zh": "", "en": ""})
    assert (await board(http))["departments"][-1]["code"] == ""


async def test_a_view_as_of_an_earlier_time_does_not_change(store: ScorerStore, http: httpx.AsyncClient) -> None:
    await Events(store).take(events(STORY)[:4])
    early = await board(http, as_of="2026-03-16T04:00:00Z")
    await Events(store).take(events(STORY))
    assert await board(http, as_of="2026-03-16T04:00:00Z") == early


async def test_the_clocks_of_an_inquiry_are_shown_with_their_verdicts(
    store: ScorerStore, http: httpx.AsyncClient
) -> None:
    await Events(store).take(events(STORY))
    clocks = (await http.get(f"/inquiries/{INQUIRY}/clocks", params={"as_of": AS_OF})).json()
    assert len(clocks) == 6
    assert {one["verdict"] for one in clocks} == {"kept"}
    first = next(one for one in clocks if (one["department"], one["clock"]) == ("lighting", "accept"))
    assert first == {
        "clock": "accept",
        "part_id": f"{INQUIRY}-p1",
        "department": "lighting",
        "started_at": "2026-03-16T04:00:00.000Z",
        "due_at": "2026-03-17T04:00:00.000Z",
        "stopped_at": "2026-03-16T05:00:00.000Z",
        "judged_at": "2026-03-16T05:00:00.000Z",
        "verdict": "kept",
    }
    assert (await http.get("/inquiries/20260316-ZZZZZZZZ/clocks")).status_code == 404


async def test_the_clocks_of_a_returned_part_say_how_long_it_was_held(
    store: ScorerStore, http: httpx.AsyncClient
) -> None:
    await Events(store).take(events(OTHER))
    where = f"/inquiries/{OTHER.case.inquiry_id}/clocks"
    clocks = (await http.get(where, params={"as_of": AS_OF})).json()
    assert [one["verdict"] for one in clocks] == ["kept", "void", "void"]
    assert {(one["returned_at"], one["held_ms"]) for one in clocks} == {("2026-03-16T05:00:00.000Z", 3_600_000)}
    before = (await http.get(where, params={"as_of": "2026-03-16T04:30:00Z"})).json()
    assert all("returned_at" not in one and "held_ms" not in one for one in before)
    lines = {one["code"]: one["returned_held_ms"] for one in (await board(http))["departments"]}
    assert (lines["water"], lines["roads"]) == (3_600_000, 0)


@pytest.mark.parametrize(
    "query",
    [
        {"period": "2026-13"},
        {"period": "今年"},
        {"as_of": "yesterday"},
        {"as_of": "2026-03-16T04:00:00"},
        {"format": "pdf"},
        {"sort": "beauty"},
        {"sort": ""},
        {"sort": "Assigned"},
        {"order": "up"},
        {"period": "0001-01"},
        {"period": "9999-12"},
        {"as_of": "0001-01-01T00:00:00+08:00"},
        {"as_of": "9999-12-31T23:59:59-08:00"},
    ],
    ids=lambda query: "&".join(f"{name}={value}" for name, value in query.items()),
)
async def test_an_invalid_parameter_is_422_with_a_message(http: httpx.AsyncClient, query: dict[str, str]) -> None:
    answer = await http.get("/scoreboard", params=query)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.json()["errors"][0]["pointer"] == "/" + next(iter(query))


async def test_sequence_gaps_and_unknown_events_are_counted(store: ScorerStore) -> None:
    gaps, unknown = count("sequence_gaps"), count("unknown_types")
    first, second, third, *_ = events(STORY)
    handler = Events(store)
    await handler.take([first])
    await handler.take([third])
    assert count("sequence_gaps") == gaps + 1
    await handler.take([second, third])
    assert count("sequence_gaps") == gaps + 1
    later = dict(record_of(STORY.messages[0]).headers) | {"ce_type": b"chorus.inquiry.unheard-of", "ce_id": b"later"}
    await handler.take([read_event(a_record(f'{{"inquiry_id": "{INQUIRY}"}}'.encode(), later.items()))])
    assert count("unknown_types") == unknown + 1
    assert await store.events.count_documents({}) == 4


async def test_repeated_events_in_any_order_are_not_a_gap(store: ScorerStore) -> None:
    """After a crash the core publishes again, and a new process reads the repeats first."""
    gaps = count("sequence_gaps")
    first, second, third, *_ = events(STORY)
    await Events(store).take([first, second, third])
    await Events(store).take([first])
    started_anew = Events(store)
    for event in (first, third, second):
        await started_anew.take([event])
    assert count("sequence_gaps") == gaps


async def test_each_verdict_is_counted_once(store: ScorerStore) -> None:
    kept = count("clocks_judged", service=None, clock="accept", verdict="kept")
    for _ in range(2):
        await Events(store).take(events(STORY))
    assert count("clocks_judged", service=None, clock="accept", verdict="kept") == kept + 2


def count(name: str, service: str | None = "scorer", **labels: str) -> float:
    given = labels | ({"service": service} if service else {})
    return REGISTRY.get_sample_value(f"chorus_{name}_total", given) or 0.0
