"""What each staff user sees and may do at the desk: clerks their own department's cases and parts, and nothing else."""

import json
from typing import Any

import httpx
import pytest

from services.router.core.input_decoder import read_input
from services.router.desk.responses import CaseShown
from services.router.domain.staff import StaffUser
from shared.contracts.fields import Contact
from shared.kafka import topics
from shared.store.mongo import Document
from tests.builders import (
    CITY,
    INQUIRY,
    a_record,
    accepted,
    contributed,
    drafted,
    received,
    replied,
    returned,
    told,
)
from tests.component.staff import APPROVER_OF_WATER, LIGHTING, OPERATOR, OTHERS, ROADS, bearer
from tests.component.test_desk import Office, office, problem
from tests.fakes import header

__all__ = ["office"]

BOTH = told(received("路灯和路面都坏了", contact=Contact(name="陈测试", phone="13900000000")))
MINE = told(received("路灯不亮"), inquiry_id="20260316-00000001")
THEIRS = told(received("水管漏水"), inquiry_id="20260316-00000002")
COORDINATOR, APPROVER, SUPERVISOR, AUDITOR, SECOND_OPERATOR = OTHERS
P1, P2 = f"{INQUIRY}-p1", f"{INQUIRY}-p2"


async def get(office: Office, who: StaffUser, path: str, **query: str) -> httpx.Response:
    return await office.http.get(path, params=query, headers=bearer(who))


async def listed(office: Office, who: StaffUser, **query: str) -> list[str]:
    return [one["inquiry_id"] for one in (await get(office, who, "/cases", **query)).json()["cases"]]


async def case(office: Office, who: StaffUser, inquiry_id: str = INQUIRY) -> Any:
    answer = await get(office, who, f"/cases/{inquiry_id}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def send(
    office: Office, who: StaffUser, inquiry_id: str = INQUIRY, key: str = "", **fields: Any
) -> httpx.Response:
    headers = bearer(who) | ({"Idempotency-Key": key} if key else {})
    return await office.http.post(f"/cases/{inquiry_id}/commands", json=fields, headers=headers)


async def done(office: Office, who: StaffUser, **fields: Any) -> Document:
    """Send a command, decide it, and return its status."""
    before = len(office.publisher.on(topics.INPUTS))
    answer = await send(office, who, **fields)
    assert answer.status_code == 202, answer.text
    rows = await office.publisher.until(before + 1, topics.INPUTS)
    key, value, headers = rows[before]
    given = read_input(a_record(value, headers, key=key, offset=before))
    await office.told.publish(await office.core.decide_inputs([given]))
    status: Document = (await get(office, who, f"/commands/{answer.json()['event_id']}")).json()
    return status


# ── what they see ────────────────────────────────────────────────────────────


async def test_a_clerk_lists_only_the_cases_of_the_own_department(office: Office) -> None:
    await office.decide(BOTH, MINE, THEIRS)
    assert await listed(office, LIGHTING) == [INQUIRY, MINE.case.inquiry_id]
    assert await listed(office, ROADS) == [INQUIRY]
    assert await listed(office, APPROVER_OF_WATER) == [THEIRS.case.inquiry_id]
    for who in (OPERATOR, *OTHERS):
        assert len(await listed(office, who)) == 3


async def test_a_filter_does_not_widen_what_a_clerk_sees(office: Office) -> None:
    await office.decide(BOTH, MINE, THEIRS)
    assert await listed(office, LIGHTING, department="lighting") == [INQUIRY, MINE.case.inquiry_id]
    assert await listed(office, LIGHTING, department="roads") == [INQUIRY]
    assert await listed(office, LIGHTING, department="water") == []
    assert await listed(office, LIGHTING, state="assigned", department="roads") == [INQUIRY]


