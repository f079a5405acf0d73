"""The core is killed with two batches in flight, and while it sends an input to dead letters."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.integration.bench import NOISE, OPERATOR, POISON, Bench, answered, killed_itself, started_anew, until_decided
from tests.integration.outside import Resident
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.integration
PARKING_STEPS = [("before-park",), ("after-park",), ("after-publish", "router.dead-letters")]


@pytest.fixture(scope="module", autouse=True)
def intake_runs(bench: Bench) -> Iterator[None]:
    with bench.service("intake"):
        yield


def letters_of(bench: Bench, receipt: dict[str, Any]) -> list[dict[str, Any]]:
    """The dead letters of an inquiry; waits for the first."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        try:
            answer = httpx.get(
                f"{bench.url('router')}/dead-letters", params={"limit": 200}, headers=OPERATOR, timeout=PATIENCE_S
            )
        except httpx.TransportError:
            time.sleep(0.2)
            continue
        assert answer.status_code == 200, answer.text
        if found := [one for one in answer.json()["letters"] if one["inquiry_id"] == receipt["inquiry_id"]]:
            return found
        time.sleep(0.2)
    raise AssertionError("there is no dead letter")


def test_killed_with_one_batch_unconfirmed_and_the_next_stored(bench: Bench) -> None:
    resident = Resident(bench.url("intake"))
    with bench.service("router", "overlap") as process, started_anew(bench, process, "router"):
        first = resident.write(NOISE)
        until_decided(bench, first)
        second = resident.write(NOISE)
        killed_itself(process)
        for receipt in (first, second):
            assert len(bench.stored("router", "decisions", inquiry_id=receipt["inquiry_id"])) == 1
        answered(bench, first)
        answered(bench, second)


@pytest.mark.parametrize("step", PARKING_STEPS, ids=" ".join)
def test_killed_while_parking_an_input_it_is_parked_once_and_replayed_once(bench: Bench, step: tuple[str, ...]) -> None:
    resident = Resident(bench.url("intake"))
    with bench.service("router", *step) as process, started_anew(bench, process, "router"):
        wrong = resident.write(NOISE | {"body": f"{NOISE['body']}{POISON}"})
        killed_itself(process)
        well = resident.write(NOISE)
        answered(bench, well)
        if step == ("before-park",):
            # The input was not parked, so the restarted process can decide it.
            answered(bench, wrong)
            return
        [letter] = letters_of(bench, wrong)
        assert len(bench.stored("router", "parked", inquiry_id=wrong["inquiry_id"])) == 1
        assert not bench.stored("router", "decisions", inquiry_id=wrong["inquiry_id"])
        answer = httpx.post(
            f"{bench.url('router')}/replays", json={"ids": [letter["id"]]}, headers=OPERATOR, timeout=PATIENCE_S
        )
        assert [one["outcome"] for one in answer.json()["outcomes"]] == ["replayed"], answer.text
        answered(bench, wrong)
        assert not bench.stored("router", "parked", inquiry_id=wrong["inquiry_id"])
