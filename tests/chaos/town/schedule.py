"""The schedule of a run, made from its seed: kills, freezes, broker outages and second processes."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tests.chaos.town.stack import SERVICES

AWAY_S, FREEZE_S = 60.0, 35.0
BEFORE_FREEZE_S, AFTER_FREEZE_S = 4.0, 8.0
WHOLE_FROM_KILLS = 6
KILLS_A_FREEZE, KILLS_A_VISIT = 20, 5
WHOLE_S = AWAY_S + FREEZE_S + 45.0
"""The minimum duration of a run with every kind of fault, including time without freeze or outage."""
FREEZABLE = ("router", "notifier", "scorer", "intake")
VICTIMS = (*SERVICES, "router", "kafka", "mongodb")
"""The router twice, because it does most of the work."""


@dataclass(frozen=True)
class Blow:
    """At this second these components are killed together; with `frozen_s` they are stopped instead, with `away_s` they
    stay down for that time.
    """

    at_s: float
    victims: tuple[str, ...]
    frozen_s: float = 0.0
    away_s: float = 0.0

    @property
    def ends_s(self) -> float:
        """When the components may run again."""
        return self.at_s + self.frozen_s + self.away_s


@dataclass(frozen=True)
class Visit:
    """A second process of a service; `named` has its own CHORUS_INSTANCE, `killed` ends with SIGKILL."""

    at_s: float
    service: str
    stays_s: float
    named: bool
    killed: bool


@dataclass(frozen=True)
class Schedule:
    """All events in order of time."""

    blows: Sequence[Blow]
    visits: Sequence[Visit] = field(default_factory=tuple)


def make_schedule(kills: int, seconds: float, seed: int, victims: Sequence[str] = VICTIMS) -> Schedule:
    """This many kills over these seconds, every fourth of several components, and second processes between them.

    With six or more kills there are also freezes beyond the session timeout, each with a second process that takes over; one
    broker outage of a minute; and a final kill of everything.
    """
    dice = random.Random(f"blows/{seed}")
    whole = kills >= WHOLE_FROM_KILLS
    long = list(_long_blows(kills, seconds, dice)) if whole else []
    blows = list(_kills(kills, seconds, victims, long, whole, dice))
    visits = [*_visits(kills, seconds, dice), *(_beside(one, dice) for one in long if one.frozen_s)]
    return Schedule(sorted([*blows, *long], key=lambda one: one.at_s), sorted(visits, key=lambda one: one.at_s))


def _long_blows(kills: int, seconds: float, dice: random.Random) -> Iterator[Blow]:
    """One after another, in random order: without a broker no session times out."""
    others = dice.sample(FREEZABLE[1:], len(FREEZABLE) - 1)
    frozen = [FREEZABLE[0], *others] * kills
    wanted = [Blow(0.0, (frozen[at],), frozen_s=FREEZE_S) for at in range(max(1, kills // KILLS_A_FREEZE))]
    wanted.insert(dice.randint(0, len(wanted)), Blow(0.0, ("kafka",), away_s=AWAY_S))
    spare_s = (seconds - sum(one.ends_s for one in wanted)) / (len(wanted) + 1)
    at_s = 0.0
    for one in wanted:
        at_s += spare_s * dice.uniform(0.7, 1.0)
        yield Blow(at_s, one.victims, one.frozen_s, one.away_s)
        at_s += one.ends_s


def _kills(
    kills: int, seconds: float, victims: Sequence[str], long: Sequence[Blow], whole: bool, dice: random.Random
) -> Iterator[Blow]:
    """One in each equal slice of time; every component is a first victim once.

    The broker is killed early, because it has the fewest turns, but not first, so that messages flow before.
    """
    waiting = sorted(dice.sample([*dict.fromkeys(victims)], len(set(victims))), key=lambda one: one != "kafka")
    for number in range(kills):
        at_s = seconds * (number + dice.uniform(0.1, 0.9)) / kills
        if whole and number == kills - 1:
            yield Blow(max(at_s, *(one.ends_s + 1 for one in long)), tuple(dict.fromkeys(victims)))
            return
        spared = {name for one in long if one.at_s - 1 <= at_s <= one.ends_s + 1 for name in (*one.victims, "kafka")}
        open_to = [one for one in victims if one not in spared and (number or one != "kafka")]
        first = next((one for one in waiting if one in open_to), None) or dice.choice(open_to)
        waiting = [one for one in waiting if one != first]
        others = [one for one in dict.fromkeys(open_to) if one != first]
        more = dice.sample(others, min(len(others), dice.choice((1, 2)))) if number % 4 == 3 else []
        yield Blow(at_s, (first, *more))


def _visits(kills: int, seconds: float, dice: random.Random) -> Iterator[Visit]:
    count = max(1, kills // KILLS_A_VISIT)
    services = dice.sample(SERVICES, len(SERVICES)) * count
    for number in range(count):
        at_s = seconds * (number + dice.uniform(0.0, 0.6)) / count
        stays_s = min(dice.uniform(8.0, 20.0), max(8.0, 0.3 * seconds))
        yield Visit(at_s, services[number], stays_s, named=dice.random() < 0.5, killed=number % 2 == 1)


def _beside(frozen: Blow, dice: random.Random) -> Visit:
    """A second process that takes over from the frozen one, and still runs when it wakes."""
    stays_s = BEFORE_FREEZE_S + frozen.frozen_s + AFTER_FREEZE_S
    at_s = max(0.0, frozen.at_s - BEFORE_FREEZE_S)
    return Visit(at_s, frozen.victims[0], stays_s, named=dice.random() < 0.5, killed=dice.random() < 0.5)