async def test_another_departments_case_looks_like_one_that_does_not_exist(office: Office) -> None:
    await office.decide(BOTH, MINE, THEIRS)
    theirs, nobodys = THEIRS.case.inquiry_id, "20260316-0000000Z"
    for path in ("/cases/{}",):
        seen = [problem(await get(office, LIGHTING, path.format(one)), 404)["detail"] for one in (theirs, nobodys)]
        assert seen[0].replace(theirs, "x") == seen[1].replace(nobodys, "x")
    command = {"type": "accept", "part_id": f"{theirs}-p1"}
    sent = [problem(await send(office, LIGHTING, one, **command), 404)["detail"] for one in (theirs, nobodys)]
    assert sent[0].replace(theirs, "x") == sent[1].replace(nobodys, "x")


async def test_a_clerk_sees_no_words_of_other_departments_before_the_release(office: Office) -> None:
    story = told(
        drafted("roads", "机密草稿"),
        replied("roads", "机密回话", by="机密姓名"),
        contributed("roads", "机密办理意见", by="机密姓名"),
        after_this=BOTH,
    )
    await office.decide(story)
    answer = await get(office, LIGHTING, f"/cases/{INQUIRY}")
    assert "机密" not in answer.text
    seen = answer.json()
    assert (seen["decisions"], seen["lead"], seen["co_handlers"]) == ([], "lighting", ["roads"])
    own, other = seen["parts"]
    assert (own["department"], set(own["due"])) == ("lighting", {"accept", "first_reply", "resolve"})
    assert (other["department"], other["state"], set(other["due"]), other["text"]) == (
        "roads",
        "contributed",
        {"resolve"},
        None,
    )
    assert (await case(office, ROADS))["parts"][1]["text"] == "机密办理意见"


async def test_departments_get_every_field_of_a_case(office: Office) -> None:
    await office.decide(BOTH)
    assert (
        (await case(office, LIGHTING)).keys()
        == (await case(office, COORDINATOR)).keys()
        == CaseShown.model_fields.keys()
    )


async def test_a_released_answer_shows_every_paragraph_to_its_departments(office: Office) -> None:
    story = told(contributed("roads", "路补了"), contributed("lighting", "灯亮了"), after_this=BOTH)
    await office.decide(story)
    assert [one["text"] for one in (await case(office, LIGHTING))["parts"]] == ["灯亮了", "路补了"]


async def test_a_clerk_does_not_see_why_another_department_returned_its_part(office: Office) -> None:
    story = told(returned("roads", "lacks-facts", "机密理由", suggest="water"), after_this=BOTH)
    await office.decide(story)
    answer = await get(office, LIGHTING, f"/cases/{INQUIRY}")
    assert [word for word in ("机密", "lacks-facts", "water") if word in answer.text] == []
    assert [one["department"] for one in answer.json()["parts"]] == ["lighting"]
    returning = [one["data"] for one in answer.json()["timeline"] if one["type"] == "chorus.part.returned"]
    assert [(one["department"], "reason" in one, "suggest" in one) for one in returning] == [("roads", False, False)]


async def test_the_next_department_reads_at_the_desk_why_its_part_was_returned(office: Office) -> None:
    back = told(returned("roads", "not-ours", "归水务局管"), after_this=BOTH)
    await office.decide(back)
    assigning = {"type": "assign", "lead": "lighting", "co_handlers": ["water"]}
    assert (await done(office, COORDINATOR, **assigning))["status"] == "applied"
    said = [{"department": "roads", "reason": "not-ours", "words": "归水务局管"}]
    seen = {one["department"]: one["returned"] for one in (await case(office, APPROVER_OF_WATER))["parts"]}
    assert seen == {"lighting": [], "water": said}
    seen = {one["department"]: one["returned"] for one in (await case(office, COORDINATOR))["parts"]}
    assert seen == {"lighting": [], "roads": [], "water": said}


async def test_a_returned_part_is_no_longer_the_departments_case(office: Office) -> None:
    await office.decide(told(returned("roads"), after_this=BOTH))
    assert await listed(office, ROADS) == []
    problem(await get(office, ROADS, f"/cases/{INQUIRY}"), 404)
    problem(await send(office, ROADS, type="accept", part_id=P2), 404)


