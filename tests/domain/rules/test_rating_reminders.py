"""One reminder to rate an answer."""

from datetime import datetime

from services.router.domain.timers import Timer, due_timers, next_ring, timers_of
from shared.kafka import topics
from shared.runtime import timestamps
from tests.builders import DIRECTORY, Story, contributed, later, rated, received, told
from tests.calendars import SHANGHAI
from tests.closing import closed, rating_reminder
from tests.domain.rules.test_reopening import T2, again, reopening

LIGHT = (received("路灯不亮"), contributed("lighting", "亮了"))
THREE_DAYS = "2026-03-19T05:00:00.000Z"


def rating_timers(story: Story) -> list[Timer]:
    return [one for one in timers_of(story.case, DIRECTORY) if one.kind == "rating-reminder"]


def test_three_days_after_the_answer_the_resident_is_reminded_once() -> None:
    story = told(*LIGHT)
    [timer] = rating_timers(story)
    assert (timer.due_at, timer.part_id, timer.clock) == (THREE_DAYS, None, None)
    assert next_ring(story.case, DIRECTORY) == timer.rings_at
    assert due_timers(story.case, DIRECTORY, timer.rings_at) == [timer]
    reminded = told(rating_reminder(), after_this=story)
    assert reminded.on(topics.EVENTS)[-1][0] == "inquiry.rating-reminded"
    said = reminded.resident()
    assert (said["what"], said["case"]["state"]) == ("rating-reminder", "answered")
    assert said["text"].startswith("您的诉求已答复。")
    assert rating_timers(reminded) == []
    assert told(rating_reminder(due_at=THREE_DAYS), after_this=reminded).last.facts == ()


def test_a_rated_a_closed_and_a_reopened_case_get_no_reminder() -> None:
    for steps in ((rated(),), (again(1),), (rated(), closed())):
        story = told(*LIGHT, *steps)
        assert rating_timers(story) == []
        assert told(rating_reminder(due_at=THREE_DAYS), after_this=story).last.facts == ()


def test_each_round_has_a_reminder_and_a_late_one_of_the_first_reminds_nobody() -> None:
    story = told(*LIGHT, rating_reminder(), again(1), later(contributed("lighting", "又亮了"), T2))
    [timer] = rating_timers(story)
    assert timestamps.from_ms(timer.rings_at) == T2.replace(day=24)
    assert told(rating_reminder(due_at=THREE_DAYS), after_this=story).last.facts == ()
    assert told(rating_reminder(), after_this=story).case.reminded_round == 2


def test_the_time_counts_in_the_calendar_of_the_policy_and_can_be_left_out() -> None:
    assert next_ring(told(*LIGHT).case, reopening(remind_after=None)) is None
    working = reopening(
        [
            {
                "id": "lighting",
                "when": {"departments": ["lighting"]},
                "calendar": "working",
                "clocks": {"accept": "2h", "first_reply": "3d", "resolve": "7d"},
                "reopening": {"remind_after": "1h"},
            }
        ]
    )
    ring = next_ring(told(*LIGHT, city=working).case, working)
    assert ring is not None
    assert timestamps.from_ms(ring) == datetime(2026, 3, 16, 14, 30, tzinfo=SHANGHAI)
