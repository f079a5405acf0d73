"""Faults: kills, freezes and broker outages by process id, and the time until recovery."""

import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.chaos.town.processes import alive, send
from tests.chaos.town.schedule import Blow
from tests.chaos.town.stack import SERVICES, Town

HEAL_S = 120.0
LOOK_EVERY_S = 0.05


@dataclass
class Striker:
    """Carries out faults; `struck` counts the kills, `killed` the killed processes."""

    town: Town
    blows: Sequence[Blow]
    say: Callable[[str], None]
    recovered_s: list[float] = field(default_factory=list)
    log: list[dict[str, object]] = field(default_factory=list)
    killed: int = 0
    struck: int = 0
    _frozen: set[str] = field(default_factory=set)
    _kafka_back_at: float = 0.0
    _healing: list[threading.Thread] = field(default_factory=list)

    def run(self) -> None:
        """Carry out all faults at their times; returns after the last recovery."""
        began = time.monotonic()
        for blow in self.blows:
            time.sleep(max(0.0, began + blow.at_s - time.monotonic()))
            thread = threading.Thread(target=self._strike, args=(blow,), daemon=True)
            self._healing.append(thread)
            thread.start()
        for thread in self._healing:
            thread.join(blow_limit_s(self.blows))

    def _strike(self, blow: Blow) -> None:
        pids = self.town.await_pids(blow.victims, HEAL_S)
        at = time.strftime("%H:%M:%S")
        if blow.frozen_s:
            self._freeze(blow.frozen_s, pids)
        elif blow.away_s:
            self._keep_away(blow.away_s, pids)
        else:
            self._kill(pids)
        took_s = self._healed({} if blow.frozen_s else pids)
        line = {"at": at, "at_s": round(blow.at_s, 1), "victims": list(pids)}
        line |= {"frozen_s": blow.frozen_s, "away_s": blow.away_s}
        self.log.append(line | {"recover_s": None if took_s is None else round(took_s, 2)})
        if took_s is not None:
            self.recovered_s.append(took_s)
        else:
            self.say(f"{', '.join(pids)} did not heal within {HEAL_S:.0f} s")

    def _kill(self, pids: dict[str, int]) -> None:
        for pid in pids.values():
            send(pid, signal.SIGKILL)
        self.struck += 1
        self.killed += len(pids)
        self.say(f"kill -9 {', '.join(pids)}")

    def _freeze(self, seconds: float, pids: dict[str, int]) -> None:
        self._frozen |= pids.keys()
        self.say(f"SIGSTOP {', '.join(pids)} for {seconds:.0f} s")
        for pid in pids.values():
            send(pid, signal.SIGSTOP)
        time.sleep(seconds)
        for pid in pids.values():
            send(pid, signal.SIGCONT)
        self._frozen -= pids.keys()
        self.say(f"SIGCONT {', '.join(pids)}")

    def _keep_away(self, seconds: float, pids: dict[str, int]) -> None:
        """Kill it, and stop every restarted process before it listens, until the time is over."""
        back_at = self._kafka_back_at = time.monotonic() + seconds
        self.say(f"kill -9 {', '.join(pids)}, which stays away for {seconds:.0f} s")
        for pid in pids.values():
            send(pid, signal.SIGKILL)
        stopped: set[int] = set()
        while time.monotonic() < back_at:
            now = self.town.pids()
            for name, old in pids.items():
                if name in now and now[name] not in (old, *stopped):
                    send(now[name], signal.SIGSTOP)
                    stopped.add(now[name])
            time.sleep(LOOK_EVERY_S)
        for pid in stopped:
            send(pid, signal.SIGCONT)
        self.say(f"{', '.join(pids)} may start again")

    def _healed(self, killed: dict[str, int]) -> float | None:
        """Seconds until the killed processes run again and every unfrozen service is ready; None if that never happens.

        A broker outage prevents recovery, so the time counts from the broker's return.
        """
        began = time.monotonic()
        while (now := time.monotonic()) < max(began, self._kafka_back_at) + HEAL_S:
            pids = self.town.pids()
            anew = all(pids.get(name) not in (None, pid) and alive(pids[name]) for name, pid in killed.items())
            serving = anew and all(map(self.town.answers, ("kafka", "mongodb")))
            if serving and all(self.town.ready(name) for name in SERVICES if name not in self._frozen):
                return now - max(began, self._kafka_back_at)
            time.sleep(0.1)
        return None


def blow_limit_s(blows: Sequence[Blow]) -> float:
    """The time limit of the last recovery."""
    return max((one.frozen_s + one.away_s for one in blows), default=0.0) + 2 * HEAL_S
