"""Questions to the resident and extensions at the desk: who may ask, grant and refuse, and what each user reads."""

from datetime import timedelta
from typing import Any

import pytest

from services.router.domain.staff import StaffUser
from shared.runtime import timestamps
from tests.asking import ASKING, added, asked, extension_asked
from tests.builders import INQUIRY, MONDAY_NOON, received, told
from tests.component.staff import APPROVER_OF_WATER, LIGHTING, OPERATOR, OTHERS, ROADS
from tests.component.test_desk import Office, office, problem
from tests.component.test_staff_at_the_desk import case, done, send

__all__ = ["office"]
COORDINATOR, APPROVER, SUPERVISOR, AUDITOR, _ = OTHERS
P1, P2 = f"{INQUIRY}-p1", f"{INQUIRY}-p2"
BOTH = told(received("路灯和路面都坏了"), city=ASKING)
UNTIL = timestamps.to_text(timestamps.now() + timedelta(days=3650))


@pytest.fixture
async def desk(office: Office) -> Office:
    office.city.use(ASKING.city.model_copy(update={"revision": 2}))
    return office


async def test_a_clerk_asks_for_the_own_part_and_reads_the_answer(desk: Office) -> None:
    await desk.decide(BOTH)
    assert (await done(desk, LIGHTING, type="ask", part_id=P1, text="哪一栋？"))["status"] == "applied"
    seen = await case(desk, LIGHTING)
    assert seen["state"] == "awaiting-resident"
    [question] = seen["questions"]
    assert (question["part_id"], question["department"], question["text"]) == (P1, "lighting", "哪一栋？")
    mine, other = seen["parts"]
    assert mine["paused_since"] == question["asked_at"]
    assert other.get("paused_since") is None
    # The other department reads the question too: the answer will reach both.
    assert (await case(desk, ROADS))["questions"] == seen["questions"]


async def test_additions_are_shown_to_staff_and_to_departments(desk: Office) -> None:
    await desk.decide(told(asked("lighting", "哪一栋？"), added("三号楼"), city=ASKING, after_this=BOTH))
    for who in (COORDINATOR, LIGHTING, ROADS):
        seen = await case(desk, who)
        assert ([one["text"] for one in seen["additions"]], seen["questions"]) == (["三号楼"], [])


@pytest.mark.parametrize("who", [COORDINATOR, OPERATOR], ids=lambda one: one.role)
async def test_the_desk_asks_for_the_whole_case(desk: Office, who: StaffUser) -> None:
    await desk.decide(BOTH)
    assert (await done(desk, who, type="ask", text="在哪条路？"))["status"] == "applied"
    seen = await case(desk, COORDINATOR)
    assert [one.get("paused_since") is not None for one in seen["parts"]] == [True, True]
    [question] = seen["questions"]
    assert (question["part_id"], question["department"]) == (None, None)
    status = await done(desk, who, type="ask", text="还有呢？")
    assert (status["status"], "waits for the resident already" in status["reason"]) == ("refused", True)


async def test_the_desk_cannot_ask_for_one_part_and_a_clerk_not_for_the_case(desk: Office) -> None:
    await desk.decide(BOTH)
    refused = problem(await send(desk, COORDINATOR, type="ask", part_id=P1, text="哪？"), 422)
    assert refused["errors"][0]["pointer"] == "/part_id"
    assert problem(await send(desk, LIGHTING, type="ask", text="哪？"), 422)["errors"][0]["pointer"] == "/part_id"
    problem(await send(desk, ROADS, type="ask", part_id=P1, text="哪？"), 403)


