"""In any order of crashes, repeats, zombies and outages each input is decided exactly once; planted faults are found."""

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.component.schedules.faults import FAULTS
from tests.component.schedules.machine import Schedule

SCHEDULES = int(os.environ.get("CHORUS_SCHEDULES", "200"))
ENOUGH = 200
"""The maximum of schedules to find each planted fault; currently each needs fewer than ten."""


def run(machine: type[Schedule], schedules: int, **more: Any) -> None:
    """Run a number of schedules; raises the error of the first that violates an invariant."""
    chosen = settings(
        max_examples=schedules,
        stateful_step_count=40,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        **more,
    )
    run_state_machine_as_test(machine, settings=chosen)


def test_in_any_schedule_each_input_is_decided_exactly_once() -> None:
    run(Schedule, SCHEDULES)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault: str) -> None:
    class Faulty(Schedule):
        made = FAULTS[fault]

    with pytest.raises(AssertionError):
        run(Faulty, ENOUGH, derandomize=True, phases=[Phase.generate], report_multiple_bugs=False, print_blob=False)