async def test_a_clerk_reads_on_after_a_case_that_has_left_the_department(office: Office) -> None:
    await office.decide(told(returned("lighting"), after_this=BOTH), MINE, THEIRS)
    theirs = THEIRS.case.inquiry_id
    assert await listed(office, LIGHTING, after=INQUIRY) == [MINE.case.inquiry_id]
    for unknown in (theirs, "20260316-0000000Z"):
        detail = problem(await get(office, LIGHTING, "/cases", after=unknown), 404)["detail"]
        assert detail == f"There is no place {unknown!r} in this list; start without `after`."


async def test_a_confidential_contact_is_hidden_from_departments(office: Office) -> None:
    contact = Contact(name="陈测试", phone="13900000000")
    await office.decide(told(received("路灯和路面都坏了", contact=contact, confidential=True)))
    assert (await case(office, LIGHTING))["inquiry"]["contact"] is None
    assert (await case(office, COORDINATOR))["inquiry"]["contact"]["name"] == "陈测试"


async def test_an_open_contact_is_shown_as_in_the_inbox(office: Office) -> None:
    await office.decide(BOTH)
    assert (await case(office, LIGHTING))["inquiry"]["contact"]["name"] == "陈测试"


async def test_a_clerk_of_one_department_sees_of_the_case_of_another_nothing_even_as_its_writer(office: Office) -> None:
    """A clerk who is also a resident looks at the own ticket at intake, with its code, and not at the desk."""
    await office.decide(THEIRS)
    assert await listed(office, LIGHTING) == []
    problem(await get(office, LIGHTING, f"/cases/{THEIRS.case.inquiry_id}"), 404)


# ── what they do ─────────────────────────────────────────────────────────────


async def test_two_departments_without_kafka_answer_together(office: Office) -> None:
    await office.decide(BOTH)
    assert (await done(office, ROADS, type="accept", part_id=P2))["status"] == "applied"
    assert (await done(office, ROADS, type="reply", part_id=P2, text="周五完工"))["status"] == "applied"
    assert (await done(office, ROADS, type="contribute", part_id=P2, text="草稿", final=False))["status"] == "applied"
    assert (await done(office, ROADS, type="contribute", part_id=P2, text="路补了"))["status"] == "applied"
    assert (await done(office, LIGHTING, type="contribute", part_id=P1, text="灯亮了"))["status"] == "applied"
    seen = await case(office, COORDINATOR)
    assert (seen["state"], [one["text"] for one in seen["parts"]]) == ("answered", ["灯亮了", "路补了"])
    staff = [(one["actor"], one["user"], one["type"]) for one in seen["decisions"] if one["user"]]
    clerk = {"kind": "staff", "role": "clerk"}
    assert [(actor, user) for actor, user, _ in staff] == [(clerk, 3)] * 4 + [(clerk, 2)]
    assert [kind for _, _, kind in staff][:2] == ["chorus.part.accepted", "chorus.part.replied"]


async def test_a_return_goes_to_triage_with_the_words_of_the_clerk(office: Office) -> None:
    await office.decide(BOTH)
    fields = {"reason": "not-ours", "words": "不归我们管", "suggest": "water"}
    assert (await done(office, ROADS, type="return", part_id=P2, **fields))["status"] == "applied"
    seen = await case(office, COORDINATOR)
    assert seen["state"] == "triage"
    assert seen["decisions"][-1]["words"] == {"0/words": "不归我们管", "0/by": "luo"}


async def test_a_refused_command_is_told_to_the_sender_and_not_to_the_inbox(office: Office) -> None:
    await office.decide(told(accepted("roads"), after_this=BOTH))
    status = await done(office, ROADS, type="accept", part_id=P2)
    assert (status["status"], "is accepted already" in status["reason"]) == ("refused", True)
    kinds = [header(row, "ce_type") for row in office.told.on(topics.inbox("roads"))]
    assert kinds == ["chorus.part.offered"]


