"""Intake and router are killed between any two steps; after the restart every effect exists once."""

from collections.abc import Iterator

import pytest

from shared.kafka.topics import EVENTS, INPUTS, RESIDENTS
from tests.integration.bench import NOISE, Bench, answered, killed_itself, started_anew
from tests.integration.outside import Resident

pytestmark = pytest.mark.integration

INTAKE_STEPS = [
    ("before-insert",),
    ("after-insert",),
    ("before-publish", INPUTS),
    ("after-publish", INPUTS),
    ("before-settle",),
    ("after-settle",),
    ("before-commit", RESIDENTS),
]
ROUTER_STEPS = [
    ("before-insert",),
    ("after-insert",),
    ("before-publish", EVENTS),
    ("after-publish", EVENTS),
    ("before-commit", INPUTS),
    ("after-commit", INPUTS),
    ("before-publish", INPUTS),
    ("after-publish", INPUTS),
    ("before-commit", "departments.environment.outbox"),
]


@pytest.fixture(scope="class")
def router_runs(bench: Bench) -> Iterator[None]:
    with bench.service("router"):
        yield


@pytest.fixture(scope="class")
def intake_runs(bench: Bench) -> Iterator[None]:
    with bench.service("intake"):
        yield


@pytest.mark.usefixtures("router_runs")
class TestIntake:
    @pytest.mark.parametrize("step", INTAKE_STEPS, ids=" ".join)
    def test_killed_there_loses_and_doubles_nothing(self, bench: Bench, step: tuple[str, ...]) -> None:
        with bench.service("intake", *step) as process, started_anew(bench, process, "intake"):
            receipt = Resident(bench.url("intake")).write(NOISE)
            answered(bench, receipt)
            killed_itself(process)


@pytest.mark.usefixtures("intake_runs")
class TestRouter:
    @pytest.mark.parametrize("step", ROUTER_STEPS, ids=" ".join)
    def test_killed_there_loses_and_doubles_nothing(self, bench: Bench, step: tuple[str, ...]) -> None:
        with bench.service("router", *step) as process, started_anew(bench, process, "router"):
            receipt = Resident(bench.url("intake")).write(NOISE)
            answered(bench, receipt)
            killed_itself(process)
