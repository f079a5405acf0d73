"""Timers on a real store: the loop appends each once, waits for outboxes, and survives crashes and restores."""

import asyncio
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from datetime import timedelta

import pytest

from services.router.desk.case_list import CaseList, read_row
from services.router.stores.case_timers import Look
from services.router.timers import loop
from services.router.timers.overdue import OverdueTimers
from services.router.timers.sweep import TimerSweep
from shared.kafka import topics
from shared.kafka.publisher import RawRecord, Row
from shared.store.mongo import Database
from tests.builders import (
    INQUIRY,
    MONDAY_NOON,
    accepted,
    assigned,
    contributed,
    later,
    rated,
    received,
    record_of,
    returned,
    told,
    withdrawn,
)
from tests.component.ringing import ACCEPT_DUE, ACCEPT_SOON, SECOND, Ringing
from tests.fakes import FakePublisher, header

GIVEN = received("路灯不亮")
BOTH = received("路灯和路面都坏了")
LIGHTING = topics.outbox("lighting")


@pytest.fixture
async def router(database: Database, publisher: FakePublisher) -> Ringing:
    one = Ringing(database, publisher)
    await one.store.prepare()
    return one


async def begun(router: Ringing) -> None:
    """A case with one part, at noon: the clock to accept it reminds after 8 hours and runs out after 10."""
    await router.decide(router.story(GIVEN).inputs)


# Ringing


async def test_each_timer_of_a_case_rings_once_at_its_own_time(router: Ringing) -> None:
    await begun(router)
    inputs = await router.ring(7, 8, 9, 10, 16, 20, 80, 100, 101)
    hours = [(one.recorded_at, one.payload.model_dump()["clock"]) for one in inputs]
    assert hours == [
        ("2026-03-16T12:00:00.000Z", "accept"),
        ("2026-03-16T14:00:00.000Z", "accept"),
        ("2026-03-16T20:00:00.000Z", "first_reply"),
        ("2026-03-17T00:00:00.000Z", "first_reply"),
        ("2026-03-19T12:00:00.000Z", "resolve"),
        ("2026-03-20T08:00:00.000Z", "resolve"),
    ]
    assert [kind for kind, _, _ in await router.announced(INQUIRY)] == ["soon", "broken"] * 3
    assert await router.looks() == {}


async def test_a_rated_case_rings_no_timer_and_leaves_the_list(router: Ringing) -> None:
    await begun(router)
    await router.step(contributed("lighting", "亮了"), INQUIRY)
    await router.step(rated(), INQUIRY)
    assert await router.ring(8, 10, 100) == []
    assert await router.looks() == {}


async def test_a_timer_that_is_on_the_log_and_not_decided_is_not_appended_again(router: Ringing) -> None:
    await begun(router)
    router.clock.now = ACCEPT_SOON + SECOND
    await router.timers.round()
    [first] = router.appended()
    router.clock.now += timedelta(minutes=5)
    await router.timers.round()
    assert router.appended() == []
    await router.core.decide_inputs([first])
    assert await router.announced(INQUIRY) == [("soon", "lighting", "accept")]


async def test_nothing_rings_before_its_time(router: Ringing) -> None:
    """A clock that runs a second ahead of the broker's is late enough."""
    await begun(router)
    router.clock.now = ACCEPT_SOON + SECOND - timedelta(milliseconds=1)
    await router.timers.round()
    assert router.appended() == []


async def test_after_a_long_outage_broken_clocks_are_recorded_and_nobody_is_reminded_too_late(router: Ringing) -> None:
    await begun(router)
    await router.ring(50)
    assert await router.announced(INQUIRY) == [("broken", "lighting", "accept"), ("broken", "lighting", "first_reply")]


