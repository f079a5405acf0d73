"""Publication, corrections and retractions at the desk: who may, what the case shows, and the list of reports."""

from typing import Any

import pytest

from services.router.desk.case_list import CaseList, read_row
from services.router.domain.staff import StaffUser
from shared.kafka import topics
from tests.builders import INQUIRY, Step, a_record, contributed, received, told
from tests.component.staff import APPROVER_OF_WATER, LIGHTING, OPERATOR, OTHERS, ROADS
from tests.component.test_desk import Office, office, problem
from tests.component.test_staff_at_the_desk import case, done, get, send
from tests.publishing import H1, H2, corrected, published, reported
from tests.releasing import ONE, approved, hash_of, releasing_city

__all__ = ["office"]
COORDINATOR, APPROVER, SUPERVISOR, AUDITOR, _ = OTHERS
P1, P2 = f"{INQUIRY}-p1", f"{INQUIRY}-p2"
BOTH = received("路灯和路面都坏了", departments=("lighting", "roads"), public=True)
IN = (BOTH, contributed("lighting", "灯亮了"), contributed("roads", "路补了"))


async def tell(office: Office, *steps: Step) -> None:
    """Decide these steps, and let the desk's list read the events."""
    await office.decide(told(*steps))
    await read_events(office)


async def read_events(office: Office) -> None:
    rows = office.told.on(topics.EVENTS)
    records = [a_record(value, headers, topic=topics.EVENTS, key=key) for key, value, headers in rows]
    await CaseList(office.store).follow([read_row(one) for one in records])


async def listed(office: Office) -> list[str]:
    answer = await get(office, COORDINATOR, "/cases", reported="true")
    return [one["inquiry_id"] for one in answer.json()["cases"]]


@pytest.mark.parametrize("who", [COORDINATOR, APPROVER, OPERATOR], ids=lambda one: one.role)
async def test_these_roles_decide_about_the_hall(office: Office, who: StaffUser) -> None:
    await tell(office, *IN)
    assert (await done(office, who, type="publish", text_hash=H1))["status"] == "applied"
    assert (await done(office, who, type="redact", text_hash=H1, find="三单元"))["status"] == "applied"
    assert (await done(office, who, type="hide", why="有人可被认出", text_hash=H2))["status"] == "applied"
    assert (await done(office, who, type="publish", text_hash=H1))["status"] == "refused"


@pytest.mark.parametrize("who", [LIGHTING, SUPERVISOR, AUDITOR], ids=lambda one: one.role)
@pytest.mark.parametrize(
    "fields",
    [
        {"type": "publish", "text_hash": H1},
        {"type": "redact", "text_hash": H1, "find": "x"},
        {"type": "hide", "why": "x"},
        {"type": "retract", "words": "x"},
    ],
    ids=lambda one: str(one["type"]),
)
async def test_other_roles_do_not_and_the_refusal_names_those_that_may(
    office: Office, who: StaffUser, fields: dict[str, Any]
) -> None:
    await tell(office, *IN)
    answer = await send(office, who, **fields)
    problem(answer, 403)
    assert "coordinator, approver" in answer.json()["detail"]


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "publish"},
        {"type": "publish", "text_hash": "A" * 64},
        {"type": "redact", "text_hash": H1},
        {"type": "redact", "text_hash": H1, "find": " "},
        {"type": "redact", "text_hash": H1, "find": "x" * 201},
        {"type": "hide"},
        {"type": "hide", "why": "\u200b"},
        {"type": "retract"},
        {"type": "retract", "words": "x" * 2_001},
        {"type": "correct", "part_id": P1},
        {"type": "correct", "part_id": P1, "text": " "},
    ],
)
async def test_invalid_commands_are_422(office: Office, fields: dict[str, Any]) -> None:
    await tell(office, *IN)
    problem(await send(office, COORDINATOR, **fields), 422)


