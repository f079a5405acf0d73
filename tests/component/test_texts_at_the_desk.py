"""Text modules at the desk: departments write their own, and fill them from a case; nothing of a filling is stored."""

import json
from typing import Any

import httpx
import pytest

from services.router.desk import city_revisions
from services.router.domain.staff import StaffUser
from shared.city import City
from shared.contracts.fields import Contact
from shared.store.mongo import Database
from tests.builders import CITY, INQUIRY, contributed, drafted, received, returned, told
from tests.component.staff import APPROVER_OF_WATER, EVERYBODY, LIGHTING, OPERATOR, OTHERS, ROADS, bearer
from tests.component.test_desk import Office, office, problem
from tests.component.test_staff_at_the_desk import get
from tests.endings import erased
from tests.modules import PAVED, REPAIRED, VISIT

__all__ = ["office"]
COORDINATOR, APPROVER, SUPERVISOR, AUDITOR, _ = OTHERS
BODY = {
    "title": {"zh": "已修复", "en": "Repaired"},
    "text": {"zh": "{{subject}}已修复。", "en": "Repaired: {{subject}}."},
}
LETTER = received("路灯和路面都坏了", area="东屿区", contact=Contact(name="魏测试"))
WROTE = "路灯和路面都坏了：路面已修补。"


@pytest.fixture
async def desk(office: Office, monkeypatch: pytest.MonkeyPatch) -> Office:
    """A desk whose city has text modules of two departments."""

    async def created(*_: Any) -> None: ...

    monkeypatch.setattr(city_revisions, "create_topics", created)
    city = CITY.model_copy(update={"texts": (VISIT, REPAIRED, PAVED), "revision": 2})
    assert await office.store.revisions.add(city)
    office.city.use(city)
    return office


async def put(desk: Office, who: StaffUser, code: str, id_: str, **more: Any) -> httpx.Response:
    return await desk.http.put(f"/departments/{code}/texts/{id_}", json=BODY | more, headers=bearer(who))


async def remove(desk: Office, who: StaffUser, code: str, id_: str) -> httpx.Response:
    return await desk.http.delete(f"/departments/{code}/texts/{id_}", headers=bearer(who))


async def listed(desk: Office, who: StaffUser, **query: str) -> list[str]:
    answer = await get(desk, who, "/texts", **query)
    assert answer.status_code == 200, answer.text
    return [f"{one['department']}/{one['id']}" for one in answer.json()["texts"]]


async def in_force(desk: Office) -> City:
    found = await desk.store.revisions.latest()
    assert found is not None
    return found


# ── reading and writing ──────────────────────────────────────────────────────


async def test_a_user_of_a_department_sees_its_modules_and_others_see_all(desk: Office) -> None:
    assert await listed(desk, LIGHTING) == ["lighting/repaired", "lighting/visit"]
    assert await listed(desk, APPROVER_OF_WATER) == []
    for who in (OPERATOR, *OTHERS):
        assert await listed(desk, who) == ["lighting/repaired", "lighting/visit", "roads/paved"]
    assert await listed(desk, AUDITOR, department="roads") == ["roads/paved"]
    shown = (await get(desk, LIGHTING, "/departments/lighting/texts/visit")).json()
    assert (shown["text"]["zh"], shown["kind"], shown["origin"]) == (VISIT.text.zh, "phrase", "folder")


async def test_a_list_has_pages(desk: Office) -> None:
    first = (await get(desk, OPERATOR, "/texts", limit="2")).json()
    assert first["next"] == "lighting/visit"
    assert await listed(desk, OPERATOR, limit="2", after=first["next"]) == ["roads/paved"]
    assert (await get(desk, OPERATOR, "/texts", limit="2", after=first["next"])).json()["next"] is None
    for after in ("lighting", "zoo/visit", "", "/"):
        problem(await get(desk, OPERATOR, "/texts", after=after), 404)
    problem(await get(desk, LIGHTING, "/texts", after="roads/paved"), 404)
    problem(await get(desk, LIGHTING, "/texts", departement="roads"), 422)


async def test_the_place_of_a_module_that_is_gone_still_is_a_place(desk: Office) -> None:
    assert (await remove(desk, LIGHTING, "lighting", "visit")).status_code == 200
    assert await listed(desk, OPERATOR, after="lighting/visit") == ["roads/paved"]