async def test_a_coordinator_grants_what_a_clerk_has_asked_for(desk: Office) -> None:
    steps = [extension_asked("roads", MONDAY_NOON + timedelta(days=99), "等材料")]
    await desk.decide(told(*steps, city=ASKING, after_this=BOTH))
    seen = await case(desk, COORDINATOR)
    assert seen["parts"][1]["extension"] == {"until": "2026-06-23T04:00:00.000Z", "reason": "等材料"}
    assert (await case(desk, LIGHTING))["parts"][1].get("extension") is None
    status = await done(desk, COORDINATOR, type="extend", part_id=P2, until=UNTIL)
    assert status["status"] == "applied", status
    seen = await case(desk, ROADS)
    assert (seen["parts"][1]["due"]["resolve"], seen["parts"][1].get("extension")) == (UNTIL, None)


async def test_a_coordinator_refuses_and_the_status_says_when_there_is_nothing_to_refuse(desk: Office) -> None:
    await desk.decide(told(extension_asked("roads", MONDAY_NOON + timedelta(days=99)), city=ASKING, after_this=BOTH))
    refusal = {"type": "refuse-extension", "part_id": P2, "reason": "事项紧急"}
    assert (await done(desk, COORDINATOR, **refusal))["status"] == "applied"
    status = await done(desk, COORDINATOR, **refusal)
    assert (status["status"], "has not asked for more time" in status["reason"]) == ("refused", True)


async def test_a_clerk_asks_too_late(desk: Office) -> None:
    """The desk stamps the time, which is years after the due time of the story."""
    await desk.decide(BOTH)
    status = await done(desk, ROADS, type="ask-extension", part_id=P2, until=UNTIL, reason="等材料")
    assert status["status"] == "refused"
    assert "was due at 2026-03-30T04:00:00.000Z" in status["reason"]


@pytest.mark.parametrize(
    ("who", "command", "roles"),
    [
        (SUPERVISOR, {"type": "ask", "text": "哪？"}, "clerk, coordinator, operator"),
        (AUDITOR, {"type": "ask", "text": "哪？"}, "clerk, coordinator, approver, supervisor, operator"),
        (COORDINATOR, {"type": "ask-extension", "part_id": P1, "until": UNTIL, "reason": "x"}, "clerk"),
        (LIGHTING, {"type": "extend", "part_id": P1}, "coordinator"),
        (OPERATOR, {"type": "extend", "part_id": P1}, "coordinator"),
        (APPROVER, {"type": "refuse-extension", "part_id": P1, "reason": "x"}, "coordinator"),
    ],
    ids=lambda one: one["type"] if isinstance(one, dict) else getattr(one, "role", None),
)
async def test_other_roles_are_refused_with_the_roles_that_may(
    desk: Office, who: StaffUser, command: dict[str, Any], roles: str
) -> None:
    await desk.decide(BOTH)
    refused = problem(await send(desk, who, **command), 403)
    assert refused["detail"].endswith(f"allowed roles: {roles}."), refused


async def test_a_user_of_a_department_without_a_part_sees_no_case(desk: Office) -> None:
    await desk.decide(BOTH)
    problem(await send(desk, APPROVER_OF_WATER, type="ask", text="x"), 404)


@pytest.mark.parametrize(
    ("command", "pointer"),
    [
        ({"type": "ask", "part_id": P1, "text": " "}, "/text"),
        ({"type": "ask", "part_id": P1, "text": "a" * 2_001}, "/text"),
        ({"type": "ask-extension", "part_id": P1, "until": "2026-05-01", "reason": "x"}, "/until"),
        ({"type": "ask-extension", "part_id": P1, "until": "0001-01-01T00:00:00Z", "reason": "x"}, "/until"),
        ({"type": "ask-extension", "part_id": P1, "until": UNTIL, "reason": "\u200b"}, "/reason"),
        ({"type": "ask-extension", "part_id": P1, "until": UNTIL}, "/reason"),
    ],
)
async def test_invalid_commands_name_the_field(desk: Office, command: dict[str, Any], pointer: str) -> None:
    await desk.decide(BOTH)
    assert problem(await send(desk, LIGHTING, **command), 422)["errors"][0]["pointer"] == pointer