async def test_a_part_that_does_not_exist_is_refused_by_the_core(office: Office) -> None:
    await office.decide(BOTH)
    status = await done(office, ROADS, type="accept", part_id=f"{INQUIRY}-p9")
    assert (status["status"], "does not belong to 'roads'" in status["reason"]) == ("refused", True)


async def test_the_part_of_another_department_is_403_and_names_who_may(office: Office) -> None:
    await office.decide(BOTH)
    detail = problem(await send(office, ROADS, type="contribute", part_id=P1, text="冒名"), 403)["detail"]
    assert "a clerk of 'lighting'" in detail
    assert await office.commands.entries.count_documents({}) == 0


@pytest.mark.parametrize("part_id", ["20260316-00000001-p1", "x", "", f"{INQUIRY}-p0", P2 + "\u0000"])
async def test_a_part_id_of_another_inquiry_is_422(office: Office, part_id: str) -> None:
    await office.decide(BOTH, MINE)
    problem(await send(office, ROADS, type="accept", part_id=part_id), 422)


async def test_a_body_cannot_name_another_person_or_department(office: Office) -> None:
    await office.decide(BOTH)
    lies = {
        "by": "somebody else",
        "department": "lighting",
        "inquiry_id": "20260316-00000001",
        "actor": "staff/operator",
    }
    body = {"type": "accept", "part_id": P2} | lies
    answer = await office.http.post(f"/cases/{INQUIRY}/commands", json=body, headers=bearer(ROADS))
    assert answer.status_code == 202
    [entry] = await office.commands.entries.find({}).to_list(None)
    assert json.loads(entry["value"]) == {"part_id": P2, "by": "luo"}
    assert (entry["actor"], entry["user"], entry["inquiry_id"]) == ("staff/clerk", 3, INQUIRY)
    assert entry["source"] == "chorus/desk/departments/roads"


@pytest.mark.parametrize(
    ("who", "command", "roles"),
    [
        (ROADS, {"type": "assign", "lead": "water"}, "coordinator, operator"),
        (ROADS, {"type": "withdraw-part", "part_id": P1, "why": "x"}, "coordinator, operator"),
        (ROADS, {"type": "replay"}, "operator"),
        (COORDINATOR, {"type": "accept", "part_id": P1}, "clerk"),
        (OPERATOR, {"type": "contribute", "part_id": P1, "text": "x"}, "clerk"),
        (COORDINATOR, {"type": "replay"}, "operator"),
        (APPROVER, {"type": "accept", "part_id": P1}, "clerk"),
        (APPROVER, {"type": "edit-reply", "opening": "x"}, "clerk, coordinator, operator"),
        (COORDINATOR, {"type": "approve", "text_hash": "0" * 64}, "approver"),
        (OPERATOR, {"type": "approve", "text_hash": "0" * 64}, "approver"),
        (ROADS, {"type": "approve", "text_hash": "0" * 64}, "approver"),
        (ROADS, {"type": "refuse-release", "words": "x"}, "approver"),
        (SUPERVISOR, {"type": "assign", "lead": "water"}, "coordinator, operator"),
        (AUDITOR, {"type": "assign", "lead": "water"}, "clerk, coordinator, approver, supervisor, operator"),
    ],
)
async def test_a_command_of_another_role_is_403_and_names_the_roles(
    office: Office, who: StaffUser, command: dict[str, Any], roles: str
) -> None:
    await office.decide(BOTH)
    answer = await send(office, who, **command)
    assert problem(answer, 403)["detail"].endswith(f"allowed roles: {roles}.")
    assert await office.commands.entries.count_documents({}) == 0


async def test_the_role_is_judged_before_the_fields(office: Office) -> None:
    await office.decide(BOTH)
    problem(await send(office, ROADS, type="assign"), 403)
    problem(await send(office, COORDINATOR, type="assign"), 422)


