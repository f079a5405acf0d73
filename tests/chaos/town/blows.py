"""Blows: a seeded schedule of kills and one freeze, carried out by process id, and how long each took to heal."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.chaos.town.stack import SERVICES, Town

FREEZE_S = 35.0
HEAL_S = 120.0
FREEZE_FROM_KILLS = 6
FREEZABLE = ("router", "notifier", "scorer")
VICTIMS = (*SERVICES, "router", "kafka", "mongodb")
"""The router twice: it does the most."""


@dataclass(frozen=True)
class Blow:
    """At a second of the run these parts are killed at once; with `frozen_s`, stopped for so long instead."""

    at_s: float
    victims: tuple[str, ...]
    frozen_s: float = 0.0


def schedule(
    kills: int, seconds: float, seed: int, victims: Sequence[str] = VICTIMS, freeze: bool = True
) -> list[Blow]:
    """So many kills over these seconds, every fourth of several parts; long runs have one freeze besides."""
    dice = random.Random(f"blows/{seed}")
    times = sorted(dice.uniform(0.05, 0.95) * seconds for _ in range(kills))
    order = [*dict.fromkeys(victims)]
    dice.shuffle(order)
    blows = []
    frozen = Blow(0.3 * seconds, (dice.choice(FREEZABLE),), FREEZE_S) if freeze and kills >= FREEZE_FROM_KILLS else None
    for number, at_s in enumerate(times):
        open_to = [one for one in victims if not (frozen and one in frozen.victims and _during(frozen, at_s))]
        planned = order[number % len(order)]
        first = planned if number < len(order) and planned in open_to else dice.choice(open_to)
        others = [one for one in dict.fromkeys(open_to) if one != first]
        more = dice.sample(others, min(len(others), dice.choice((1, 2)))) if number % 4 == 3 else []
        blows.append(Blow(at_s, (first, *more)))
    return sorted([*blows, *([frozen] if frozen else [])], key=lambda blow: blow.at_s)


def _during(frozen: Blow, at_s: float) -> bool:
    """A process that is stopped is let be: killed, it would not sleep beyond its session."""
    return frozen.at_s - 1 <= at_s <= frozen.at_s + frozen.frozen_s + 1


@dataclass
class Striker:
    """Carries a schedule out."""

    town: Town
    blows: Sequence[Blow]
    say: Callable[[str], None]
    recovered_s: list[float] = field(default_factory=list)
    log: list[dict[str, object]] = field(default_factory=list)
    killed: int = 0
    struck: int = 0
    _frozen: set[str] = field(default_factory=set)
    _healing: list[threading.Thread] = field(default_factory=list)

    def run(self) -> None:
        """All blows, each at its time; returns when the last is healed."""
        began = time.monotonic()
        for blow in self.blows:
            time.sleep(max(0.0, began + blow.at_s - time.monotonic()))
            thread = threading.Thread(target=self._strike, args=(blow,), daemon=True)
            self._healing.append(thread)
            thread.start()
        for thread in self._healing:
            thread.join(FREEZE_S + HEAL_S + 10)

    def _strike(self, blow: Blow) -> None:
        pids = self._pids(blow.victims)
        at = time.strftime("%H:%M:%S")
        if blow.frozen_s:
            self._freeze(blow, pids)
        else:
            for pid in pids.values():
                _send(pid, signal.SIGKILL)
            self.struck += 1
            self.killed += len(pids)
            self.say(f"kill -9 {', '.join(pids)}")
        took_s = self._healed(pids if not blow.frozen_s else {})
        line = {"at": at, "at_s": round(blow.at_s, 1), "victims": list(pids), "frozen_s": blow.frozen_s}
        self.log.append(line | {"recover_s": None if took_s is None else round(took_s, 2)})
        if took_s is not None:
            self.recovered_s.append(took_s)
        else:
            self.say(f"{', '.join(pids)} did not heal within {HEAL_S:.0f} s")

    def _freeze(self, blow: Blow, pids: dict[str, int]) -> None:
        self._frozen |= pids.keys()
        self.say(f"SIGSTOP {', '.join(pids)} for {blow.frozen_s:.0f} s")
        for pid in pids.values():
            _send(pid, signal.SIGSTOP)
        time.sleep(blow.frozen_s)
        for pid in pids.values():
            _send(pid, signal.SIGCONT)
        self._frozen -= pids.keys()
        self.say(f"SIGCONT {', '.join(pids)}")

    def _pids(self, victims: Sequence[str]) -> dict[str, int]:
        """Their processes now; waits for one that is just being started again."""
        until = time.monotonic() + HEAL_S
        while time.monotonic() < until:
            pids = self.town.pids()
            if all(_alive(pids.get(name)) for name in victims):
                return {name: pids[name] for name in victims}
            time.sleep(0.05)
        return {}

    def _healed(self, killed: dict[str, int]) -> float | None:
        """Seconds until those killed run anew and every service that is not frozen is ready; None if they never do."""
        began = time.monotonic()
        while (now := time.monotonic()) < began + HEAL_S:
            pids = self.town.pids()
            anew = all(pids.get(name) not in (None, pid) and _alive(pids[name]) for name, pid in killed.items())
            serving = anew and all(map(self.town.answers, ("kafka", "mongodb")))
            if serving and all(self.town.ready(name) for name in SERVICES if name not in self._frozen):
                return now - began
            time.sleep(0.1)
        return None


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _alive(pid: int | None) -> bool:
    """Whether it runs; a zombie that its supervisor has not fetched yet does not."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