async def test_the_present_holder_is_reminded_and_not_the_former_one(router: Ringing) -> None:
    await begun(router)
    await router.step(returned("lighting"), INQUIRY)
    await router.step(assigned("roads"), INQUIRY)
    await router.ring(8, 9, 10, 11, 12, 13)
    assert await router.announced(INQUIRY) == [("soon", "roads", "accept"), ("broken", "roads", "accept")]


async def test_a_later_part_with_an_earlier_timer_is_looked_at_in_time(router: Ringing) -> None:
    await begun(router)
    await router.step(accepted("lighting"), INQUIRY)
    await router.ring(8)
    assert await router.looks() == {INQUIRY: MONDAY_NOON + timedelta(hours=16)}
    await router.step(later(returned("lighting"), MONDAY_NOON + timedelta(minutes=1)), INQUIRY)
    await router.step(later(assigned("roads"), MONDAY_NOON + timedelta(minutes=2)), INQUIRY)
    assert await router.looks() == {INQUIRY: MONDAY_NOON + timedelta(hours=8, minutes=2)}


async def test_a_decision_that_brings_no_timer_forward_writes_nothing(router: Ringing) -> None:
    await begun(router)
    before = await router.looks()
    await router.step(accepted("lighting"), INQUIRY)
    await router.step(withdrawn("lighting"), INQUIRY)
    assert await router.looks() == before


# Several processes


async def test_two_processes_write_the_same_bytes(router: Ringing) -> None:
    await begun(router)
    publishers = [FakePublisher(), FakePublisher()]
    rows: list[list[RawRecord]] = []
    for one in publishers:
        router.clock.now = ACCEPT_SOON + SECOND
        await router.process(one).round()
        rows.append(one.on(topics.INPUTS))
        await router.store.timers.look([Look(INQUIRY, 1, 0)])
        await router.store.timers.collection.update_many({}, {"$set": {"rang": []}})
    assert rows[0] == rows[1] != []
    assert header(rows[0][0], "ce_source") == "chorus/timers"


class Killed(FakePublisher):
    """Its process ends when the messages are on the log, before it can note anything."""

    def __init__(self, log: FakePublisher) -> None:
        super().__init__()
        self.log = log

    async def deliver(self, topics: AbstractSet[str], rows: Iterable[Row]) -> None:
        await self.log.deliver(topics, rows)
        raise ProcessEnded


class ProcessEnded(Exception):
    """The process is gone."""


@pytest.mark.parametrize("seed", range(5))
async def test_of_three_processes_one_is_killed_and_every_reminder_happens_once(router: Ringing, seed: int) -> None:
    numbers = [f"20260316-0000000{digit}" for digit in "ABCDEFGH"]
    for at, number in enumerate(numbers):
        steps = (GIVEN, returned("lighting"), assigned("roads")) if (at + seed) % 2 else (GIVEN,)
        await router.decide(router.story(*steps, inquiry_id=number).inputs)
    processes = [router.process(lease_s=30), router.process(lease_s=30), router.process(Killed(router.publisher), 30)]
    for minute in range(0, 15 * 60, 15):
        router.clock.now = MONDAY_NOON + timedelta(minutes=minute + seed)
        order = processes[seed % len(processes) :] + processes[: seed % len(processes)]
        outcomes = await asyncio.gather(*(one.round() for one in order), return_exceptions=True)
        assert [one for one in outcomes if isinstance(one, BaseException) and not isinstance(one, ProcessEnded)] == []
        if any(isinstance(one, ProcessEnded) for one in outcomes):
            processes = [one for one in processes if not isinstance(one.publisher, Killed)]
            processes.append(router.process(lease_s=30))
        await router.core.decide_inputs(router.appended())
    for at, number in enumerate(numbers):
        holder = "roads" if (at + seed) % 2 else "lighting"
        assert await router.announced(number) == [("soon", holder, "accept"), ("broken", holder, "accept")]