async def test_a_coordinator_assigns_and_departments_read_the_name(office: Office) -> None:
    await office.decide(told(received("别的事")))
    assert (await done(office, COORDINATOR, type="assign", lead="parks"))["status"] == "applied"
    [(_, value, _)] = office.told.on(topics.inbox("parks"))
    assert f"assigned from triage by {COORDINATOR.name}" in json.loads(value or b"")["why"]
    last = (await case(office, COORDINATOR))["decisions"][-1]
    assert (last["actor"], last["user"]) == ({"kind": "staff", "role": "coordinator"}, COORDINATOR.number)


async def test_only_the_sender_sees_the_status_of_a_command(office: Office) -> None:
    await office.decide(BOTH)
    event_id = (await send(office, ROADS, type="accept", part_id=P2)).json()["event_id"]
    assert (await get(office, ROADS, f"/commands/{event_id}")).status_code == 200
    unknown = problem(await get(office, ROADS, "/commands/x"), 404)["detail"]
    for who in (LIGHTING, OPERATOR, *OTHERS):
        assert problem(await get(office, who, f"/commands/{event_id}"), 404)["detail"].replace(event_id, "x") == unknown


async def test_an_idempotency_key_belongs_to_its_user(office: Office) -> None:
    await office.decide(BOTH)
    key = "the same key for two"
    first = await send(office, ROADS, key=key, type="accept", part_id=P2)
    other = await send(office, LIGHTING, key=key, type="accept", part_id=P1)
    again = await send(office, ROADS, key=key, type="accept", part_id=P2)
    assert (first.status_code, other.status_code) == (202, 202)
    assert first.json() == again.json() != other.json()
    problem(await send(office, ROADS, key=key, type="reply", part_id=P2, text="x"), 422)


async def test_a_return_with_a_key_gets_the_same_answer_when_the_case_has_left(office: Office) -> None:
    await office.decide(BOTH)
    key, returning = "a return with a key", {"type": "return", "part_id": P2, "reason": "not-ours"}
    first = await send(office, ROADS, key=key, **returning)
    await office.decide_log(1)
    problem(await get(office, ROADS, f"/cases/{INQUIRY}"), 404)
    again = await send(office, ROADS, key=key, **returning)
    assert (again.status_code, again.json()) == (202, first.json())
    problem(await send(office, ROADS, key=key, type="return", part_id=P2, reason="incomplete"), 422)
    problem(await send(office, ROADS, key="another key than that", **returning), 404)
    assert await office.commands.entries.count_documents({}) == 1


async def test_long_texts_are_422_and_stored_nowhere(office: Office) -> None:
    await office.decide(BOTH)
    for fields in ({"type": "reply", "text": "x" * 20_001}, {"type": "contribute", "text": "\u200b"}):
        problem(await send(office, ROADS, part_id=P2, **fields), 422)
    assert await office.commands.entries.count_documents({}) == 0


# ── every act carries the person ─────────────────────────────────────────────


@pytest.mark.integration
async def test_revisions_and_recalls_record_who_made_them(office: Office) -> None:
    await office.http.post("/city", content=CITY.model_dump_json(), headers=bearer(SECOND_OPERATOR))
    await office.decide(MINE)
    retiring = {"reason": "并入水务局"}
    url = "/departments/lighting/retirement"
    assert (await office.http.post(url, json=retiring, headers=bearer(OPERATOR))).json()["parts"] == 1
    made = await office.store.revisions.collection.find({}).sort("_id").to_list(None)
    assert [one["by"] for one in made] == [
        {"number": SECOND_OPERATOR.number, "name": SECOND_OPERATOR.name},
        {"number": 1, "name": "operator"},
    ]
    [entry] = await office.commands.entries.find({}).to_list(None)
    assert (entry["user"], entry["type"]) == (1, "chorus.case.recall-part")
