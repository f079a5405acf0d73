"""A reopened case at the desk: its rounds, who sees it, who closes it; and the reminder to rate through the loop."""

from datetime import timedelta

import pytest

from services.router.desk.case_list import CaseList, read_row
from services.router.timers.sweep import TimerSweep
from shared.kafka import topics
from shared.store.mongo import Database
from tests.builders import INQUIRY, MONDAY_NOON, accepted, contributed, rated, received, record_of, told
from tests.closing import closed
from tests.component.ringing import Ringing
from tests.component.staff import LIGHTING, OPERATOR, OTHERS, ROADS
from tests.component.test_desk import Office, office
from tests.component.test_staff_at_the_desk import case, done, get, send
from tests.component.test_timer_loop import router

__all__ = ["office", "router"]
COORDINATOR, APPROVER, SUPERVISOR, AUDITOR, _ = OTHERS
ANSWERED = (received("路灯和路面都坏了"), contributed("lighting", "灯亮了"), contributed("roads", "路补了"))
UNHAPPY = rated(solved=False, satisfied="no", words="灯又灭了")


async def test_the_case_shows_its_rounds_with_their_ratings(office: Office) -> None:
    await office.decide(told(*ANSWERED, UNHAPPY, accepted("lighting")))
    seen = await case(office, COORDINATOR)
    assert (seen["state"], seen["round"], seen["lead"]) == ("in-progress", 2, "lighting")
    [first] = seen["rounds"]
    assert (first["round"], first["reply_id"]) == (1, f"{INQUIRY}-r1")
    assert first["text"] == "【路灯管理所】\n灯亮了\n\n【道路处】\n路补了"
    assert first["rating"] == {"solved": False, "satisfied": "no", "words": "灯又灭了"}
    assert [(one["part_id"][-2:], one["round"], one["state"]) for one in seen["parts"]] == [
        ("p1", 1, "contributed"),
        ("p2", 1, "contributed"),
        ("p3", 2, "accepted"),
        ("p4", 2, "offered"),
    ]


async def test_a_department_sees_its_former_part_and_of_others_what_the_resident_sees(office: Office) -> None:
    await office.decide(told(*ANSWERED, UNHAPPY, contributed("lighting", "第二轮的草案还没有发布")))
    answer = await get(office, ROADS, f"/cases/{INQUIRY}")
    assert "第二轮" not in answer.text
    texts = {one["part_id"][-2:]: one["text"] for one in answer.json()["parts"]}
    assert texts == {"p1": "灯亮了", "p2": "路补了", "p3": None, "p4": None}
    assert answer.json()["rounds"][0]["rating"]["words"] == "灯又灭了"


async def test_a_department_that_does_not_get_its_part_back_still_sees_the_case(office: Office) -> None:
    story = told(*ANSWERED, UNHAPPY, contributed("lighting", "二"), contributed("roads", "二"), rated(2, solved=False))
    await office.decide(story)
    assert (await case(office, COORDINATOR))["state"] == "triage"
    assert (await get(office, ROADS, f"/cases/{INQUIRY}")).status_code == 200
    answer = await get(office, COORDINATOR, "/triage")
    [waiting] = answer.json()["inquiries"]
    assert waiting["reasons"][0]["reason"] == "reopened"


async def test_only_a_coordinator_closes_and_a_refusal_says_why(office: Office) -> None:
    await office.decide(told(*ANSWERED, UNHAPPY))
    for who in (OPERATOR, LIGHTING, APPROVER, SUPERVISOR):
        answer = await send(office, who, type="close", why="完")
        assert answer.status_code == 403
        assert "coordinator" in answer.json()["detail"]
    status = await done(office, COORDINATOR, type="close", why="完")
    assert status["status"] == "refused"
    assert "is reopened, so it cannot be closed" in status["reason"]
    assert (await send(office, COORDINATOR, type="close", why=" ")).status_code == 422


# ── the reminder ─────────────────────────────────────────────────────────────


@pytest.fixture
async def answered(router: Ringing) -> Ringing:
    await router.decide(router.story(received("路灯不亮"), contributed("lighting", "亮了")).inputs)
    return router


DUE_H = 1 + 72


async def test_the_loop_reminds_once_and_not_after_a_rating(answered: Ringing) -> None:
    assert await answered.ring(DUE_H - 1) == []
    [rang] = await answered.ring(DUE_H)
    assert (rang.payload.model_dump()["kind"], rang.recorded_at) == ("rating-reminder", "2026-03-19T05:00:00.000Z")
    await answered.core.decide_inputs([rang])
    assert (await answered.decisions(INQUIRY))[-1].facts[0]._asdict() == {"round": 1}
    assert await answered.ring(DUE_H + 24) == []
    assert await answered.looks() == {}


async def test_a_rated_case_leaves_the_list_of_timers(answered: Ringing) -> None:
    await answered.step(rated(), INQUIRY)
    assert await answered.ring(DUE_H + 1) == []
    assert await answered.looks() == {}


async def test_a_sweep_finds_unrated_answers_of_the_last_month_only(answered: Ringing, database: Database) -> None:
    decided = [one for decision in await answered.decisions(INQUIRY) for one in decision.messages]
    events = [record_of(one) for one in decided if one.topic == topics.EVENTS]
    await CaseList(answered.store).follow([read_row(one) for one in events])
    await answered.store.timers.collection.delete_many({})
    late = TimerSweep(answered.store, answered.city, lambda: MONDAY_NOON + timedelta(days=40))
    assert await late.sweep() == 0
    assert await TimerSweep(answered.store, answered.city, lambda: MONDAY_NOON + timedelta(days=2)).sweep() == 1
    assert await answered.looks() == {INQUIRY: MONDAY_NOON + timedelta(hours=DUE_H)}


def test_a_closed_case_is_no_longer_unrated() -> None:
    rows: dict[str, object] = {}
    for step in told(*ANSWERED, rated(), closed()).messages:
        if step.topic == topics.EVENTS:
            rows |= read_row(record_of(step))
    assert (rows["state"], rows["unrated"]) == ("closed", False)
