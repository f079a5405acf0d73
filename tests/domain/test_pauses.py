"""Pauses: one mechanism moves the router's due times and makes the scorer's verdicts."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scorer.domain.clocks import CaseFact, clocks
from shared.clocks.calendar import WorkingCalendar
from shared.clocks.deadlines import CLOCKS, Clock, Verdict
from shared.clocks.pauses import counted, due_after, time_left
from shared.clocks.working_time import Pause, add
from shared.events.case_events import event_body
from shared.kafka import topics
from shared.runtime import timestamps
from tests.asking import ASKING, added, asked, extended, extension_asked
from tests.builders import (
    DIRECTORY,
    MONDAY_NOON,
    Step,
    Story,
    accepted,
    contributed,
    later,
    received,
    replied,
    returned,
    told,
    withdrawn,
)
from tests.calendars import WORKING_TIME

DARK = received("路灯不亮")
HOUR = timedelta(hours=1)
CALENDARS = [
    ASKING.terms["standard"].calendar,
    DIRECTORY.terms["standard"].calendar,
    next(iter(WORKING_TIME.terms.values())).calendar,
]
HOURS = st.integers(min_value=0, max_value=24 * 60).map(lambda minutes: minutes * 15 * 60_000)


@st.composite
def pauses(draw: st.DrawFn) -> list[Pause]:
    """Up to four pauses of up to fifteen days each, one after the other."""
    moment, found = timestamps.to_ms(MONDAY_NOON), list[Pause]()
    for _ in range(draw(st.integers(0, 4))):
        start = moment + draw(HOURS)
        moment = start + draw(HOURS)
        found.append((start, moment))
    return found


@given(breaks=pauses(), limit=HOURS, calendar=st.sampled_from(CALENDARS))
def test_moving_the_due_time_at_each_answer_equals_breaks_in_the_calendar(
    breaks: Sequence[Pause], limit: int, calendar: WorkingCalendar
) -> None:
    start = timestamps.to_ms(MONDAY_NOON)
    due = add(calendar, start, limit)
    for paused_at, resumed_at in breaks:
        left = time_left(calendar, paused_at, due)
        due = due if left is None else due_after(calendar, resumed_at, left)
    assert due == add(calendar, start, limit, breaks)


def test_a_moment_in_a_pause_counts_as_its_beginning() -> None:
    assert counted("c", "b", "d") == "b"
    assert counted("a", "b", "d") == "a"
    assert counted("c", None, "d") == "c"


def test_a_clock_that_has_run_out_does_not_pause() -> None:
    assert counted("d", "c", "b") == "d"
    assert counted("d", "c", "c") == "d"
    assert time_left(CALENDARS[0], 5, 5) is None


# ── verdicts ─────────────────────────────────────────────────────────────────


def judged(*steps: Step) -> dict[str, Clock]:
    """The clocks that the scorer computes from the events of a story."""
    facts = list(case_facts(told(DARK, *steps, city=ASKING)))
    return {one.clock: one for one in clocks(facts)}


def case_facts(story: Story) -> Iterator[CaseFact]:
    for number, (kind, value) in enumerate(story.on(topics.EVENTS), 1):
        yield CaseFact(number, timestamps.from_text(value["at"]), event_body(f"chorus.{kind}", value))


def day(number: int, hour: int) -> datetime:
    """A time in March 2026 in UTC; the 16th at 4:00 is the Monday of the message, noon in Asia/Shanghai."""
    return datetime(2026, 3, number, hour, tzinfo=UTC)


LONG_AFTER = day(31, 0) + timedelta(days=60)


@pytest.mark.parametrize(
    ("steps", "verdict"),
    [
        # first_reply is due on Thursday the 19th at 4:00.
        ([later(asked("lighting"), day(18, 4))], "open"),
        ([later(asked("lighting"), day(19, 5))], "broken"),
        ([later(asked("lighting"), day(18, 4)), later(replied("lighting", "在修"), day(25, 4))], "kept"),
        ([later(asked("lighting"), day(18, 4)), later(contributed("lighting", "好了"), day(25, 4))], "kept"),
        ([later(asked("lighting"), day(18, 4)), later(returned("lighting"), day(25, 4))], "void"),
        ([later(asked("lighting"), day(18, 4)), later(withdrawn("lighting"), day(25, 4))], "void"),
        ([later(asked("lighting"), day(19, 5)), later(replied("lighting", "在修"), day(25, 4))], "broken"),
        ([later(asked("lighting"), day(18, 4)), later(added(), day(23, 4))], "broken"),
        # One working day was left: Monday the 23rd at 4:00 and one day is Tuesday the 24th at 4:00.
        (
            [
                later(asked("lighting"), day(18, 4)),
                later(added(), day(23, 4)),
                later(replied("lighting", "在修"), day(24, 4)),
            ],
            "kept",
        ),
        (
            [
                later(asked("lighting"), day(18, 4)),
                later(added(), day(23, 4)),
                later(replied("lighting", "在修"), day(24, 4) + timedelta(milliseconds=1)),
            ],
            "broken",
        ),
        # A reply of the pause that arrives after the answer counts by its own time.
        (
            [
                later(asked("lighting"), day(18, 4)),
                later(added(), day(23, 4)),
                later(replied("lighting", "在修"), day(20, 4)),
            ],
            "kept",
        ),
    ],
)
def test_the_scorer_judges_with_pauses(steps: Sequence[Step], verdict: Verdict) -> None:
    assert judged(accepted("lighting"), *steps)["first_reply"].verdict(LONG_AFTER) == verdict


def test_a_clock_is_open_during_the_pause_and_broken_only_after_its_moved_due_time() -> None:
    waiting = judged(later(asked("lighting"), day(18, 4)))["first_reply"]
    assert waiting.verdict(day(30, 0)) == "open"
    back = judged(later(asked("lighting"), day(18, 4)), later(added(), day(23, 4)))["first_reply"]
    assert (back.verdict(day(24, 4)), back.verdict(day(24, 4) + HOUR)) == ("open", "broken")
    assert back.judged_at(LONG_AFTER) == day(24, 4)


def test_a_granted_extension_moves_the_verdict() -> None:
    until = day(30, 4) + timedelta(days=7)
    steps = [later(extension_asked("lighting", until), day(17, 4)), later(extended("lighting"), day(18, 4))]
    done = later(contributed("lighting", "好了"), until)
    assert judged(*steps, done)["resolve"].verdict(LONG_AFTER) == "kept"
    assert judged(steps[0], done)["resolve"].verdict(LONG_AFTER) == "broken"
    assert judged(*steps)["resolve"].due_at == until


DEEDS = {
    "ask": asked("lighting"),
    "add": added(),
    "accept": accepted("lighting"),
    "reply": replied("lighting", "在修"),
    "contribute": contributed("lighting", "好了"),
    "withdraw": withdrawn("lighting"),
}


@given(st.lists(st.tuples(st.sampled_from(sorted(DEEDS)), st.integers(1, 60 * 72)), max_size=8))
def test_the_due_times_of_the_router_and_of_the_scorer_are_the_same(deeds: Sequence[tuple[str, int]]) -> None:
    """Whatever happens in whatever order, both know the same due times and agree on which clocks were kept."""
    moment, steps = MONDAY_NOON, list[Step]()
    for deed, minutes in deeds:
        moment += timedelta(minutes=minutes)
        steps.append(later(DEEDS[deed], moment))
    story = told(DARK, *steps, city=ASKING)
    part = next(iter(story.case.parts.values()))
    computed = {one.clock: one for one in clocks(case_facts(story))}
    for clock in CLOCKS:
        assert timestamps.to_text(computed[clock].due_at) == part.due[clock]
        stopped_at = story.case.stopped.get((part.id, clock))
        in_time = stopped_at is not None and stopped_at <= part.due[clock]
        assert (computed[clock].verdict(LONG_AFTER) in ("kept", "void")) == in_time, clock
