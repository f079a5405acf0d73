"""Returns by policy at the desk: what departments and staff may do, and what they read of a dispute."""

from typing import Any

import pytest

from services.router.domain.staff import StaffUser
from shared.kafka import topics
from tests.builders import INQUIRY, Story, assigned, received, returned, told
from tests.component.staff import LIGHTING, OPERATOR, OTHERS, ROADS, bearer
from tests.component.test_desk import Office, office, problem
from tests.component.test_staff_at_the_desk import case, done, get, send
from tests.returning import RETURNING

__all__ = ["office"]
COORDINATOR, APPROVER, SUPERVISOR, AUDITOR, _ = OTHERS
BOTH = told(received("路灯和路面都坏了"), city=RETURNING)
DISPUTE = told(received("路灯不亮"), returned("lighting"), assigned("roads"), returned("roads"), city=RETURNING)
P1, P2 = f"{INQUIRY}-p1", f"{INQUIRY}-p2"


async def given(office: Office, story: Story) -> None:
    # The feed keeps the city that it has, unless the revision is higher.
    office.city.use(RETURNING.city.model_copy(update={"revision": 2}))
    await office.decide(story)


async def test_triage_shows_the_dispute_with_the_time_of_the_arbiter(office: Office) -> None:
    await given(office, DISPUTE)
    [one] = (await get(office, COORDINATOR, "/triage")).json()["inquiries"]
    [reason] = one["reasons"]
    assert (reason["reason"], reason["part_id"], reason["words"]) == ("arbitration", P2, "不归我们管")
    assert reason["until"] == "2026-03-17T07:30:00.000Z"


@pytest.mark.parametrize("who", [COORDINATOR, SUPERVISOR], ids=lambda one: one.role)
async def test_a_coordinator_or_a_supervisor_decides(office: Office, who: StaffUser) -> None:
    await given(office, DISPUTE)
    status = await done(office, who, type="arbitrate", lead="roads", co_handlers=["lighting"], words="道路处牵头")
    assert status["status"] == "applied"
    decided = await case(office, who)
    assert (decided["state"], decided["lead"], decided["co_handlers"]) == ("assigned", "roads", ["lighting"])
    last = decided["decisions"][-1]
    assert (last["actor"], last["user"]) == ({"kind": "staff", "role": who.role}, who.number)
    part = {"type": "return", "part_id": f"{INQUIRY}-p3", "reason": "not-ours", "words": "还是不归我们"}
    status = await done(office, ROADS, **part)
    assert (status["status"], "was assigned to settle a dispute" in status["reason"]) == ("refused", True)


async def test_nobody_can_assign_a_dispute_from_triage(office: Office) -> None:
    await given(office, DISPUTE)
    status = await done(office, COORDINATOR, type="assign", lead="parks")
    assert status["reason"] == (
        f"The inquiry '{INQUIRY}' waits for an arbiter. A coordinator or a supervisor decides with the command `arbitrate`."
    )


async def test_the_first_department_leads_when_the_time_has_passed(office: Office) -> None:
    """The desk stamps the time, which is long after the arbiter's."""
    await given(office, DISPUTE)
    assert (await done(office, SUPERVISOR, type="assign-first-receiver"))["status"] == "applied"
    assert (await case(office, SUPERVISOR))["lead"] == "lighting"


@pytest.mark.parametrize(
    ("who", "command", "roles"),
    [
        (OPERATOR, {"type": "arbitrate", "lead": "roads"}, "coordinator, supervisor"),
        (LIGHTING, {"type": "arbitrate", "lead": "roads"}, "coordinator, supervisor"),
        (OPERATOR, {"type": "assign-first-receiver"}, "coordinator, supervisor"),
        (SUPERVISOR, {"type": "reassign", "part_id": P1, "to": "parks", "words": "x"}, "coordinator, operator"),
        (LIGHTING, {"type": "reassign", "part_id": P1, "to": "parks", "words": "x"}, "coordinator, operator"),
    ],
)
async def test_another_role_is_refused_with_the_roles_that_may(
    office: Office, who: StaffUser, command: dict[str, Any], roles: str
) -> None:
    await given(office, BOTH)
    assert problem(await send(office, who, **command), 403)["detail"].endswith(f"allowed roles: {roles}.")


async def test_a_part_moves_from_one_department_to_another(office: Office) -> None:
    await given(office, BOTH)
    status = await done(office, COORDINATOR, type="reassign", part_id=P2, to="parks", words="属园林局管养")
    assert status["status"] == "applied"
    problem(await office.http.get(f"/cases/{INQUIRY}", headers=bearer(ROADS)), 404)
    kinds = {code: [row[2] for row in office.told.on(topics.inbox(code))] for code in ("roads", "parks", "lighting")}
    last = {code: dict(headers[-1])["ce_type"] for code, headers in kinds.items()}
    assert last == {
        "roads": b"chorus.part.withdrawn",
        "parks": b"chorus.part.offered",
        "lighting": b"chorus.part.changed",
    }


@pytest.mark.parametrize(
    ("command", "pointer"),
    [
        ({"type": "reassign", "part_id": P1, "to": "parks"}, "/words"),
        ({"type": "reassign", "part_id": P1, "to": "parks", "words": "\u3164"}, "/words"),
        ({"type": "reassign", "to": "parks", "words": "x"}, "/part_id"),
        ({"type": "arbitrate", "co_handlers": ["roads"]}, "/lead"),
        ({"type": "arbitrate", "lead": "roads", "words": "x" * 2_001}, "/words"),
    ],
)
async def test_a_command_with_a_wrong_field_is_422(office: Office, command: dict[str, Any], pointer: str) -> None:
    await given(office, BOTH)
    answer = await send(office, COORDINATOR, **command)
    assert [one["pointer"] for one in problem(answer, 422)["errors"]] == [pointer]


async def test_a_clerk_reads_the_refusal_of_a_late_return(office: Office) -> None:
    """The desk stamps the time of the command: months after the offer."""
    await given(office, BOTH)
    status = await done(office, ROADS, type="return", part_id=P2, reason="not-ours", words="不归我们管")
    assert status["status"] == "refused"
    assert f"The part '{P2}' could be returned until 2026-03-17T06:00:00.000Z" in status["reason"]
    assert status["reason"].endswith("Contribute to the answer, or ask the city's desk to reassign the part.")
