"""The desk's HTTP API: commands, pages of cases, decisions as NDJSON, revisions of the city."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.router.core.handlers import Core
from services.router.core.input_decoder import read_input
from services.router.desk import api
from services.router.desk.case_list import CaseList, read_row
from services.router.desk.cases import CaseQueries
from services.router.desk.city_revisions import CityDesk
from services.router.desk.commands import Commands
from services.router.desk.retirement import Retirement
from services.router.domain.city_index import CityIndex, city_index
from services.router.stores.store import RouterStore
from shared.contracts.inputs import DESK_COMMANDS
from shared.http import problems
from shared.http.problems import shown
from shared.kafka import topics
from shared.ledger.ledger import Ledger
from shared.ledger.relay import Relay
from shared.runtime.settings import Settings
from shared.service.city_feed import CityFeed
from shared.store.mongo import Database
from tests.builders import CITY, INQUIRY, Story, a_city, a_record, contributed, received, record_of, told
from tests.component.conftest import in_background
from tests.component.staff import TOKEN, guard
from tests.fakes import FakePublisher

TRIAGE = told(received("别的事"))
CASE = f"/cases/{INQUIRY}"


class Office:
    """A desk without Kafka, its core, and a client with the operator token."""

    def __init__(self, database: Database, publisher: FakePublisher, settings: Settings) -> None:
        self.store, self.publisher = RouterStore(database), publisher
        self.city: CityFeed[CityIndex] = CityFeed(city_index)
        self.commands = Ledger(database, "commands")
        self.entered = Commands(self.store, self.commands)
        city_desk = CityDesk(self.store, publisher, self.city, settings)
        self.retiring = Retirement(city_desk, self.entered, self.store, self.city)
        self.told = FakePublisher()
        self.core = Core(self.store, self.city)
        app = FastAPI()
        problems.install(app)
        app.include_router(
            api.routes(CaseQueries(self.store, settings), self.entered, city_desk, self.retiring, guard())
        )
        bearer = {"Authorization": f"Bearer {TOKEN.decode()}"}
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://desk.example", headers=bearer)

    async def decide(self, *stories: Story) -> None:
        for story in stories:
            await self.told.publish(await self.core.decide_inputs(story.inputs))
            rows = [read_row(record_of(one)) for one in story.messages if one.topic == topics.EVENTS]
            await CaseList(self.store).follow(rows)

    async def decide_log(self, count: int) -> None:
        """Decide the first `count` inputs of the desk and update its view."""
        rows = await self.publisher.until(count, topics.INPUTS)
        given = [read_input(a_record(value, headers, key=key)) for key, value, headers in rows[:count]]
        await self.told.publish(await self.core.decide_inputs([one for one in given if one is not None]))
        events = [
            a_record(value, headers, topic=topics.EVENTS, key=key)
            for key, value, headers in self.told.on(topics.EVENTS)
        ]
        await CaseList(self.store).follow([read_row(one) for one in events])

    async def command(self, headers: dict[str, str] | None = None, **fields: Any) -> httpx.Response:
        return await self.http.post(f"{CASE}/commands", json=fields, headers=headers)


@pytest.fixture
async def office(database: Database, publisher: FakePublisher, settings: Settings) -> AsyncIterator[Office]:
    one = Office(database, publisher, settings)
    await one.store.prepare()
    await one.commands.prepare()
    one.city.use(CITY)
    async with one.http, in_background(one.commands.write_groups, Relay(one.commands, publisher).publish_fresh):
        yield one


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    body: dict[str, Any] = answer.json()
    return body


# ── commands ─────────────────────────────────────────────────────────────────


async def test_a_command_is_published_and_its_status_can_be_queried(office: Office) -> None:
    await office.decide(TRIAGE)
    answer = await office.command(type="assign", lead="parks", co_handlers=["water"])
    assert answer.status_code == 202
    where = f"/commands/{answer.json()['event_id']}"
    assert (await office.http.get(where)).json()["status"] == "pending"
    [(key, value, headers)] = await office.publisher.until(1, topics.INPUTS)
    given = read_input(a_record(value, headers, key=key))
    assert given is not None
    await office.told.publish(await office.core.decide_inputs([given]))
    assert (await office.http.get(where)).json() == {"status": "applied", "inquiry_id": INQUIRY}
    seen = (await office.http.get(CASE)).json()
    assert (seen["state"], seen["lead"], seen["co_handlers"]) == ("assigned", "parks", ["water"])


async def test_a_refused_command_has_a_reason(office: Office) -> None:
    await office.decide(told(received("路灯不亮")))
    answer = await office.command(type="assign", lead="parks")
    [(key, value, headers)] = await office.publisher.until(1, topics.INPUTS)
    given = read_input(a_record(value, headers, key=key))
    assert given is not None
    await office.told.publish(await office.core.decide_inputs([given]))
    status = (await office.http.get(f"/commands/{answer.json()['event_id']}")).json()
    assert (status["status"], "not in triage" in status["reason"]) == ("refused", True)


async def test_a_command_with_an_idempotency_key_is_accepted_once(office: Office) -> None:
    await office.decide(TRIAGE)
    key = {"Idempotency-Key": "a random key of a client"}
    first, again = [await office.command(key, type="assign", lead="parks") for _ in range(2)]
    assert first.json() == again.json()
    problem(await office.command(key, type="assign", lead="water"), 422)
    assert await office.commands.entries.count_documents({}) == 1


@pytest.mark.parametrize("key", ["", "k" * 15, "k" * 201])
async def test_a_key_has_sixteen_to_two_hundred_characters(office: Office, key: str) -> None:
    await office.decide(TRIAGE)
    body = problem(await office.command({"Idempotency-Key": key}, type="assign", lead="parks"), 422)
    assert [one["pointer"] for one in body["errors"]] == ["/idempotency-key"]
    assert "16 characters" in body["detail"] or "201 characters" in body["detail"]
    assert await office.commands.entries.count_documents({}) == 0


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (b"", "The body is not JSON"),
        (b"{", "The body is not JSON"),
        (b"\xff", "The body is not JSON"),
        (b"[]", "type None is not a command"),
        (
            b'{"type": "explode"}',
            f"type 'explode' is not a command; write one of {', '.join(sorted(DESK_COMMANDS))}.",
        ),
        (b'{"type": ["assign"]}', "type ['assign'] is not a command"),
        (b'{"type": "assign"}', "lead is missing; add it."),
        (b'{"type": "withdraw-part", "part_id": "x", "why": ""}', "why '' is empty"),
        (b'{"type": "withdraw-part", "part_id": "x", "why": "a\\u0000b"}', "why"),
        (b'{"type": "assign", "lead": "\\ud83d"}', "The body is not JSON"),
        (b"[" * 100_000, "The body is not JSON"),
    ],
    ids=lambda value: repr(value)[:40],
)
async def test_an_invalid_command_is_422_with_a_message(office: Office, content: bytes, detail: str) -> None:
    await office.decide(TRIAGE)
    assert problem(await office.http.post(f"{CASE}/commands", content=content), 422)["detail"].startswith(detail)


async def test_requests_without_the_token_are_rejected(office: Office) -> None:
    for method, path in (("GET", "/cases"), ("GET", CASE), ("POST", "/city"), ("GET", "/decisions")):
        for value in ("", "Bearer wrong", f"Basic {TOKEN.decode()}"):
            answer = await office.http.request(method, path, headers={"Authorization": value})
            assert answer.headers["www-authenticate"] == "Bearer"
            problem(answer, 401)


async def test_unknown_resources_are_404(office: Office) -> None:
    problem(await office.http.get(CASE), 404)
    problem(await office.http.get("/commands/nothing"), 404)
    problem(await office.command(type="assign", lead="parks"), 404)


# ── cases and decisions ──────────────────────────────────────────────────────

FIVE = [told(received("路灯" if n % 2 else "别的"), inquiry_id=f"20260316-0000000{n}") for n in range(5)]


async def test_pages_contain_each_case_once(office: Office) -> None:
    await office.decide(*FIVE)
    pages: list[list[str]] = []
    after: str | None = None
    while len(pages) < 5:
        query = {"limit": "2"} | ({"after": after} if after else {})
        page = (await office.http.get("/cases", params=query)).json()
        pages.append([one["inquiry_id"] for one in page["cases"]])
        after = page["next"]
        if after is None:
            break
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [one for page in pages for one in page] == [f"20260316-0000000{n}" for n in reversed(range(5))]


async def test_cases_are_found_by_state_and_by_department(office: Office) -> None:
    await office.decide(*FIVE)
    triage = (await office.http.get("/cases", params={"state": "triage"})).json()["cases"]
    assert [one["inquiry_id"][-1] for one in triage] == ["4", "2", "0"]
    assert {one["subject"] for one in triage} == {"别的"}
    lighting = (await office.http.get("/cases", params={"department": "lighting"})).json()["cases"]
    assert [one["inquiry_id"][-1] for one in lighting] == ["3", "1"]
    problem(await office.http.get("/cases", params={"state": "lost"}), 422)
    problem(await office.http.get("/cases", params={"limit": "0"}), 422)


async def test_a_case_includes_decisions_of_other_processes(
    office: Office, database: Database, publisher: FakePublisher, settings: Settings
) -> None:
    other = Office(database, publisher, settings)
    other.city.use(CITY)
    story = told(received("路灯"), contributed("lighting", "亮"))
    await office.told.publish(await office.core.decide_inputs(story.inputs[:1]))
    await other.told.publish(await other.core.decide_inputs(story.inputs[1:]))
    await other.http.aclose()
    shown = (await office.http.get(CASE)).json()
    assert (shown["state"], [part["state"] for part in shown["parts"]]) == ("answered", ["contributed"])


async def test_decisions_are_listed_as_lines_after_a_position(office: Office) -> None:
    stories = [
        told(received("路灯"), contributed("lighting", "亮"), inquiry_id=f"20260316-0000000{n}") for n in range(2)
    ]
    await office.decide(*stories)

    async def places(after: str, **query: int) -> list[str]:
        answer = await office.http.get("/decisions", params={"after": after, **query} if after else query)
        assert answer.headers["content-type"] == "application/x-ndjson"
        rows = [json.loads(line) for line in answer.text.splitlines()]
        assert "路灯" not in json.dumps([row["messages"] for row in rows], ensure_ascii=False)
        return [f"{row['inquiry_id'][-1]}/{row['n']}" for row in rows]

    assert await places("") == ["0/1", "0/2", "1/1", "1/2"]
    assert await places("20260316-00000000/1") == ["0/2", "1/1", "1/2"]
    assert await places("20260316-00000001/2") == []
    assert await places("20260316-00000001") == ["1/1", "1/2"]
    assert await places("", limit=3) == ["0/1", "0/2", "1/1"]
    assert await places("20260316-00000000/1", limit=2) == ["0/2", "1/1"]


UNKNOWN_PLACES = ("x", "20260316-0000000Z", "20260316-00000000/9", "20260316-00000000/x", "20260316-00000000/01", "\0")


@pytest.mark.parametrize("after", UNKNOWN_PLACES)
async def test_an_unknown_place_in_a_list_is_404(office: Office, after: str) -> None:
    await office.decide(*FIVE)
    for path in ("/cases", "/decisions"):
        body = problem(await office.http.get(path, params={"after": after}), 404)
        assert body["detail"].startswith(f"There is no place {shown(after)}")


async def test_a_place_stays_known_when_the_case_leaves_the_list(office: Office) -> None:
    await office.decide(*FIVE)
    asked = {"state": "triage", "after": "20260316-00000003"}
    page = (await office.http.get("/cases", params=asked)).json()
    assert [one["inquiry_id"][-1] for one in page["cases"]] == ["2", "0"]


async def test_an_unknown_query_field_is_422_for_operators_only(office: Office) -> None:
    for path in ("/cases?sate=triage", "/decisions?from=1", "/departments?all=1"):
        [one] = problem(await office.http.get(path), 422)["errors"]
        assert "is not a query field here" in one["detail"]
        problem(await office.http.get(path, headers={"Authorization": ""}), 401)


async def test_the_messages_of_a_decision_are_published_again_unchanged(office: Office) -> None:
    story = told(received("路灯"))
    await office.decide(story)
    [line] = (await office.http.get("/decisions")).text.splitlines()
    for _ in range(2):
        answer = await office.http.post(f"/decisions/{INQUIRY}/1/publish")
        assert (answer.status_code, answer.json()) == (200, {"messages": len(story.messages)})
    half = len(story.messages)
    assert office.publisher.records[:half] == office.publisher.records[half:]
    assert sorted(office.publisher.ids()) == sorted(2 * [one.id for one in story.messages])
    assert [one["id"] for one in json.loads(line)["messages"]] == [one.id for one in story.messages]
    problem(await office.http.post(f"/decisions/{INQUIRY}/2/publish"), 404)
    problem(await office.http.post(f"/decisions/{INQUIRY}/0/publish"), 422)


# ── the city ─────────────────────────────────────────────────────────────────


async def apply(office: Office, city: Any) -> httpx.Response:
    return await office.http.post("/city", content=city.model_dump_json())


@pytest.mark.integration
async def test_an_unchanged_city_does_not_make_a_new_revision(office: Office) -> None:
    """Revision numbers continue from the topic, even with an empty store."""
    first = await apply(office, CITY)
    assert first.json() == {"revision": 2, "departments": len(CITY.active), "rules": len(CITY.rules)}
    assert (await apply(office, CITY)).json()["revision"] == 2
    changed = a_city(*CITY.departments[:2], rules=CITY.rules[:1])
    assert (await apply(office, changed)).json() == {"revision": 3, "departments": len(CITY.active), "rules": 1}
    published = office.publisher.values(topics.CITY)
    assert [one["revision"] for one in published] == [2, 3]
    assert [key for key, _, _ in office.publisher.on(topics.CITY)] == [b"city", b"city"]
    assert len((await office.http.get("/departments")).json()) == len(CITY.departments)


@pytest.mark.integration
async def test_putting_a_department_makes_a_new_revision(office: Office) -> None:
    body = {"name": {"zh": "灯塔处", "en": "Lighthouses"}, "email": "desk@lighthouses.example"}
    problem(await office.http.put("/departments/lighthouses", json=body), 409)
    await apply(office, CITY)
    assert (await office.http.put("/departments/lighthouses", json=body)).json()["revision"] == 3
    assert (await office.http.put("/departments/lighthouses", json=body)).json()["revision"] == 3
    assert office.publisher.values(topics.CITY)[-1]["departments"][-1]["code"] == "lighthouses"


@pytest.mark.parametrize(
    ("code", "body"),
    [
        ("X", {"name": {"zh": "a", "en": "a"}}),
        ("lighthouses", {}),
        ("lighthouses", {"name": {"zh": "", "en": "a"}}),
        ("lighthouses", {"name": {"zh": "a", "en": "a"}, "email": "nonsense"}),
        ("lighthouses", {"name": {"zh": "a", "en": "a"}, "parent": "ghosts"}),
    ],
)
async def test_an_invalid_department_is_422(office: Office, code: str, body: dict[str, Any]) -> None:
    assert await office.store.revisions.add(CITY)
    problem(await office.http.put(f"/departments/{code}", json=body), 422)


@pytest.mark.parametrize("content", [b"", b"{}", b"[" * 100_000, b'{"name": 1}'], ids=repr)
async def test_an_invalid_city_is_422_and_changes_nothing(office: Office, content: bytes) -> None:
    problem(await office.http.post("/city", content=content), 422)
    assert await office.store.revisions.latest() is None


# ── retiring a department ────────────────────────────────────────────────────

OPEN = told(received("路灯和路面都坏了"), inquiry_id="20260316-00000001")
DONE = told(received("路灯和路面都坏了"), contributed("lighting", "亮了"), inquiry_id="20260316-00000002")
ELSEWHERE = told(received("水管漏水"), inquiry_id="20260316-00000003")


async def retire(office: Office, code: str = "lighting", reason: str = "并入水务局") -> httpx.Response:
    return await office.http.post(f"/departments/{code}/retirement", json={"reason": reason})


async def recalled_now(office: Office) -> int:
    """Run the router's periodic recall once."""
    city = await office.store.revisions.latest()
    assert city is not None
    return await office.retiring.recall(city)


