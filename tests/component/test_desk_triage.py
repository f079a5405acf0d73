"""The desk's views for operators: triage with reasons, the city in force, and where a message would go."""

import json
from typing import Any

import pytest

from services.router.desk import city_views
from shared.city import Policy
from shared.kafka import topics
from tests.builders import CITY, INQUIRY, assigned, received, returned, told
from tests.component.test_desk import CASE, OPEN, TRIAGE, Office, apply, office, problem, recalled_now

__all__ = ["office"]
RETURNED = told(received("路灯和路面都坏了", area="东屿区"), returned("roads", "wrong-area", "在邻县。", "water"))


async def triage(office: Office, **query: str) -> dict[str, Any]:
    answer = await office.http.get("/triage", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


# ── triage ───────────────────────────────────────────────────────────────────


async def test_triage_says_why_a_case_waits(office: Office) -> None:
    await office.decide(RETURNED)
    found = await triage(office)
    [one] = found["inquiries"]
    assert (one["inquiry_id"], one["subject"], one["area"], one["departments"]) == (
        INQUIRY,
        "路灯和路面都坏了",
        "东屿区",
        ["lighting"],
    )
    assert one["age_s"] > 0
    [reason] = one["reasons"]
    assert (reason["reason"], reason["department"], reason["returned_for"]) == ("returned", "roads", "wrong-area")
    assert (reason["words"], reason["suggest"], reason["since"]) == ("在邻县。", "water", "2026-03-16T05:00:00.000Z")
    assert (found["waiting"], found["next"]) == (1, None)


async def test_an_empty_triage_is_an_empty_page(office: Office) -> None:
    await office.decide(told(received("路灯不亮")))
    assert await triage(office) == {"inquiries": [], "waiting": 0, "next": None}


async def test_the_oldest_message_comes_first_on_every_page(office: Office) -> None:
    days = {"1": 5, "2": 3, "3": 9, "4": 3, "5": 1}
    for last, day in days.items():
        at = f"2026-03-{day:02}T04:00:00Z"
        await office.decide(told(received("别的事", received_at=at), inquiry_id=f"20260316-0000000{last}"))
    seen: list[str] = []
    after: dict[str, str] = {}
    while len(seen) < 9:
        page = await triage(office, limit="2", **after)
        assert page["waiting"] == 5
        seen += [one["inquiry_id"][-1] for one in page["inquiries"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert seen == ["5", "2", "4", "1", "3"]


async def test_a_page_goes_on_after_an_inquiry_that_has_been_assigned(office: Office) -> None:
    first = told(received("别的事"), inquiry_id="20260316-00000001")
    await office.decide(first, told(received("别的事"), inquiry_id="20260316-00000002"))
    await office.decide(told(assigned("parks"), inquiry_id="20260316-00000001", after_this=first))
    page = await triage(office, after="20260316-00000001")
    assert [one["inquiry_id"][-1] for one in page["inquiries"]] == ["2"]


async def test_an_unknown_place_is_404_and_a_wrong_size_422(office: Office) -> None:
    problem(await office.http.get("/triage", params={"after": "20260316-ZZZZZZZZ"}), 404)
    problem(await office.http.get("/triage", params={"limit": "0"}), 422)


async def test_an_erased_case_waits_without_words(office: Office) -> None:
    await office.decide(RETURNED)
    await office.store.decisions.erase(INQUIRY, 9)
    [one] = (await triage(office))["inquiries"]
    assert (one["subject"], one["area"], one["reasons"][0]["words"]) == (None, None, None)
    assert (one["reasons"][0]["reason"], one["reasons"][0]["returned_for"]) == ("returned", "wrong-area")


@pytest.mark.parametrize(("method", "path"), [("GET", "/triage"), ("GET", "/city"), ("POST", "/route")])
async def test_the_views_need_the_token(office: Office, method: str, path: str) -> None:
    problem(await office.http.request(method, path, headers={"Authorization": "Bearer wrong"}), 401)


# ── who acts ─────────────────────────────────────────────────────────────────


async def test_a_command_carries_its_person_as_words(office: Office) -> None:
    await office.decide(TRIAGE)
    assert (await office.command(type="assign", lead="parks", by="李雷")).status_code == 202
    await office.decide_log(1)
    decided = (await office.http.get(CASE)).json()["decisions"][-1]
    assert "李雷" in decided["words"]["0/why"]
    assert "李雷" not in json.dumps(decided["facts"], ensure_ascii=False)
    assert (await office.command(type="withdraw-part", part_id=f"{INQUIRY}-p1", why="x", by="韩梅梅")).is_success
    await office.decide_log(2)
    assert (await office.http.get(CASE)).json()["decisions"][-1]["words"]["0/by"] == "韩梅梅"


@pytest.mark.parametrize("by", ["", " ", "\u3164", "x" * 101, 7, "a\0b"])
async def test_a_wrong_name_is_422(office: Office, by: Any) -> None:
    await office.decide(TRIAGE)
    answer = await office.command(type="assign", lead="parks", by=by)
    assert problem(answer, 422)["errors"][0]["pointer"] == "/by"


@pytest.mark.integration
async def test_a_recalled_part_carries_who_retired_the_department(office: Office) -> None:
    await apply(office, CITY)
    await office.decide(OPEN)
    body = {"reason": "并入水务局", "by": "李雷"}
    assert (await office.http.post("/departments/lighting/retirement", json=body)).json()["parts"] == 1
    assert await recalled_now(office) == 0
    await office.decide_log(1)
    [one] = (await triage(office))["inquiries"]
    assert (one["reasons"][0]["reason"], one["reasons"][0]["by"]) == ("department-retired", "李雷")
    problem(await office.http.post("/departments/lighting/retirement", json=body | {"by": " "}), 422)


# ── the city in force, and where a message would go ──────────────────────────


async def test_the_city_in_force_can_be_read(office: Office) -> None:
    problem(await office.http.get("/city"), 404)
    assert await office.store.revisions.add(CITY)
    assert (await office.http.get("/city")).json() == json.loads(CITY.model_dump_json())


async def test_a_route_names_the_rule_and_changes_nothing(office: Office) -> None:
    assert await office.store.revisions.add(CITY)
    found = (await office.http.post("/route", json={"subject": "路灯不亮"})).json()
    assert (found["lead"], found["rule"], found["matched"], found["terms"]) == ("lighting", "dark", "subject", ["路灯"])
    assert (found["triage"], found["revision"]) == (False, 1)
    nothing = (await office.http.post("/route", json={"subject": "别的事", "body": ""})).json()
    assert (nothing["triage"], nothing["lead"], nothing["why"], nothing["near"]) == (True, None, None, [])
    assert (office.publisher.on(topics.INPUTS), await office.store.decisions.known([INQUIRY])) == ([], set())


async def test_a_route_before_the_first_city_is_404(office: Office) -> None:
    problem(await office.http.post("/route", json={"subject": "路灯不亮"}), 404)


async def test_a_route_asks_the_newest_rules_even_if_this_process_has_not_read_them(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(city_views, "FOLLOWED_S", 0.1)
    policies = (Policy(id="short", accept_h=1, first_reply_h=1, resolve_h=1),)
    assert await office.store.revisions.add(CITY.model_copy(update={"revision": 9, "rules": (), "policies": policies}))
    found = (await office.http.post("/route", json={"subject": "路灯不亮"})).json()
    assert (found["triage"], found["revision"]) == (True, 9)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"{}", b'{"subject": ""}', b'{"subject": "\\u3164"}', b'{"subject": "a", "subject": "b"}'],
    ids=repr,
)
async def test_a_wrong_message_is_422(office: Office, body: bytes) -> None:
    assert await office.store.revisions.add(CITY)
    problem(await office.http.post("/route", content=body), 422)
    problem(await office.http.post("/route", json={"subject": "x" * 201}), 422)
    problem(await office.http.post("/route", json={"subject": "x", "area": "a\0b"}), 422)
