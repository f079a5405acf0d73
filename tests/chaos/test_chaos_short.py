"""A short run under blows, for every suite: small, and without those blows that take a minute to get over."""

from pathlib import Path

import pytest

from tests.chaos.run import Plan, run

pytestmark = pytest.mark.e2e
VICTIMS = ("intake", "router", "scorer", "kafka", "mongodb")
"""Without the notifier: the mails that it has claimed when it is killed wait until their claim runs out, 60 s."""


def test_nothing_is_lost_and_nothing_doubled_under_a_few_kills(running: object, tmp_path: Path) -> None:
    """`running` is asked for because it skips where broker and store cannot run; the stack here is one of its own."""
    figures = run(Plan(120, 4, 7, settle_s=90, seconds_a_kill=3.0, victims=VICTIMS), tmp_path)
    assert figures["findings"] == []
    assert (figures["accepted"], figures["answered"], figures["kills"]) == (120, 120, 4)
    assert figures["oddities"] == []
