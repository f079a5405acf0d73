"""The release at the desk: who reads the reply before it, who approves, and what becomes of stale approvals."""

from typing import Any

import pytest

from services.router.core.input_decoder import read_input
from services.router.domain.staff import StaffUser
from shared.contracts.envelope import Message
from shared.kafka import topics
from shared.store.mongo import Database
from tests.builders import INQUIRY, a_record, at_the_desk, contributed, received, told
from tests.component.staff import APPROVER_OF_WATER, LIGHTING, OPERATOR, OTHERS, ROADS
from tests.component.test_desk import Office, office, problem
from tests.component.test_staff_at_the_desk import case, done, get, send
from tests.fakes import header
from tests.releasing import ONE, hash_of, releasing_city

__all__ = ["office"]
COORDINATOR, APPROVER, SUPERVISOR, AUDITOR, _ = OTHERS
P1, P2 = f"{INQUIRY}-p1", f"{INQUIRY}-p2"
PIPES = told(
    received("水管和路面", departments=("water", "roads")),
    at_the_desk(contributed("water", "管修好了"), 88),
    contributed("roads", "路补了"),
    city=ONE,
)
TEXT = "【自来水公司】\n管修好了\n\n【道路处】\n路补了"


@pytest.fixture
async def desk(office: Office) -> Office:
    """A desk whose city wants one approval for each reply; a reply waits for it."""
    office.city.use(releasing_city(1, revision=2))
    await office.decide(PIPES)
    return office


async def approve(office: Office, who: StaffUser, text_hash: str) -> Any:
    return await done(office, who, type="approve", text_hash=text_hash)


async def test_the_case_shows_the_reply_that_waits(desk: Office) -> None:
    seen = await case(desk, COORDINATOR)
    reply = seen["reply"]
    assert (seen["state"], reply["state"], reply["version"], reply["text"]) == (
        "awaiting-release",
        "awaiting-release",
        1,
        TEXT,
    )
    assert (reply["reply_id"], reply["sha256"]) == (f"{INQUIRY}-r1", hash_of(PIPES.case))
    assert [(one["part_id"], one["department"], one["text"]) for one in reply["paragraphs"]] == [
        (P1, "water", "管修好了"),
        (P2, "roads", "路补了"),
    ]


async def test_before_the_release_only_the_lead_and_approvers_of_a_department_see_the_reply(desk: Office) -> None:
    answer = await get(desk, ROADS, f"/cases/{INQUIRY}")
    assert (answer.json()["reply"], "管修好了" in answer.text) == (None, False)
    assert (await case(desk, APPROVER_OF_WATER))["reply"]["text"] == TEXT
    for who in (OPERATOR, *OTHERS):
        assert (await case(desk, who))["reply"]["text"] == TEXT
    assert (await approve(desk, APPROVER, hash_of(PIPES.case)))["status"] == "applied"
    seen = (await case(desk, ROADS))["reply"]
    assert (seen["state"], seen["text"]) == ("released", TEXT)


async def test_a_case_without_a_reply_has_none(office: Office) -> None:
    await office.decide(told(received("路灯不亮")))
    assert (await case(office, COORDINATOR))["reply"] is None


async def test_a_stale_hash_is_refused_with_the_reason(desk: Office) -> None:
    former = (await case(desk, APPROVER))["reply"]["sha256"]
    assert (await done(desk, COORDINATOR, type="edit-reply", opening="您好："))["status"] == "applied"
    status = await approve(desk, APPROVER, former)
    assert status["status"] == "refused"
    assert status["reason"].startswith(f"The hash '{former}' is not the hash of version 2")
    seen = (await case(desk, APPROVER))["reply"]
    assert (seen["version"], seen["opening"], seen["text"]) == (2, "您好：", f"您好：\n\n{TEXT}")
    assert (await approve(desk, APPROVER, seen["sha256"]))["status"] == "applied"
    assert (await case(desk, APPROVER))["state"] == "answered"


async def test_an_approver_of_a_department_approves_what_its_clerk_wrote_at_the_desk(desk: Office) -> None:
    assert (await approve(desk, APPROVER_OF_WATER, hash_of(PIPES.case)))["status"] == "applied"
    [entry] = await desk.commands.entries.find({}).to_list(None)
    assert (entry["source"], entry["actor"], entry["user"]) == (
        "chorus/desk/departments/water",
        "staff/approver",
        APPROVER_OF_WATER.number,
    )