async def state(office: Office, story: Story) -> str:
    return str((await office.http.get(f"/cases/{story.case.inquiry_id}")).json()["state"])


@pytest.mark.integration
async def test_open_parts_of_a_retired_department_go_to_triage_once(office: Office) -> None:
    await apply(office, CITY)
    await office.decide(OPEN, DONE, ELSEWHERE)
    answer = (await retire(office)).json()
    assert answer == {"revision": 3, "departments": len(CITY.active) - 1, "rules": len(CITY.rules), "parts": 1}
    assert (await retire(office, reason="said again")).json() == answer | {"parts": 0}
    await office.decide_log(1)
    assert [await state(office, one) for one in (OPEN, DONE, ELSEWHERE)] == ["triage", "in-progress", "assigned"]
    assert await recalled_now(office) == 0
    [entry] = await office.commands.entries.find({}).to_list(None)
    assert json.loads(entry["value"])["why"] == "The department is retired: 并入水务局"


@pytest.mark.integration
async def test_a_part_offered_during_the_retirement_is_recalled_too(office: Office) -> None:
    await apply(office, CITY)
    await retire(office)
    await office.decide(OPEN)
    assert [await recalled_now(office) for _ in range(2)] == [1, 0]
    await office.decide_log(1)
    assert await state(office, OPEN) == "triage"


