"""What `chorus case show` and `chorus triage list` print about rounds and ratings."""

from typing import Any

import pytest

from deploy.cli.operations.case import lines
from deploy.cli.operations.triage import why

RATED = {"solved": False, "satisfied": "no", "words": "灯又灭了"}
CASE: dict[str, Any] = {
    "inquiry_id": "20260316-7KQ2M9XD",
    "state": "reopened",
    "round": 2,
    "inquiry": None,
    "parts": [],
    "reply": None,
    "decisions": [],
}


def test_a_case_is_shown_with_the_rating_of_each_round() -> None:
    rounds = [{"round": 1, "rating": RATED}, {"round": 2, "rating": None}]
    shown = list(lines(CASE | {"rounds": rounds}))
    assert "the resident rates round 1: not solved, satisfied: no, and writes:" in shown
    assert "    灯又灭了" in shown
    assert not [one for one in shown if "round 2:" in one]


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ({"reason": "reopened"}, "reopened for the last time: choose who leads now, or close it"),
        ({"reason": "department-retired"}, "reopened: a department is retired"),
        (
            {"reason": "department-retired", "department": "roads", "part_id": "x-p2", "by": "li"},
            "p2 taken back: roads is retired, by li",
        ),
    ],
)
def test_the_reason_of_a_reopened_case_in_triage_is_in_words(reason: dict[str, Any], words: str) -> None:
    assert why(reason) == words
