"""A short chaos run for every test run, without the faults that take a minute to recover from."""

from pathlib import Path

import pytest

from tests.chaos.run import Plan, run

pytestmark = pytest.mark.e2e
VICTIMS = ("intake", "router", "scorer", "kafka", "mongodb")
"""Without the notifier: mails claimed by a killed notifier wait 60 s until the claim expires."""


def test_nothing_is_lost_or_duplicated_under_a_few_kills(running: object, tmp_path: Path) -> None:
    """`running` skips it where broker and store cannot run; the run starts its own stack."""
    figures = run(Plan(120, 4, 7, settle_s=90, seconds_a_kill=3.0, victims=VICTIMS), tmp_path)
    assert figures["findings"] == []
    assert (figures["accepted"], figures["answered"], figures["kills"]) == (120, 120, 4)
    assert figures["oddities"] == []