async def test_a_clerk_writes_and_removes_a_module_of_the_own_department(desk: Office) -> None:
    answer = await put(desk, LIGHTING, "lighting", "fixed", subjects=["路灯"], kind="phrase")
    assert (answer.status_code, answer.json()["revision"]) == (200, 3)
    shown = (await get(desk, LIGHTING, "/departments/lighting/texts/fixed")).json()
    assert shown == {
        "department": "lighting",
        "id": "fixed",
        "kind": "phrase",
        "subjects": ["路灯"],
        "categories": [],
    } | {
        "title": BODY["title"],
        "text": BODY["text"],
        "origin": "desk",
    }
    [(_, value, _)] = desk.publisher.on("city.directory")
    assert json.loads(value or b"")["texts"][0]["id"] == "fixed"
    assert (await put(desk, LIGHTING, "lighting", "fixed", subjects=["路灯"], kind="phrase")).json()["revision"] == 3
    assert (await remove(desk, LIGHTING, "lighting", "fixed")).json()["revision"] == 4
    problem(await get(desk, LIGHTING, "/departments/lighting/texts/fixed"), 404)
    assert "has no text module 'fixed'" in problem(await remove(desk, LIGHTING, "lighting", "fixed"), 404)["detail"]


async def test_a_revision_records_who_wrote_a_module(desk: Office) -> None:
    await put(desk, LIGHTING, "lighting", "fixed")
    made = await desk.store.revisions.collection.find_one({"_id": 3})
    assert made is not None
    assert made["by"] == {"number": LIGHTING.number, "name": LIGHTING.name}


async def test_what_the_desk_wrote_stays_when_a_city_is_applied(desk: Office) -> None:
    folder = (await in_force(desk)).model_dump_json()
    await put(desk, LIGHTING, "lighting", "visit")
    await remove(desk, ROADS, "roads", "paved")
    assert (await get(desk, LIGHTING, "/departments/lighting/texts/visit")).json()["origin"] == "changed"
    assert (await desk.http.post("/city", content=folder)).json()["revision"] == 4
    assert await listed(desk, OPERATOR) == ["lighting/repaired", "lighting/visit"]
    assert (await in_force(desk)).text(("lighting", "visit")) != VISIT
    assert (await desk.http.post("/city?texts=folder", content=folder)).json()["revision"] == 5
    assert (await in_force(desk)).texts == (REPAIRED, VISIT, PAVED)
    problem(await desk.http.post("/city?texts=desk", content=folder), 422)


@pytest.mark.parametrize("who", EVERYBODY, ids=lambda one: f"{one.role} of {one.department}")
async def test_who_may_read_and_write_the_modules_of_a_department(desk: Office, who: StaffUser) -> None:
    writes = who.role in ("clerk", "coordinator", "approver", "operator")
    for code in ("lighting", "roads", "water"):
        own = who.department in (None, code)
        answers = [
            await put(desk, who, code, "fixed"),
            await remove(desk, who, code, "fixed"),
            await get(desk, who, "/texts", department=code),
            await get(desk, who, f"/departments/{code}/texts/fixed"),
        ]
        expected = [200, 200] if writes and own else [403, 403]
        assert [one.status_code for one in answers] == [*expected, 200 if own else 403, 404 if own else 403]
        for one in answers:
            if one.status_code == 403:
                assert "allowed roles: clerk, coordinator" in problem(one, 403)["detail"]
    assert set((await in_force(desk)).texts) == {REPAIRED, VISIT, PAVED}


async def test_a_wrong_module_is_refused_with_a_pointer_to_each_error(desk: Office) -> None:
    text = {"zh": "{{subjekt}}", "en": "{{subject}} }}"}
    wrong = problem(
        await put(desk, LIGHTING, "lighting", "fixed", kind="poem", text=text, categories=["lamps"], subjects=["!!"]),
        422,
    )
    assert [one["pointer"] for one in wrong["errors"]] == ["/kind", "/categories/0", "/text/zh", "/text/en"]
    assert '"{{subjekt}}" is not a placeholder; the placeholders are {{inquiry_id}}, ' in wrong["errors"][2]["detail"]
    terms = problem(await put(desk, LIGHTING, "lighting", "fixed", subjects=["!!"]), 422)
    assert [one["pointer"] for one in terms["errors"]] == ["/subjects/0"]
    missing = problem(await put(desk, LIGHTING, "lighting", "fixed", text={"zh": "好"}), 422)
    assert [one["pointer"] for one in missing["errors"]] == ["/text/en"]
    for id_ in ("F", "好", "a" * 32, "%00", "a b"):
        problem(await put(desk, LIGHTING, "lighting", id_), 422)
    problem(await put(desk, LIGHTING, "lighting", "fixed", origin="folder"), 422)
    problem(await put(desk, LIGHTING, "lighting", "fixed", department="roads"), 422)
    problem(await put(desk, OPERATOR, "zoo", "fixed"), 404)
    for body in ("", "[]", "7", "null", '{"title": 1, "title": 2}', "{" * 9_000):
        answer = await desk.http.put("/departments/lighting/texts/fixed", content=body, headers=bearer(LIGHTING))
        problem(answer, 422)
    assert (await in_force(desk)).revision == 2


async def test_before_the_first_city_there_are_no_modules(office: Office) -> None:
    problem(await get(office, LIGHTING, "/texts"), 404)
    problem(await put(office, LIGHTING, "lighting", "fixed"), 409)


