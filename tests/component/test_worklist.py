"""The worklist of a department at the desk."""

from datetime import timedelta
from typing import Any

import pytest

from services.router.desk import worklist
from services.router.domain.staff import StaffUser
from shared.runtime import timestamps
from tests.builders import (
    CITY,
    MONDAY_NOON,
    accepted,
    assigned,
    contributed,
    drafted,
    later,
    rang,
    received,
    replied,
    returned,
    told,
    withdrawn,
)
from tests.component.searching import ask
from tests.component.staff import APPROVER_OF_WATER, LIGHTING, OPERATOR, OTHERS, ROADS
from tests.component.test_case_list_filters import a_case, number
from tests.component.test_desk import Office, office, problem
from tests.releasing import ONE, release_refused, releasing_city

__all__ = ["office"]

COORDINATOR = OTHERS[0]


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets the desk's clock to so many hours after noon."""

    def set_clock(hours: float) -> None:
        monkeypatch.setattr(timestamps, "now", lambda: MONDAY_NOON + timedelta(hours=hours))

    set_clock(0)
    return set_clock


async def parts(office: Office, who: StaffUser = LIGHTING, **query: Any) -> list[dict[str, Any]]:
    """The parts of all pages."""
    found: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    for _ in range(20):
        answer = await ask(office, "/worklist", who, **query, **after)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        found += body["parts"]
        if body["next"] is None:
            return found
        after = {"after": body["next"]}
    raise AssertionError("the list does not end")


async def numbers(office: Office, who: StaffUser = LIGHTING, **query: Any) -> list[int]:
    return [int(one["inquiry_id"][-8:]) for one in await parts(office, who, **query)]


async def marks(office: Office, who: StaffUser = LIGHTING, **query: Any) -> dict[int, list[str]]:
    return {int(one["inquiry_id"][-8:]): one["marks"] for one in await parts(office, who, **query)}


async def test_the_part_that_is_due_next_is_first(office: Office, at: Any) -> None:
    await office.decide(
        a_case(1, "路灯", hours=5),
        a_case(2, "路灯", accepted("lighting")),
        a_case(3, "路灯", hours=1),
        a_case(4, "路灯", replied("lighting", "在查")),
    )
    assert await numbers(office) == [3, 1, 2, 4]
    assert await numbers(office, limit=1) == [3, 1, 2, 4]
    first, *_, last = await parts(office)
    assert first["next_due"] == first["due"]["accept"] == "2026-03-17T05:00:00.000Z"
    assert list(first["due"]) == ["accept", "first_reply", "resolve"]
    assert (list(last["due"]), last["role"], last["state"], last["subject"]) == (
        ["resolve"],
        "lead",
        "accepted",
        "路灯",
    )


async def test_only_open_parts_of_the_department_are_listed(office: Office, at: Any) -> None:
    stories = [a_case(n, "路灯和路面") for n in range(1, 4)]
    await office.decide(*stories, a_case(4, "水管"), a_case(5, "路灯", contributed("lighting", "亮了")))
    assert (await numbers(office), await numbers(office, ROADS)) == ([1, 2, 3], [1, 2, 3])
    await office.decide(
        told(returned("roads"), after_this=stories[0]),
        told(withdrawn("roads"), after_this=stories[1]),
        told(contributed("roads", "补了"), after_this=stories[2]),
    )
    assert (await numbers(office), await numbers(office, ROADS)) == ([1, 2, 3], [])


async def test_marks_say_what_a_part_needs(office: Office, at: Any) -> None:
    await office.decide(
        a_case(1, "路灯", accepted("lighting")),
        a_case(2, "路灯", hours=100),
        a_case(3, "路灯", drafted("lighting", "还在写"), hours=90),
        a_case(4, "路灯和路面", withdrawn("roads"), hours=95),
        a_case(5, "水管", returned("water"), later(assigned("lighting"), MONDAY_NOON + timedelta(hours=89))),
        a_case(6, "路灯", accepted("lighting"), rang("lighting", "first_reply", "due-soon"), hours=80),
    )
    at(90)
    found = await marks(office)
    assert found[1] == ["overdue"]
    assert found[2] == []
    assert found[3] == ["drafted"]
    assert found[4] == ["changed"]
    assert found[5] == ["due-soon", "returned"]
    assert found[6] == ["due-soon"]
    [back] = next(one for one in await parts(office) if one["inquiry_id"] == number(5))["returned"]
    assert back == {"department": "water", "reason": "not-ours", "words": "不归我们管"}
    for mark, expected in {"overdue": [1], "drafted": [3], "changed": [4], "returned": [5], "sent-back": []}.items():
        assert await numbers(office, mark=mark) == expected