@pytest.mark.integration
async def test_retiring_a_reactivated_department_recalls_its_new_part(office: Office) -> None:
    await apply(office, CITY)
    await office.decide(OPEN)
    await retire(office)
    await office.decide_log(1)
    await office.http.put("/departments/lighting", json={"name": {"zh": "路灯管理所", "en": "Street Lighting"}})
    assigning = await office.http.post(
        f"/cases/{OPEN.case.inquiry_id}/commands", json={"type": "assign", "lead": "lighting"}
    )
    assert assigning.status_code == 202
    await office.decide_log(2)
    assert await state(office, OPEN) == "assigned"
    assert (await retire(office, reason="now for good")).json()["parts"] == 1
    await office.decide_log(3)
    assert await state(office, OPEN) == "triage"


async def test_retiring_needs_a_known_department_and_a_reason(office: Office) -> None:
    problem(await retire(office), 409)
    assert await office.store.revisions.add(CITY)
    assert problem(await retire(office, "ghosts"), 404)["detail"].startswith("There is no department 'ghosts'")
    for reason in ("", " ", "a\0b", "x" * 2_001):
        problem(await retire(office, reason=reason), 422)
    latest = await office.store.revisions.latest()
    assert latest is not None
    assert [one.code for one in latest.departments if one.retired] == []
