"""Timers of questions, extensions and arbitrations on a real store: each rings once, and follows what happens."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from services.router.desk.case_list import CaseList, read_row
from services.router.domain.case import Case
from services.router.timers.sweep import TimerSweep
from shared.city import City
from shared.kafka import topics
from shared.store.mongo import Database
from tests.asking import added, asked, asked_for_case, extended, extension_asked
from tests.builders import (
    CITY,
    INQUIRY,
    MONDAY_NOON,
    Step,
    accepted,
    assigned,
    later,
    received,
    record_of,
    returned,
)
from tests.component.ringing import POLICY, Ringing
from tests.fakes import FakePublisher
from tests.returning import arbitrated

GIVEN = received("路灯不亮")
ASKING_POLICY = POLICY | {
    "asking": {"remind_after": "30h", "close_after": "60h"},
    "returns": {"within": "5h", "limit": 2, "reasons": ["not-ours"]},
}


@pytest.fixture
async def router(database: Database, publisher: FakePublisher) -> Ringing:
    one = Ringing(database, publisher)
    one.city.use(City.model_validate(CITY.model_dump() | {"policies": [ASKING_POLICY], "revision": 2}))
    await one.store.prepare()
    return one


def at(hours: float, step: Step) -> Step:
    return later(step, MONDAY_NOON + timedelta(hours=hours))


async def begun(router: Ringing, *steps: Step) -> None:
    await router.decide(router.story(*steps).inputs)


async def the_case(router: Ringing) -> Case:
    return (await router.store.decisions.reload([INQUIRY]))[INQUIRY]


async def events(router: Ringing) -> list[str]:
    return [
        fact.split('"')[3].removeprefix("chorus.") for one in await router.decisions(INQUIRY) for fact in one.events
    ]


async def rung(router: Ringing, *hours: float) -> list[tuple[str, str]]:
    """Kind and recorded time of each timer that rings at these hours after the offer."""
    return [(one.payload.model_dump()["kind"], one.recorded_at[8:16]) for one in await router.ring(*hours)]


async def test_a_question_rings_one_reminder_and_then_the_end(router: Ringing) -> None:
    await begun(router, GIVEN, at(1, asked("lighting")))
    assert await rung(router, 5, 8, 30, 31, 60, 61, 100, 200) == [
        ("asking-reminder", "17T11:00"),
        ("asking-close", "18T17:00"),
    ]
    assert (await the_case(router)).state == "closed"
    assert await router.looks() == {}


async def test_an_answer_stops_the_timers_of_the_question_and_starts_those_of_the_clocks(router: Ringing) -> None:
    await begun(router, GIVEN, at(1, asked("lighting")), at(41, added()))
    # 16 hours to the reminder of the first reply, 20 to its due time: both move by the 40 hours of the pause.
    assert await rung(router, 30, 50, 56, 60) == [("due-soon", "18T12:00"), ("overdue", "18T16:00")]
    assert not {"inquiry.reminded", "inquiry.closed"} & set(await events(router))


async def test_a_late_answer_brings_the_timers_of_a_closed_case_back(router: Ringing) -> None:
    await begun(router, GIVEN, at(1, asked("lighting")))
    await router.ring(31, 61, 62)
    assert await router.looks() == {}
    await router.step(at(101, added()), INQUIRY)
    assert (await the_case(router)).state == "in-progress"
    assert await rung(router, 115, 116, 120) == [("due-soon", "21T00:00"), ("overdue", "21T04:00")]


async def test_reminders_of_an_extended_clock(router: Ringing) -> None:
    until = MONDAY_NOON + timedelta(hours=200)
    await begun(router, GIVEN, accepted("lighting"), at(2, extension_asked("lighting", until)))
    assert ("due-soon", "19T12:00") in await rung(router, 16, 20, 80)
    await router.step(at(90, extended("lighting")), INQUIRY)
    assert await rung(router, 100, 179, 180, 200) == [("due-soon", "23T16:00"), ("overdue", "24T12:00")]


async def test_when_the_arbiters_time_has_passed_the_first_department_leads(router: Ringing) -> None:
    await begun(router, GIVEN, at(1, returned("lighting")), at(2, assigned("roads")), at(3, returned("roads")))
    assert await rung(router, 7, 8) == [("return-arbitration", "16T12:00")]
    case = await the_case(router)
    assert (case.state, case.lead, case.active_parts[0].binding) == ("assigned", "lighting", True)
    assert case.active_parts[0].due["accept"] == "2026-03-16T22:00:00.000Z"


async def test_a_timer_of_an_arbitration_that_ended_in_time_rings_for_nobody(router: Ringing) -> None:
    dispute = (GIVEN, at(1, returned("lighting")), at(2, assigned("roads")), at(3, returned("roads")))
    await begun(router, *dispute, at(4, arbitrated("parks")))
    assert await rung(router, 8) == []
    assert (await the_case(router)).lead == "parks"


async def test_the_timer_waits_for_a_command_that_the_desk_has_not_published(router: Ringing) -> None:
    await begun(router, GIVEN, at(1, returned("lighting")), at(2, assigned("roads")), at(3, returned("roads")))
    waiting = {INQUIRY}

    async def unpublished(inquiry_ids: Sequence[str]) -> set[str]:
        return waiting & set(inquiry_ids)

    router.timers.unpublished = unpublished
    assert await rung(router, 8) == []
    waiting.clear()
    assert await rung(router, 8.1) == [("return-arbitration", "16T12:00")]


async def test_the_timer_waits_for_the_desk_for_15_minutes_at_most(router: Ringing) -> None:
    await begun(router, GIVEN, at(1, returned("lighting")), at(2, assigned("roads")), at(3, returned("roads")))

    async def unpublished(inquiry_ids: Sequence[str]) -> set[str]:
        return set(inquiry_ids)

    router.timers.unpublished = unpublished
    assert await rung(router, 8.2) == []
    assert await rung(router, 8.26) == [("return-arbitration", "16T12:00")]


async def test_two_processes_write_the_same_timer(router: Ringing) -> None:
    await begun(router, GIVEN, at(1, asked_for_case()))
    router.clock.now = MONDAY_NOON + timedelta(hours=32)
    await router.timers.round()
    first = router.publisher.on(topics.INPUTS)[-1]
    await router.store.timers.collection.update_many({}, {"$set": {"rang": [], "due_at": MONDAY_NOON}})
    await router.process().round()
    assert router.publisher.on(topics.INPUTS)[-1] == first


@pytest.mark.parametrize("state", ["awaiting-resident", "awaiting-release"])
async def test_a_sweep_looks_at_cases_that_wait_for_the_resident_or_for_their_release(
    router: Ringing, state: str
) -> None:
    await begun(router, GIVEN, at(1, asked("lighting")))
    told = [one for decision in await router.store.decisions.of(INQUIRY) for one in decision.messages]
    rows = [read_row(record_of(one)) for one in told if one.topic == topics.EVENTS]
    await CaseList(router.store).follow(rows)
    await router.store.cases.collection.update_many({}, {"$set": {"state": state}})
    await router.store.timers.collection.delete_many({})
    assert await TimerSweep(router.store, router.city).sweep() == 1
    assert await router.looks() == {INQUIRY: MONDAY_NOON + timedelta(hours=31)}
