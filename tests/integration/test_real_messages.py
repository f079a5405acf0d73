"""Thousands of real messages, if available: each is assigned or in triage exactly once."""

import csv
import gzip
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from shared.kafka.topics import EVENTS, INPUTS
from tests.backing import Backing
from tests.conftest import RunningStack
from tests.integration.outside import await_rest, read_all
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.integration
SOME = 300
FILES = {"messages_unlabelled.csv.gz": 4_326, "replies_dev.csv.gz": 1_412}


def imported(stack: RunningStack, file: Path) -> dict[str, int]:
    done = stack.chorus(
        "import", str(file), "--map", "external_id=id", "--channel", file.name[:7], "--json", timeout=400
    )
    assert done.returncode == 0, done.stderr
    counts: dict[str, int] = json.loads(done.stdout)
    return counts


@pytest.mark.parametrize("name", FILES)
def test_every_row_is_assigned_or_in_triage_once(
    running: Backing, stack: RunningStack, real_data: Path, name: str
) -> None:
    rows = FILES[name]
    assert imported(stack, real_data / name) == {"read": rows, "accepted": rows, "existing": 0, "rejected": 0}
    outcomes = settled(running, name[:7], rows)
    departments = Counter(min(len(events["inquiry.assigned"]), 1) for events in outcomes.values())
    in_triage = sum("inquiry.triaged" in events for events in outcomes.values())
    assert departments[1] + in_triage == rows
    assert in_triage < rows / 2
    several = sum(len(events["part.offered"]) >= 2 for events in outcomes.values())
    assert several >= rows * 0.03


def test_a_second_import_creates_no_ticket(stack: RunningStack, real_data: Path, tmp_path: Path) -> None:
    again = tmp_path / "replies_dev.csv"
    with gzip.open(real_data / "replies_dev.csv.gz", "rt", encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    with again.open("w", encoding="gb18030", newline="") as copy:
        csv.writer(copy).writerows([header, *rows[:SOME]])
    assert imported(stack, again) == {"read": SOME, "accepted": 0, "existing": SOME, "rejected": 0}


def settled(running: Backing, channel: str, rows: int) -> dict[str, dict[str, Any]]:
    """The events of the inquiries of this channel, by type, once each is assigned or in triage.

    The channel's name is free text, so only the input has it, not the events.
    """
    until = time.monotonic() + PATIENCE_S
    while True:
        await_rest(running.kafka, EVENTS)
        cases: dict[str, dict[str, list[str]]] = {}
        events = read_all(running.kafka, [EVENTS])
        mine = {one.key for one in read_all(running.kafka, [INPUTS]) if one.data.get("channel") == channel}
        assert {one.data["channel"] for one in events if one.key in mine and "channel" in one.data} <= {"other"}
        for one in events:
            if one.key in mine:
                kind = one.headers["ce_type"].removeprefix("chorus.")
                cases.setdefault(one.key, {"inquiry.assigned": [], "part.offered": []}).setdefault(kind, []).append(
                    one.headers["ce_id"]
                )
        done = [case for case in cases.values() if case["inquiry.assigned"] or "inquiry.triaged" in case]
        if len(done) == rows:
            assert all(len(set(ids)) == len(ids) for case in cases.values() for ids in case.values())
            return cases
        assert time.monotonic() < until, f"{len(done)} of {rows} are settled"