# ── filling ──────────────────────────────────────────────────────────────────


async def filled(desk: Office, who: StaffUser, **query: str) -> Any:
    answer = await get(desk, who, f"/cases/{INQUIRY}/texts", **query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_clerk_gets_the_modules_of_the_own_department_filled(desk: Office) -> None:
    await desk.decide(told(LETTER))
    found = await filled(desk, LIGHTING)
    assert [(one["id"], one["meant_for"], one["missing"]) for one in found["texts"]] == [
        ("repaired", "this", []),
        ("visit", "all", []),
    ]
    assert found["texts"][1]["text"] == "魏测试，您好！我们将于2026年3月31日前到东屿区查看。"
    english = (await filled(desk, LIGHTING, language="en"))["texts"][1]
    assert english["text"] == "Dear 魏测试, we will come to 东屿区 by 31 March 2026."
    assert english["title"] == "The module visit"
    assert [one["id"] for one in (await filled(desk, ROADS))["texts"]] == ["paved"]
    assert len((await filled(desk, SUPERVISOR))["texts"]) == 3
    problem(await get(desk, LIGHTING, f"/cases/{INQUIRY}/texts", language="fr"), 422)


async def test_the_default_language_is_that_of_the_resident(desk: Office) -> None:
    await desk.decide(told(received("路灯和路面 broken", language="en")))
    found = await filled(desk, LIGHTING)
    assert (found["language"], found["texts"][0]["title"]) == ("en", "The module repaired")


async def test_another_departments_case_does_not_exist_for_a_clerk(desk: Office) -> None:
    await desk.decide(told(received("路灯不亮")))
    for who in (ROADS, APPROVER_OF_WATER):
        theirs = problem(await get(desk, who, f"/cases/{INQUIRY}/texts"), 404)["detail"]
        nobodys = problem(await get(desk, who, "/cases/20260316-0000000Z/texts"), 404)["detail"]
        assert theirs.replace(INQUIRY, "x") == nobodys.replace("20260316-0000000Z", "x")
    problem(await get(desk, COORDINATOR, "/cases/20260316-0000000Z/texts"), 404)


async def test_a_department_that_returned_the_case_fills_nothing_more(desk: Office) -> None:
    await desk.decide(told(LETTER, returned("roads")))
    problem(await get(desk, ROADS, f"/cases/{INQUIRY}/texts"), 404)
    assert {one["department"] for one in (await filled(desk, COORDINATOR))["texts"]} == {"lighting"}


async def test_a_confidential_name_is_in_no_text_for_anybody(desk: Office) -> None:
    await desk.decide(told(received("路灯和路面都坏了", contact=Contact(name="魏测试"), confidential=True)))
    for who in (LIGHTING, COORDINATOR, OPERATOR):
        found = await filled(desk, who)
        assert "魏测试" not in json.dumps(found, ensure_ascii=False)
        [visit] = [one for one in found["texts"] if one["id"] == "visit"]
        assert visit["missing"] == ["resident_name", "area"]


async def test_the_desk_tells_which_text_is_a_module_unchanged_and_which_has_gaps(desk: Office) -> None:
    await desk.decide(told(LETTER, drafted("lighting", "{{area}}【缺：所在区域】"), contributed("roads", WROTE)))
    assert (await filled(desk, COORDINATOR))["written"] == [
        {"part_id": f"{INQUIRY}-p1", "unchanged": [], "gaps": ["area"]},
        {"part_id": f"{INQUIRY}-p2", "unchanged": ["paved"], "gaps": []},
    ]
    assert [one["part_id"] for one in (await filled(desk, LIGHTING))["written"]] == [f"{INQUIRY}-p1"]


async def test_an_edited_text_is_no_module(desk: Office) -> None:
    await desk.decide(told(LETTER, contributed("roads", f"{WROTE}谢谢。")))
    assert (await filled(desk, ROADS))["written"][0]["unchanged"] == []


async def test_filling_stores_nothing(desk: Office, database: Database) -> None:
    await desk.decide(told(LETTER, contributed("roads", WROTE)))
    before = await everything(database)
    for language in ("zh", "en"):
        await filled(desk, LIGHTING, language=language)
        await filled(desk, OPERATOR, language=language)
    assert await everything(database) == before


async def test_an_erased_case_fills_no_word_of_the_resident(desk: Office) -> None:
    await desk.decide(told(LETTER, contributed("roads", WROTE), erased()))
    answer = await get(desk, COORDINATOR, f"/cases/{INQUIRY}/texts")
    assert "魏测试" not in answer.text
    assert "路面都坏了" not in answer.text
    if answer.status_code == 200:
        assert answer.json()["written"] == []


async def everything(database: Database) -> dict[str, list[Any]]:
    names = sorted(await database.list_collection_names())
    return {name: await database[name].find({}).sort("_id").to_list(None) for name in names}
