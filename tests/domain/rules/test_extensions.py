"""Extensions: asked for before the due time, granted or refused by the coordinator; timers and verdicts follow."""

from datetime import UTC, datetime, timedelta

import pytest

from services.router.domain.timers import timers_of
from shared.kafka import topics
from shared.runtime import timestamps
from tests.asking import ASKING, added, asked, extended, extension_asked, extension_refused, ringing
from tests.builders import Step, Story, contributed, later, received, told

DARK = received("路灯不亮")
DUE = datetime(2026, 3, 30, 4, tzinfo=UTC)
WEEK_LATER = DUE + timedelta(days=7)


def story(*steps: Step, after_this: Story | None = None) -> Story:
    return told(*steps, city=ASKING, after_this=after_this)


def resolve_due(one: Story) -> str:
    return one.case.active_parts[0].due["resolve"]


def test_a_request_changes_no_due_time() -> None:
    one = story(DARK, extension_asked("lighting", WEEK_LATER))
    assert one.events()[-2:] == ["part.accepted", "part.extension-asked"]
    assert resolve_due(one) == timestamps.to_text(DUE)


def test_a_granted_request_moves_the_due_time_and_both_sides_are_told() -> None:
    one = story(DARK, extension_asked("lighting", WEEK_LATER), extended("lighting"))
    assert resolve_due(one) == timestamps.to_text(WEEK_LATER)
    kind, value = one.on(topics.inbox("lighting"))[-1]
    assert (kind, value["until"]) == ("part.extended", timestamps.to_text(WEEK_LATER))
    said = one.resident()
    assert (said["what"], said["case"]["departments"][0]["due_at"]) == ("extended", timestamps.to_text(WEEK_LATER))
    assert "2026-04-06 12:00" in said["text"]


def test_the_coordinator_may_give_another_time() -> None:
    one = story(DARK, extension_asked("lighting", WEEK_LATER), extended("lighting", DUE + timedelta(days=2)))
    assert resolve_due(one) == timestamps.to_text(DUE + timedelta(days=2))


def test_a_refused_request_changes_nothing_and_the_department_reads_why() -> None:
    one = story(DARK, extension_asked("lighting", WEEK_LATER), extension_refused("lighting", "事项紧急"))
    assert resolve_due(one) == timestamps.to_text(DUE)
    kind, value = one.on(topics.inbox("lighting"))[-1]
    assert (kind, value["reason"]) == ("part.extension-refused", "事项紧急")
    again = story(extension_asked("lighting", WEEK_LATER), after_this=one)
    assert again.refusal is None


def test_a_request_needs_to_come_before_the_due_time() -> None:
    in_time = story(DARK, later(extension_asked("lighting", WEEK_LATER), DUE))
    assert in_time.refusal is None
    late = story(DARK, later(extension_asked("lighting", WEEK_LATER), DUE + timedelta(milliseconds=1)))
    assert late.last.refusal == "extension-too-late"


def test_a_request_in_time_may_be_granted_after_the_due_time() -> None:
    """The coordinator was slow, not the department: the clock that broke meanwhile runs on."""
    asked_in_time = story(DARK, later(extension_asked("lighting", WEEK_LATER), DUE - timedelta(hours=1)))
    broken = ringing(asked_in_time, DUE + timedelta(hours=1))
    assert broken.events()[-1] == "clock.broken"
    granted = story(later(extended("lighting"), DUE + timedelta(hours=2)), after_this=broken)
    assert granted.refusal is None
    assert [one.due_at for one in timers_of(granted.case, ASKING) if one.kind == "overdue"] == [
        timestamps.to_text(WEEK_LATER)
    ]


def test_an_extended_clock_that_is_near_again_reminds_again_and_breaks_once() -> None:
    reminded = ringing(
        story(DARK, later(extension_asked("lighting", WEEK_LATER), DUE - timedelta(days=4))), DUE - timedelta(hours=1)
    )
    assert reminded.events().count("clock.due-soon") == 1
    granted = story(later(extended("lighting"), DUE - timedelta(minutes=30)), after_this=reminded)
    again = ringing(granted, WEEK_LATER - timedelta(hours=1))
    assert again.events().count("clock.due-soon") == 2
    end = ringing(again, WEEK_LATER + timedelta(days=1))
    broken = [value["due_at"] for kind, value in end.on(topics.EVENTS) if value.get("clock") == "resolve"]
    assert broken == [timestamps.to_text(DUE), *[timestamps.to_text(WEEK_LATER)] * 2]
    assert [kind for kind, value in end.on(topics.EVENTS) if value.get("clock") == "resolve"][-1] == "clock.broken"


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        ([extension_asked("lighting", DUE)], "extension-not-later"),
        ([extension_asked("lighting", WEEK_LATER)] * 2, "extension-open"),
        ([extended("lighting")], "no-extension-asked"),
        ([extension_refused("lighting")], "no-extension-asked"),
        ([extended("roads")], "unknown-part"),
        ([contributed("lighting", "亮了"), extension_asked("lighting", WEEK_LATER)], "part-not-open"),
        (
            [extension_asked("lighting", WEEK_LATER), contributed("lighting", "亮了"), extended("lighting")],
            "part-not-open",
        ),
        ([asked("lighting"), extension_asked("lighting", WEEK_LATER)], "part-paused"),
        ([extension_asked("lighting", WEEK_LATER), asked("lighting"), extended("lighting")], "part-paused"),
        ([extension_asked("lighting", WEEK_LATER), extended("lighting", DUE)], "extension-not-later"),
        (
            [extension_asked("lighting", WEEK_LATER), later(extended("lighting"), WEEK_LATER + timedelta(days=1))],
            "extension-in-the-past",
        ),
    ],
)
def test_what_is_refused(steps: list[Step], code: str) -> None:
    assert story(DARK, *steps).last.refusal == code


def test_a_pause_moves_an_extended_due_time() -> None:
    granted = story(DARK, extension_asked("lighting", WEEK_LATER), extended("lighting"))
    paused = later(asked("lighting"), datetime(2026, 3, 18, 2, tzinfo=UTC))
    back = story(paused, later(added(), datetime(2026, 3, 19, 2, tzinfo=UTC)), after_this=granted)
    assert resolve_due(back) == timestamps.to_text(WEEK_LATER + timedelta(days=1))


def test_a_pause_may_move_the_due_time_past_the_requested_one() -> None:
    asked_for_a_day = story(DARK, extension_asked("lighting", DUE + timedelta(days=1)))
    paused = later(asked("lighting"), datetime(2026, 3, 18, 2, tzinfo=UTC))
    back = story(paused, later(added(), datetime(2026, 3, 24, 2, tzinfo=UTC)), after_this=asked_for_a_day)
    assert story(extended("lighting"), after_this=back).last.refusal == "extension-not-later"
