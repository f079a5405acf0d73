"""Letters and blows follow from the seed; what is frozen is not killed meanwhile."""

from collections import Counter

import pytest

from tests.chaos.town.blows import VICTIMS, schedule
from tests.chaos.town.letters import CHANNELS, write_letters
from tests.chaos.town.offices import steps


def test_the_same_seed_gives_the_same_run() -> None:
    assert schedule(20, 120, 1) == schedule(20, 120, 1) != schedule(20, 120, 2)
    assert write_letters(50, 1) == write_letters(50, 1) != write_letters(50, 2)
    letter = write_letters(1, 1)[0]
    assert steps(letter, "water", "20261122-AAAAAAAA-p1") == steps(letter, "water", "20261122-AAAAAAAA-p1")


@pytest.mark.parametrize("seed", range(20))
def test_so_many_kills_every_part_among_them_and_one_freeze(seed: int) -> None:
    blows = schedule(20, 120, seed)
    kills = [blow for blow in blows if not blow.frozen_s]
    assert len(kills) == 20
    assert {name for blow in kills for name in blow.victims} == set(VICTIMS)
    assert any(len(blow.victims) > 1 for blow in kills)
    (frozen,) = (blow for blow in blows if blow.frozen_s)
    meanwhile = [blow for blow in kills if frozen.at_s <= blow.at_s <= frozen.at_s + frozen.frozen_s]
    assert not any(name in blow.victims for blow in meanwhile for name in frozen.victims)


def test_every_channel_is_written_through_and_every_kind_of_step_taken() -> None:
    letters = write_letters(400, 1)
    assert {letter.document["channel"] for letter in letters} == set(CHANNELS)
    taken = Counter(kind for one in letters for _, kind, _ in steps(one, "water", "20261122-AAAAAAAA-p1"))
    assert taken.keys() == {"part.accepted", "part.replied", "part.contributed", "part.returned"}
    assert all(any(letter.returned == number for letter in letters) for number in (0, 1, 2))
