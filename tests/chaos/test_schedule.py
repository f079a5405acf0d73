"""Schedules: messages, faults and second processes follow from the seed."""

from collections import Counter
from itertools import pairwise

import pytest

from tests.chaos.town.messages import CHANNELS, write_messages
from tests.chaos.town.offices import steps
from tests.chaos.town.schedule import VICTIMS, make_schedule
from tests.chaos.town.stack import SERVICES


def test_the_same_seed_gives_the_same_run() -> None:
    assert make_schedule(20, 120, 1) == make_schedule(20, 120, 1) != make_schedule(20, 120, 2)
    assert write_messages(50, 1) == write_messages(50, 1) != write_messages(50, 2)
    message = write_messages(1, 1)[0]
    assert steps(message, "water", "20261122-AAAAAAAA-p1") == steps(message, "water", "20261122-AAAAAAAA-p1")


@pytest.mark.parametrize("seed", range(40))
def test_the_kills_include_every_component_and_finally_all_at_once(seed: int) -> None:
    blows = make_schedule(20, 140, seed).blows
    kills = [blow for blow in blows if not blow.frozen_s and not blow.away_s]
    assert len(kills) == 20
    assert {name for blow in kills[:-1] for name in blow.victims} == set(VICTIMS)
    assert any(len(blow.victims) > 1 for blow in kills[:-1])
    assert set(kills[-1].victims) == set(VICTIMS)
    assert kills[-1] is blows[-1]


@pytest.mark.parametrize("seed", range(40))
def test_frozen_processes_are_not_killed_and_the_broker_runs_during_a_freeze(seed: int) -> None:
    blows = make_schedule(40, 300, seed).blows
    long = [blow for blow in blows if blow.frozen_s or blow.away_s]
    assert [blow.victims for blow in long if blow.away_s] == [("kafka",)]
    assert next(blow.victims for blow in long if blow.frozen_s) == ("router",)
    assert all(blow.away_s >= 60 or blow.frozen_s > 30 for blow in long)
    assert all(one.ends_s < following.at_s for one, following in pairwise(long))
    for one in long:
        meanwhile = [blow for blow in blows if blow is not one and one.at_s <= blow.at_s <= one.ends_s]
        assert not any(name in blow.victims for blow in meanwhile for name in (*one.victims, "kafka"))


@pytest.mark.parametrize("seed", range(40))
def test_second_processes_are_named_or_unnamed_and_one_runs_during_each_freeze(seed: int) -> None:
    schedule = make_schedule(20, 140, seed)
    (frozen,) = (blow for blow in schedule.blows if blow.frozen_s)
    assert {visit.service for visit in schedule.visits} == set(SERVICES)
    assert {visit.killed for visit in schedule.visits} == {True, False}
    assert any(
        (visit.service,) == frozen.victims and visit.at_s < frozen.at_s and visit.at_s + visit.stays_s > frozen.ends_s
        for visit in schedule.visits
    )


def test_a_short_run_has_kills_and_a_second_process_only() -> None:
    schedule = make_schedule(4, 12, 7)
    assert len(schedule.blows) == 4
    assert not any(blow.frozen_s or blow.away_s for blow in schedule.blows)
    assert len(schedule.visits) == 1


def test_messages_cover_every_channel_and_every_kind_of_step() -> None:
    messages = write_messages(400, 1)
    assert {message.document["channel"] for message in messages} == set(CHANNELS)
    taken = Counter(kind for one in messages for _, kind, _ in steps(one, "water", "20261122-AAAAAAAA-p1"))
    assert taken.keys() == {"part.accepted", "part.replied", "part.contributed", "part.returned", "part.asked"}
    assert any(message.adds for message in messages)
    assert all(any(message.returned == number for message in messages) for number in (0, 1, 2))
