"""Ratings by residents."""

import pytest

from shared.kafka import topics
from tests.builders import (
    INQUIRY,
    Step,
    contributed,
    rated,
    received,
    told,
)


def test_a_reply_can_be_rated_once() -> None:
    story = told(received("路灯不亮"), contributed("lighting", "亮了"), rated(satisfied="mostly", words="还行"))
    assert (
        story.on(topics.EVENTS)[-1][1] | {"solved": True, "satisfied": "mostly", "round": 1}
        == (story.on(topics.EVENTS)[-1][1])
    )
    assert told(rated(), after_this=story).refusal == f"Round 1 of '{INQUIRY}' is rated already."


@pytest.mark.parametrize("steps", [(rated(),), (contributed("lighting", "亮了"), rated(2))], ids=["early", "round 2"])
def test_an_inquiry_without_a_reply_cannot_be_rated(steps: tuple[Step, ...]) -> None:
    story = told(received("路灯不亮"), *steps)
    assert "has no answer to rate" in (story.refusal or "")
