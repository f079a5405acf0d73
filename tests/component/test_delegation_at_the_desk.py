"""Delegation at the desk: who may delegate, and who reads what of the pieces."""

from typing import Any

import pytest

from services.router.domain.city_index import city_index
from services.router.domain.staff import StaffUser
from shared.city import City
from shared.kafka import topics
from tests.builders import CITY, INQUIRY, contributed, received, told
from tests.component.staff import APPROVER_OF_WATER, LIGHTING, OPERATOR, OTHERS, ROADS
from tests.component.test_desk import Office, office, problem
from tests.component.test_staff_at_the_desk import case, done, get, send
from tests.delegating import delegated

__all__ = ["office"]
COORDINATOR, APPROVER, SUPERVISOR, AUDITOR, _ = OTHERS
P1, P2, P3 = (f"{INQUIRY}-p{number}" for number in (1, 2, 3))


def city() -> City:
    """CITY in which roads is an office of lighting."""
    departments = [
        one.model_copy(update={"parent": "lighting"}) if one.code == "roads" else one for one in CITY.departments
    ]
    return CITY.model_copy(update={"departments": tuple(departments), "revision": 2})


INDEX = city_index(city())
TWO = told(received("路灯不亮", departments=("lighting", "water")), city=INDEX)


@pytest.fixture
async def desk(office: Office) -> Office:
    office.city.use(city())
    await office.decide(TWO)
    return office


@pytest.mark.parametrize("who", [LIGHTING, COORDINATOR], ids=lambda one: one.role)
async def test_a_clerk_of_the_department_and_a_coordinator_delegate(desk: Office, who: StaffUser) -> None:
    status = await done(desk, who, type="delegate", part_id=P1, to=["roads"], text="查一下电缆")
    assert status["status"] == "applied"
    seen = (await case(desk, ROADS))["parts"]
    own = next(one for one in seen if one["department"] == "roads")
    assert (own["part_id"], own["parent"], own["instructions"]) == (P3, P1, "查一下电缆")


@pytest.mark.parametrize("who", [OPERATOR, SUPERVISOR, APPROVER], ids=lambda one: one.role)
async def test_another_role_is_refused_with_the_roles_that_may(desk: Office, who: StaffUser) -> None:
    answer = await send(desk, who, type="delegate", part_id=P1, to=["roads"])
    assert problem(answer, 403)["detail"].endswith("allowed roles: clerk, coordinator.")


async def test_a_clerk_delegates_no_part_of_another_department(desk: Office) -> None:
    assert problem(await send(desk, LIGHTING, type="delegate", part_id=P2, to=["roads"]), 403)["detail"].endswith(
        "allowed role: a clerk of 'water'."
    )


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [({}, "/to"), ({"to": []}, "/to"), ({"to": ["x"] * 21}, "/to"), ({"to": ["roads"], "text": "x" * 20_001}, "/text")],
    ids=["missing", "empty", "too many", "too long"],
)
async def test_a_wrong_field_is_422(desk: Office, fields: dict[str, Any], pointer: str) -> None:
    answer = await send(desk, LIGHTING, type="delegate", part_id=P1, **fields)
    assert [one["pointer"] for one in problem(answer, 422)["errors"]] == [pointer]


async def test_the_department_above_reads_what_its_office_writes_and_others_do_not(desk: Office) -> None:
    steps = (delegated("lighting", "roads", text="机密指示"), contributed("roads", "机密核查"))
    await desk.decide(told(*steps, city=INDEX, after_this=TWO))
    seen = {one["department"]: one for one in (await case(desk, LIGHTING))["parts"]}
    assert (seen["roads"]["text"], seen["roads"]["instructions"]) == ("机密核查", "机密指示")
    answer = await get(desk, APPROVER_OF_WATER, f"/cases/{INQUIRY}")
    assert [one["department"] for one in answer.json()["parts"]] == ["lighting", "water"]
    assert "机密" not in answer.text
    seen = {one["department"]: one for one in (await case(desk, ROADS))["parts"]}
    assert set(seen) == {"lighting", "water", "roads"}
    assert [one["inquiry_id"] for one in (await get(desk, ROADS, "/cases")).json()["cases"]] == [INQUIRY]
    assert (seen["roads"]["text"], seen["lighting"]["text"]) == ("机密核查", None)


async def test_an_office_without_kafka_works_on_its_piece(desk: Office) -> None:
    await desk.decide(told(delegated("lighting", "roads"), city=INDEX, after_this=TWO))
    assert (await done(desk, ROADS, type="accept", part_id=P3))["status"] == "applied"
    status = await done(desk, ROADS, type="reply", part_id=P3, text="正在核查")
    assert (status["status"], "piece of another department's part" in status["reason"]) == ("refused", True)
    assert (await done(desk, ROADS, type="contribute", part_id=P3, text="已核查"))["status"] == "applied"
    kinds = [dict(headers)["ce_type"] for _, _, headers in desk.told.on(topics.inbox("lighting"))]
    assert kinds[-1] == b"chorus.part.contributed"