async def test_an_approver_of_a_department_does_not_approve_what_its_outbox_sent(office: Office) -> None:
    office.city.use(releasing_city(1, revision=2))
    story = told(received("水管漏水"), contributed("water", "管修好了"), city=ONE)
    await office.decide(story)
    status = await approve(office, APPROVER_OF_WATER, hash_of(story.case))
    assert (status["status"], "your department wrote a text" in status["reason"]) == ("refused", True)
    assert (await case(office, APPROVER))["state"] == "awaiting-release"


async def test_an_approver_does_not_see_the_case_of_other_departments(office: Office) -> None:
    office.city.use(releasing_city(1, revision=2))
    await office.decide(told(received("路灯不亮"), contributed("lighting", "灯亮了"), city=ONE))
    problem(await send(office, APPROVER_OF_WATER, type="approve", text_hash="0" * 64), 404)
    problem(await get(office, APPROVER_OF_WATER, f"/cases/{INQUIRY}"), 404)


async def test_a_refusal_goes_to_the_inboxes_and_the_clerk_writes_again(desk: Office) -> None:
    fields = {"type": "refuse-release", "words": "请写明日期", "part_id": P2}
    assert (await done(desk, APPROVER, **fields))["status"] == "applied"
    assert [header(row, "ce_type") for row in desk.told.on(topics.inbox("roads"))][-1] == "chorus.reply.refused"
    assert "chorus.reply.refused" not in [header(row, "ce_type") for row in desk.told.on(topics.inbox("water"))]
    seen = await case(desk, COORDINATOR)
    assert (seen["state"], seen["reply"]["state"]) == ("in-progress", "refused")
    assert [(one["state"], one["text"]) for one in seen["parts"]] == [
        ("contributed", "管修好了"),
        ("accepted", "路补了"),
    ]
    assert (await done(desk, ROADS, type="contribute", part_id=P2, text="周五补好"))["status"] == "applied"
    assert (await case(desk, COORDINATOR))["reply"]["version"] == 2


async def test_a_clerk_of_the_lead_edits_and_a_clerk_of_a_co_handler_does_not(desk: Office) -> None:
    status = await done(desk, ROADS, type="edit-reply", opening="冒名")
    assert (status["status"], "does not lead" in status["reason"]) == ("refused", True)
    problem(await send(desk, LIGHTING, type="edit-reply", opening="冒名"), 404)


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "approve"},
        {"type": "approve", "text_hash": "A" * 64},
        {"type": "approve", "text_hash": "0" * 63},
        {"type": "refuse-release"},
        {"type": "refuse-release", "words": " \u200b"},
        {"type": "refuse-release", "words": "x" * 2_001},
    ],
)
async def test_invalid_commands_of_approvers_are_422(desk: Office, fields: dict[str, Any]) -> None:
    problem(await send(desk, APPROVER, **fields), 422)


@pytest.mark.parametrize("fields", [{}, {"opening": "x" * 1_001}, {"order": "water"}, {"closing": "\0"}])
async def test_invalid_edits_are_422(desk: Office, fields: dict[str, Any]) -> None:
    problem(await send(desk, COORDINATOR, type="edit-reply", **fields), 422)


async def test_a_redelivered_approval_publishes_the_same_messages_or_none(desk: Office) -> None:
    assert (await approve(desk, APPROVER, hash_of(PIPES.case)))["status"] == "applied"
    ids = desk.told.ids(topics.RESIDENTS)
    key, value, headers = desk.publisher.on(topics.INPUTS)[0]
    for offset, expected in ((0, ids[-1:]), (99, [])):
        given = read_input(a_record(value, headers, key=key, offset=offset))
        again = await desk.core.decide_inputs([given])
        told_again = [one for one in again if isinstance(one, Message) and one.topic == topics.RESIDENTS]
        assert [one.id for one in told_again] == expected
    assert len(await desk.store.decisions.of(INQUIRY)) == len(PIPES.decisions) + 1


async def test_the_reply_is_gone_with_the_words_of_its_inquiry(desk: Office, database: Database) -> None:
    await desk.store.decisions.erase(INQUIRY, 100)
    answer = await get(desk, COORDINATOR, f"/cases/{INQUIRY}")
    assert (answer.json()["reply"], "管修好了" in answer.text) == (None, False)
