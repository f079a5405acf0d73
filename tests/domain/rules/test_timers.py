"""A timer of a part rings: the department is reminded once, a clock is broken once."""

from dataclasses import replace
from datetime import timedelta
from typing import cast

import pytest

from services.router.domain.case import TimerKind
from services.router.domain.facts import Clock, DueSoon, DueTexts
from services.router.domain.fold import copy_of
from shared.kafka import topics
from tests.builders import (
    MONDAY_NOON,
    Step,
    Story,
    accepted,
    assigned,
    contributed,
    later,
    rang,
    recalled,
    received,
    replied,
    returned,
    told,
    withdrawn,
)

GIVEN = received("路灯不亮")
ACCEPT_DUE = MONDAY_NOON + timedelta(hours=24)
TOO_LATE = ACCEPT_DUE + timedelta(milliseconds=1)


def extended(story: Story, clock: Clock, until: str) -> Story:
    """The case after an extension, which no input makes yet."""
    case = copy_of(story.case)
    [(part_id, part)] = case.parts.items()
    due = cast(DueTexts, {**part.due, clock: until})
    case.parts = {part_id: part._replace(due=due)}
    return replace(story, case=case)


def test_a_reminder_names_the_part_the_department_and_the_due_time() -> None:
    story = told(GIVEN, rang("lighting", "resolve", "due-soon"))
    kind, event = story.on(topics.EVENTS)[-1]
    [part] = story.case.parts.values()
    assert kind == "clock.due-soon"
    assert event["actor"] == {"kind": "timer"}
    about = {name: event[name] for name in ("part_id", "department", "clock", "due_at")}
    assert about == {
        "part_id": part.id,
        "department": "lighting",
        "clock": "resolve",
        "due_at": part.due["resolve"],
    }


def test_a_clock_that_runs_at_its_due_time_is_broken() -> None:
    story = told(GIVEN, rang("lighting"))
    kind, event = story.on(topics.EVENTS)[-1]
    assert (kind, event["clock"], event["state"]) == ("clock.broken", "accept", "assigned")
    assert "gate_behind" not in event


def test_a_fact_says_that_messages_of_the_department_may_come_later() -> None:
    _, event = told(GIVEN, rang("lighting", behind=True)).on(topics.EVENTS)[-1]
    assert event["gate_behind"] is True


def test_nobody_is_told_anything_and_the_case_goes_on_as_before() -> None:
    before = told(GIVEN)
    story = told(rang("lighting", kind="due-soon"), rang("lighting"), after_this=before)
    assert [message.topic for one in story.decisions[1:] for message in one.messages] == [topics.EVENTS] * 2
    assert (story.case.parts, story.case.status) == (before.case.parts, before.case.status)


@pytest.mark.parametrize("kind", ["due-soon", "overdue"])
def test_a_timer_that_rings_twice_is_recorded_once(kind: TimerKind) -> None:
    story = told(GIVEN, rang("lighting", kind=kind), rang("lighting", kind=kind))
    assert len(story.last.facts) == 0
    assert story.last.refused is None


def test_no_reminder_follows_a_broken_clock() -> None:
    assert told(GIVEN, rang("lighting"), rang("lighting", kind="due-soon")).last.facts == ()


@pytest.mark.parametrize("kind", ["due-soon", "overdue"])
@pytest.mark.parametrize(
    ("steps", "clock"),
    [
        ([accepted("lighting")], "accept"),
        ([replied("lighting", "周五完工")], "first_reply"),
        ([contributed("lighting", "亮了")], "resolve"),
        ([contributed("lighting", "亮了")], "first_reply"),
        ([returned("lighting")], "accept"),
        ([returned("lighting")], "resolve"),
        ([withdrawn("lighting")], "resolve"),
        ([recalled("lighting")], "first_reply"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_clock_that_stopped_in_time_is_neither_near_nor_broken(
    steps: list[Step], clock: Clock, kind: TimerKind
) -> None:
    story = told(GIVEN, *steps, rang("lighting", clock, kind))
    assert (story.last.facts, story.last.refused) == ((), None)


@pytest.mark.parametrize("step", [accepted("lighting"), returned("lighting"), withdrawn("lighting")])
def test_a_clock_that_stopped_after_its_due_time_is_broken_even_if_the_timer_is_decided_later(step: Step) -> None:
    story = told(GIVEN, later(step, TOO_LATE), later(rang("lighting"), ACCEPT_DUE))
    assert story.events()[-1] == "clock.broken"


def test_an_input_recorded_at_the_due_time_is_in_time() -> None:
    assert told(GIVEN, later(accepted("lighting"), ACCEPT_DUE), rang("lighting")).last.facts == ()


def test_an_interim_reply_stops_only_the_clock_of_its_own_part() -> None:
    both = received("路灯和路面都坏了")
    assert told(both, replied("roads", "周五"), rang("lighting", "first_reply")).events()[-1] == "clock.broken"
    assert told(both, replied("roads", "周五"), rang("roads", "first_reply")).last.facts == ()


def test_only_the_present_holder_is_reminded() -> None:
    story = told(GIVEN, returned("lighting"), assigned("roads"))
    held, holds = story.case.parts.values()
    former = told(rang("lighting", "resolve", "due-soon"), after_this=story)
    assert (held.department, former.last.facts) == ("lighting", ())
    present = told(rang("roads", "resolve", "due-soon"), after_this=story)
    assert present.on(topics.EVENTS)[-1][1]["department"] == holds.department == "roads"


def test_an_extended_clock_is_near_its_due_time_again_and_reminds_again() -> None:
    story = told(GIVEN, rang("lighting", "resolve", "due-soon"))
    former = story.case.parts[f"{story.case.inquiry_id}-p1"].due["resolve"]
    story = extended(story, "resolve", "2026-05-01T04:00:00.000Z")
    assert told(rang("lighting", "resolve", "overdue", at=former), after_this=story).last.facts == ()
    again = told(rang("lighting", "resolve", "due-soon"), after_this=story)
    assert [one.due_at for one in again.last.facts if isinstance(one, DueSoon)] == ["2026-05-01T04:00:00.000Z"]


def test_a_timer_of_a_part_that_does_not_exist_has_no_effect() -> None:
    story = told(GIVEN, rang("parks"))
    assert (story.last.facts, story.last.refused) == ((), None)


def test_a_timer_of_an_unknown_inquiry_is_refused() -> None:
    assert "There is no inquiry" in (told(rang("lighting")).refusal or "")