async def test_a_part_that_changed_is_marked_until_the_department_writes(office: Office, at: Any) -> None:
    changed = a_case(1, "路灯和路面", accepted("lighting"), withdrawn("roads"))
    await office.decide(changed)
    assert await marks(office) == {1: ["changed"]}
    await office.decide(told(drafted("lighting", "知道了"), after_this=changed))
    assert await marks(office) == {1: ["drafted"]}


async def test_a_contribution_that_an_approver_refused_is_sent_back_until_it_is_written_again(
    office: Office, at: Any
) -> None:
    office.city.use(releasing_city(1, revision=2))
    refused = told(
        *(received("路灯和路面"), contributed("lighting", "换了灯泡"), contributed("roads", "补了")),
        release_refused("请写明日期", part_of_department="lighting"),
        city=ONE,
        inquiry_id=number(1),
    )
    await office.decide(refused)
    [part] = await parts(office)
    assert (part["marks"], part["refused_because"]) == (["drafted", "sent-back"], "请写明日期")
    assert (await numbers(office, ROADS), await numbers(office, mark="sent-back")) == ([], [1])
    await office.decide(told(contributed("lighting", "三月换灯泡"), city=ONE, after_this=refused))
    assert await numbers(office) == []


async def test_a_mark_that_few_parts_have_is_found_over_empty_pages(
    office: Office, at: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worklist, "EXAMINED_MAX", 2)
    monkeypatch.setattr(worklist, "READ_AT_ONCE", 2)
    await office.decide(
        *(a_case(n, "路灯", hours=n) for n in range(6)), a_case(6, "路灯", drafted("lighting", "写"), hours=6)
    )
    answer = (await ask(office, "/worklist", LIGHTING, mark="drafted")).json()
    assert (answer["parts"], answer["next"] is not None) == ([], True)
    assert await numbers(office, mark="drafted") == [6]


async def test_a_page_continues_when_its_last_part_has_left_the_list(office: Office, at: Any) -> None:
    stories = [a_case(n, "路灯", hours=n) for n in range(4)]
    await office.decide(*stories)
    first = (await ask(office, "/worklist", LIGHTING, limit=2)).json()
    await office.decide(told(contributed("lighting", "亮了"), after_this=stories[1]), a_case(8, "路灯", hours=-1))
    assert await numbers(office, after=first["next"]) == [2, 3]


async def test_a_part_that_closed_before_the_list_knows_is_not_shown(office: Office, at: Any) -> None:
    story = a_case(1, "路灯")
    await office.decide(story)
    await office.told.publish(
        await office.core.decide_inputs(told(contributed("lighting", "亮"), after_this=story).inputs)
    )
    assert await numbers(office) == []


# Rights


async def test_staff_without_a_department_name_one(office: Office, at: Any) -> None:
    await office.store.revisions.add(CITY)
    await office.decide(a_case(1, "路灯和路面"))
    for who in (OPERATOR, COORDINATOR):
        assert await numbers(office, who, department="roads") == [1]
        assert await numbers(office, who, department="water") == []
        for wrong in ({"mark": "overdue"}, {"department": "rods"}, {"department": ""}):
            [one] = problem(await ask(office, "/worklist", who, **wrong), 422)["errors"]
            assert one["pointer"] == "/department"


async def test_a_clerk_reads_the_own_worklist_only(office: Office, at: Any) -> None:
    await office.decide(a_case(1, "路灯和路面"))
    assert await numbers(office, department="lighting") == [1]
    detail = problem(await ask(office, "/worklist", LIGHTING, department="roads"), 403)["detail"]
    assert detail.endswith("allowed roles for others: coordinator, operator.")


@pytest.mark.parametrize("who", [APPROVER_OF_WATER, *(one for one in OTHERS if one.role in ("supervisor", "approver"))])
async def test_other_roles_have_no_worklist_of_a_department(office: Office, who: StaffUser) -> None:
    detail = problem(await ask(office, "/worklist", who, department="water"), 403)["detail"]
    assert detail.endswith("allowed roles: clerk, coordinator, operator.")


async def test_unknown_places_marks_and_fields_are_refused(office: Office, at: Any) -> None:
    await office.decide(a_case(1, "路灯和路面"))
    theirs = f"2026-03-17T04:00:00.000Z/{number(1)}-p2"
    for after in ("x", number(1), f"/{number(1)}-p1", f"9/{number(9)}-p1", theirs, "\0"):
        problem(await ask(office, "/worklist", LIGHTING, after=after), 404)
    problem(await ask(office, "/worklist", LIGHTING, mark="late"), 422)
    problem(await ask(office, "/worklist", LIGHTING, sort="due"), 422)