async def test_a_clerk_corrects_the_words_of_the_own_department_and_a_coordinator_of_any(office: Office) -> None:
    await tell(office, *IN)
    problem(await send(office, ROADS, type="correct", part_id=P1, text="冒名"), 403)
    assert (await done(office, ROADS, type="correct", part_id=P2, text="周五补路"))["status"] == "applied"
    assert (await done(office, COORDINATOR, type="correct", part_id=P1, text="两盏灯亮了"))["status"] == "applied"
    seen = (await case(office, AUDITOR))["released"]
    assert [one["text"] for one in seen["paragraphs"]] == ["两盏灯亮了", "周五补路"]
    changes = [(one["part_id"], one["text"], one["by_city"]) for one in seen["changes"]]
    assert changes == [(P2, "路补了", False), (P1, "灯亮了", True)]


async def test_a_user_of_another_department_sees_no_case_to_correct(office: Office) -> None:
    await tell(office, *IN)
    problem(await send(office, APPROVER_OF_WATER, type="retract", words="x"), 404)


async def test_while_a_correction_waits_other_departments_see_the_released_reply(office: Office) -> None:
    office.city.use(releasing_city(1, revision=2))
    story = told(*IN, approved(), corrected("lighting", "秘密更正"), city=ONE)
    await office.decide(story)
    answer = await get(office, ROADS, f"/cases/{INQUIRY}")
    assert ("秘密更正" in answer.text, answer.json()["reply"]["state"]) == (False, "released")
    seen = await case(office, APPROVER)
    assert (seen["state"], seen["reply"]["state"], seen["released"]["version"]) == ("answered", "awaiting-release", 1)
    assert (await done(office, APPROVER, type="approve", text_hash=seen["reply"]["sha256"]))["status"] == "applied"
    assert (await case(office, ROADS))["reply"]["text"].count("秘密更正") == 1


async def test_the_audit_trail_has_who_when_and_which_hash(office: Office) -> None:
    office.city.use(releasing_city(1, revision=2))
    story = told(*IN, city=ONE)
    await office.decide(story)
    text_hash = hash_of(story.case)
    await done(office, APPROVER, type="approve", text_hash=text_hash)
    await done(office, COORDINATOR, type="publish", text_hash=H1)
    await done(office, COORDINATOR, type="hide", why="有人可被认出", text_hash=H1)
    trail = (await case(office, AUDITOR))["audit"]
    assert [one["type"] for one in trail] == [
        "reply.composed",
        "inquiry.awaiting-release",
        "reply.approved",
        "reply.released",
        "inquiry.answered",
        "hall.published",
        "hall.hidden",
    ]
    approval, hiding = trail[2], trail[-1]
    assert (approval["user"], approval["by"], approval["version"], approval["sha256"]) == (
        APPROVER.number,
        APPROVER.name,
        1,
        text_hash,
    )
    assert (hiding["user"], hiding["sha256"], hiding["words"]) == (COORDINATOR.number, H1, "有人可被认出")
    assert all(one["at"] for one in trail)
    assert (await case(office, ROADS))["audit"] == []


async def test_reported_entries_are_on_the_desks_list_until_a_person_decides(office: Office) -> None:
    await tell(office, *IN, published())
    assert await listed(office) == []
    await tell(office, *IN, published(), reported())
    assert await listed(office) == [INQUIRY]
    trail = (await case(office, COORDINATOR))["audit"]
    assert (trail[-1]["type"], trail[-1]["words"]) == ("hall.reported", "这里有我的名字")
    assert (await done(office, COORDINATOR, type="publish", text_hash=H1))["status"] == "applied"
    await read_events(office)
    assert await listed(office) == []


async def test_the_words_of_a_redaction_are_gone_with_an_erasure(office: Office) -> None:
    await tell(office, *IN)
    await done(office, COORDINATOR, type="redact", text_hash=H1, find="三单元")
    await office.store.decisions.erase(INQUIRY, 100)
    answer = await get(office, COORDINATOR, f"/cases/{INQUIRY}")
    assert ("三单元" in answer.text, H1 in answer.text) == (False, False)
