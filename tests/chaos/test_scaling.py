"""Every service is scaled from one process to two and back under load, without loss or duplicates."""

import os
import threading
import time
from itertools import product
from pathlib import Path

import pytest

from tests.chaos.run import Plan, run
from tests.chaos.town.schedule import Schedule, Visit
from tests.chaos.town.stack import SERVICES
from tests.chaos.town.visits import Visits, remarks

pytestmark = pytest.mark.integration
ALL = os.environ.get("CHORUS_SCALING") == "all"
WAYS = tuple(product((False, True), (False, True))) if ALL else ((False, True), (True, False))
"""Combinations of named or unnamed, stopped or killed. `make soak` runs all, under load for longer."""
STAYS_S, LOADED_S, AGAIN_S, SETTLE_S = (6.0 if ALL else 3.0), (32.5 if ALL else 16.0) * len(WAYS), 60.0, 120.0
INQUIRIES = (100 if ALL else 50) * len(WAYS)


class OneByOne(Visits):
    """The second processes of a service run one after another, each once the first is ready."""

    def run(self) -> None:
        """Run the visits of the four services concurrently."""
        threads = [threading.Thread(target=self._of, args=(name,), daemon=True) for name in SERVICES]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def is_ready(self, url: str) -> bool:
        """Ready without remarks: intake is ready before it reads topics, and reports that."""
        return remarks(url) == []

    def _of(self, service: str) -> None:
        for number, visit in enumerate(self.visits):
            if visit.service == service:
                self.carry_out(visit, number)
                self._await_first(service)

    def _await_first(self, service: str) -> None:
        until = time.monotonic() + AGAIN_S
        while not self.town.ready(service):
            if time.monotonic() > until:
                self.oddities.append(f"The first {service} was not ready again within {AGAIN_S:.0f} s.")
                return
            time.sleep(0.2)


def test_a_second_process_of_each_service_starts_and_stops_without_loss(tmp_path: Path) -> None:
    visits = [Visit(0.0, name, STAYS_S, named, killed) for named, killed in WAYS for name in SERVICES]
    plan = Plan(INQUIRIES, kills=0, seed=3, settle_s=SETTLE_S, least_s=LOADED_S)
    figures = run(plan, tmp_path, Schedule((), visits), OneByOne)
    assert figures["oddities"] == []
    assert figures["findings"] == []
    assert (figures["accepted"], figures["answered"]) == (INQUIRIES, INQUIRIES)
    assert len(figures["visits"]) == len(visits)
    assert all(one["was_ready"] for one in figures["visits"])