async def test_a_process_that_dies_before_it_notes_the_look_repeats_the_same_input(router: Ringing) -> None:
    await begun(router)
    router.clock.now = ACCEPT_SOON + SECOND
    with pytest.raises(ProcessEnded):
        await router.process(Killed(router.publisher)).round()
    router.clock.now += timedelta(seconds=31)
    await router.timers.round()
    first, again = router.appended()
    assert first._replace(at=again.at) == again
    await router.core.decide_inputs([first, again])
    assert len(await router.decisions(INQUIRY)) == 2


async def test_a_look_that_a_decision_brought_forward_is_not_pushed_back(router: Ringing) -> None:
    """The loop has claimed the case and computes from an older state when the core decides."""
    await begun(router)
    [claimed] = await router.store.timers.claim(ACCEPT_SOON, 30, 9)
    sooner = Look(INQUIRY, 9, int((MONDAY_NOON + timedelta(hours=1)).timestamp() * 1000))
    await router.store.timers.look([sooner])
    await router.store.timers.look_again(claimed, ACCEPT_DUE, Look(INQUIRY, 1, 0))
    await router.store.timers.remove(claimed)
    assert await router.looks() == {INQUIRY: MONDAY_NOON + timedelta(hours=1)}


# The gate


async def test_a_timer_waits_for_the_outboxes_of_its_own_departments_only(router: Ringing) -> None:
    other = "20260316-0000000B"
    await begun(router)
    await router.decide(router.story(received("水管破裂"), inquiry_id=other).inputs)
    router.outboxes.unread = {LIGHTING}
    await router.ring(10)
    assert await router.announced(INQUIRY) == []
    assert await router.announced(other) == [("broken", "water", "accept")]
    router.outboxes.unread = set()
    await router.ring(10.01)
    assert await router.announced(INQUIRY) == [("broken", "lighting", "accept")]


async def test_it_asks_for_the_time_at_which_the_timer_rings(router: Ringing) -> None:
    await begun(router)
    await router.ring(10)
    assert router.outboxes.asked == [{LIGHTING: int(ACCEPT_DUE.timestamp() * 1000)}]


async def test_after_fifteen_minutes_it_goes_on_and_says_so(router: Ringing) -> None:
    await begun(router)
    router.outboxes.unread = {LIGHTING}
    await router.ring(10, 10.1, 10.2, 10.249)
    assert await router.announced(INQUIRY) == []
    await router.ring(10.25)
    [fact] = (await router.decisions(INQUIRY))[-1].facts
    assert fact._asdict() == {
        "part_id": f"{INQUIRY}-p1",
        "department": "lighting",
        "clock": "accept",
        "due_at": "2026-03-16T14:00:00.000Z",
        "gate_behind": True,
    }


async def test_going_on_early_or_late_is_the_same_input(router: Ringing) -> None:
    """One process has waited in vain, the other one knows that the outbox is read."""
    await begun(router)
    router.outboxes.unread = {LIGHTING}
    router.clock.now = MONDAY_NOON + timedelta(hours=11)
    with pytest.raises(ProcessEnded):
        await router.process(Killed(router.publisher)).round()
    router.outboxes.unread = set()
    router.clock.now += timedelta(seconds=31)
    await router.timers.round()
    inputs = router.appended()
    assert len({one.id for one in inputs}) == len({one.digest for one in inputs}) == 1
    await router.core.decide_inputs(inputs)
    assert len(await router.decisions(INQUIRY)) == 2


async def test_a_message_sent_in_time_that_arrives_after_the_timer_counts_as_in_time(router: Ringing) -> None:
    await begun(router)
    router.outboxes.unread = {LIGHTING}
    await router.ring(10.25)
    await router.step(later(accepted("lighting"), ACCEPT_DUE), INQUIRY)
    events = [one for decision in await router.decisions(INQUIRY) for one in decision.messages]
    kinds = [one.type for one in events if one.topic == topics.EVENTS][-2:]
    assert kinds == ["chorus.clock.broken", "chorus.part.accepted"]
    [part] = (await router.store.decisions.reload([INQUIRY]))[INQUIRY].parts.values()
    assert part.state == "accepted"


