"""A coordinator closes a case with a final answer, after the resident's right to reopen it is used."""

from datetime import timedelta
from typing import Any

import pytest

from shared.contracts.case_commands import CaseClose
from shared.kafka import topics
from shared.runtime import timestamps
from tests.builders import (
    DIRECTORY,
    Step,
    accepted,
    assigned,
    contributed,
    later,
    link_requested,
    rang,
    rated,
    received,
    returned,
    told,
)
from tests.closing import closed
from tests.domain.rules.test_reopening import again, reopening

LIGHT = (received("路灯不亮"), contributed("lighting", "亮了"))
ONCE = reopening(limit=1)
USED_UP: tuple[Step, ...] = (*LIGHT, again(1))


def test_after_the_last_reopening_a_coordinator_closes_with_a_reason() -> None:
    story = told(*USED_UP, assigned("roads"), contributed("roads", "已按规范处理"), again(2), closed(), city=ONCE)
    assert (story.refusal, story.case.status, story.case.round) == (None, "closed", 2)
    kind, event = story.on(topics.EVENTS)[-1]
    assert (kind, event["reason"], event["state"]) == ("inquiry.closed", "final-answer", "closed")
    assert event["why"].keys() == {"sha256"}
    said = story.resident()
    assert (said["what"], said["case"]["state"]) == ("closed", "closed")
    assert said["text"].startswith("该诉求已办结，不再重新办理。理由：已两次答复，处理符合规定。")
    assert said["case"]["reply"]["paragraphs"][0]["text"] == "已按规范处理"


def test_a_case_that_was_reopened_for_the_last_time_can_be_closed_from_triage() -> None:
    story = told(*USED_UP, city=ONCE)
    assert story.case.status == "triage"
    end = told(closed(), city=ONCE, after_this=story)
    assert (end.refusal, end.case.status, end.case.unsettled) == (None, "closed", ())
    assert end.resident()["case"]["reply"] is None
    assert "has no answer to rate" in (told(again(2), city=ONCE, after_this=end).refusal or "")


def test_a_content_resident_does_not_keep_a_case_from_being_closed() -> None:
    assert told(*LIGHT, rated(), closed()).case.status == "closed"


def test_a_case_can_be_closed_when_the_window_is_over() -> None:
    answered = told(*LIGHT)
    until = timestamps.from_text(answered.case.released_at) + timedelta(days=15)
    soon = told(later(closed(), until), after_this=answered)
    assert "may still reopen it" in (soon.refusal or "")
    assert told(later(closed(), until + timedelta(seconds=1)), after_this=answered).case.status == "closed"


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ((received("路灯不亮"),), "is assigned"),
        ((received("路灯不亮"), accepted("lighting")), "is in-progress"),
        ((received("别的事"),), "has no answer yet"),
        (LIGHT, "may still reopen it"),
        ((*LIGHT, again(1)), "is reopened"),
        ((*LIGHT, again(1), returned("lighting")), "may still reopen it"),
        ((*LIGHT, rated(), closed()), "is closed"),
    ],
)
def test_other_cases_cannot_be_closed(steps: tuple[Step, ...], why: str) -> None:
    story = told(*steps, closed())
    assert why in (story.refusal or "")
    assert story.last.facts == ()


@pytest.mark.parametrize(
    "step",
    [
        accepted("lighting"),
        contributed("lighting", "再改"),
        returned("lighting"),
        assigned("roads"),
        closed(),
    ],
)
def test_nothing_reopens_a_closed_case(step: Step) -> None:
    story = told(*LIGHT, rated(), closed())
    after = told(step, after_this=story)
    assert after.refusal is not None
    assert (after.case.status, after.last.facts) == ("closed", ())


def test_a_rating_of_a_closed_case_counts_and_reopens_nothing() -> None:
    answered = told(*LIGHT)
    late = timestamps.from_text(answered.case.released_at) + timedelta(days=16)
    story = told(later(closed(), late), later(again(1), late), after_this=answered)
    assert (story.refusal, story.case.status, sorted(story.case.rated)) == (None, "closed", [1])
    assert story.on(topics.inbox("lighting"))[-1][0] == "part.rated"


def test_a_closed_case_still_gives_its_link_and_ignores_timers() -> None:
    story = told(*LIGHT, rated(), closed(), link_requested(), rang("lighting"))
    assert (story.refusal, story.case.status) == (None, "closed")


def test_the_command_needs_words() -> None:
    fields: dict[str, Any] = {"inquiry_id": "20260316-7KQ2M9XD", "why": "  "}
    with pytest.raises(ValueError, match="write the reason"):
        CaseClose.model_validate(fields)
    assert DIRECTORY.revision == 1
