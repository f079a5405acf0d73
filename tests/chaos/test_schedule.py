"""Letters, blows and visits follow from the seed; what is frozen or away is not killed meanwhile."""

from collections import Counter
from itertools import pairwise

import pytest

from tests.chaos.town.letters import CHANNELS, write_letters
from tests.chaos.town.offices import steps
from tests.chaos.town.schedule import VICTIMS, make_schedule
from tests.chaos.town.stack import SERVICES


def test_the_same_seed_gives_the_same_run() -> None:
    assert make_schedule(20, 120, 1) == make_schedule(20, 120, 1) != make_schedule(20, 120, 2)
    assert write_letters(50, 1) == write_letters(50, 1) != write_letters(50, 2)
    letter = write_letters(1, 1)[0]
    assert steps(letter, "water", "20261122-AAAAAAAA-p1") == steps(letter, "water", "20261122-AAAAAAAA-p1")


@pytest.mark.parametrize("seed", range(40))
def test_so_many_kills_every_part_among_them_and_everything_at_once_in_the_end(seed: int) -> None:
    blows = make_schedule(20, 140, seed).blows
    kills = [blow for blow in blows if not blow.frozen_s and not blow.away_s]
    assert len(kills) == 20
    assert {name for blow in kills[:-1] for name in blow.victims} == set(VICTIMS)
    assert any(len(blow.victims) > 1 for blow in kills[:-1])
    assert set(kills[-1].victims) == set(VICTIMS)
    assert kills[-1] is blows[-1]


@pytest.mark.parametrize("seed", range(40))
def test_what_is_frozen_or_away_is_let_be_and_the_broker_lives_while_somebody_sleeps(seed: int) -> None:
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
def test_second_processes_come_named_or_not_and_one_is_beside_whoever_is_frozen(seed: int) -> None:
    schedule = make_schedule(20, 140, seed)
    (frozen,) = (blow for blow in schedule.blows if blow.frozen_s)
    assert {visit.service for visit in schedule.visits} == set(SERVICES)
    assert {visit.killed for visit in schedule.visits} == {True, False}
    assert any(
        (visit.service,) == frozen.victims and visit.at_s < frozen.at_s and visit.at_s + visit.stays_s > frozen.ends_s
        for visit in schedule.visits
    )


def test_a_short_run_has_kills_and_a_visit_and_nothing_that_takes_a_minute() -> None:
    schedule = make_schedule(4, 12, 7)
    assert len(schedule.blows) == 4
    assert not any(blow.frozen_s or blow.away_s for blow in schedule.blows)
    assert len(schedule.visits) == 1


def test_every_channel_is_written_through_and_every_kind_of_step_taken() -> None:
    letters = write_letters(400, 1)
    assert {letter.document["channel"] for letter in letters} == set(CHANNELS)
    taken = Counter(kind for one in letters for _, kind, _ in steps(one, "water", "20261122-AAAAAAAA-p1"))
    assert taken.keys() == {"part.accepted", "part.replied", "part.contributed", "part.returned"}
    assert all(any(letter.returned == number for letter in letters) for number in (0, 1, 2))