# Crashes, restores, older data


async def test_a_core_that_dies_before_its_decision_has_noted_when_to_look(
    router: Ringing, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(*_: object) -> set[str]:
        raise ProcessEnded

    monkeypatch.setattr(router.store.decisions, "insert", dies)
    with pytest.raises(ProcessEnded):
        await begun(router)
    assert await router.looks() == {INQUIRY: ACCEPT_SOON}
    monkeypatch.undo()
    await begun(router)
    assert await router.looks() == {INQUIRY: ACCEPT_SOON}


async def test_a_sweep_finds_open_cases_that_the_list_of_timers_lacks(router: Ringing) -> None:
    await begun(router)
    await fill_case_list(router)
    await router.store.timers.collection.delete_many({})
    sweep = TimerSweep(router.store, router.city)
    assert await sweep.sweep() == 1
    assert await router.looks() == {INQUIRY: ACCEPT_SOON}
    assert await sweep.sweep() == 0


async def test_a_sweep_finds_decisions_that_are_newer_than_a_restored_list_of_timers(router: Ringing) -> None:
    await begun(router)
    backup = await router.store.timers.collection.find().to_list(None)
    backup[0]["due_at"] = backup[0]["ring_at"] = MONDAY_NOON + timedelta(days=9)
    await router.step(accepted("lighting"), INQUIRY)
    await fill_case_list(router)
    await router.store.timers.collection.delete_many({})
    await router.store.timers.collection.insert_many(backup)
    assert await TimerSweep(router.store, router.city).sweep() == 1
    assert await router.looks() == {INQUIRY: MONDAY_NOON + timedelta(hours=16)}


async def test_decisions_that_are_made_again_after_a_restore_are_the_same_with_their_timers(router: Ringing) -> None:
    await begun(router)
    appended = await router.ring(8, 10)
    before = [one.document() for one in await router.decisions(INQUIRY)]
    for name in ("decisions", "timers"):
        await router.database[name].delete_many({})
    other = Ringing(router.database, FakePublisher())
    await begun(other)
    await other.core.decide_inputs(appended)
    assert [one.document() for one in await other.decisions(INQUIRY)] == before
    assert await other.ring(8, 10) == []


async def fill_case_list(router: Ringing) -> None:
    events = [one for decision in await router.decisions(INQUIRY) for one in decision.messages]
    rows = [read_row(record_of(one)) for one in events if one.topic == topics.EVENTS]
    await CaseList(router.store).follow(rows)


# Remarks


async def test_overdue_timers_are_remarked_after_a_minute(router: Ringing) -> None:
    await begun(router)
    overdue = OverdueTimers(router.store.timers, router.clock)
    router.clock.now = ACCEPT_SOON + timedelta(seconds=59)
    assert await overdue.remark() is None
    router.clock.now = ACCEPT_SOON + timedelta(seconds=60)
    assert await overdue.remark() == (
        "1 case has a timer that should have rung since 2026-03-16T12:00:00.000Z: the gate may wait for an outbox, "
        "or no router rings timers"
    )
    await router.timers.round()
    assert await overdue.remark() is None


async def test_a_timer_that_waits_for_an_outbox_is_overdue_too(router: Ringing) -> None:
    await begun(router)
    router.outboxes.unread = {LIGHTING}
    await router.ring(8, 8.05)
    assert await OverdueTimers(router.store.timers, router.clock).remark() is not None


def test_a_case_of_four_inputs_stores_no_timers() -> None:
    story = told(BOTH, accepted("roads"), contributed("lighting", "亮了"), contributed("roads", "补了"))
    assert all("timers" not in one.document() for one in story.decisions)


def test_the_loop_waits_at_most_a_quarter_of_an_hour() -> None:
    assert timedelta(minutes=15) == loop.GATE_WAIT
