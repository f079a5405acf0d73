"""The verdict on one clock, to the millisecond."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from shared.clocks.calendar import natural_calendar
from shared.clocks.deadlines import Clock, ClockLimits, ClockTerms, due_times
from shared.runtime.timestamps import from_ms, to_ms
from tests.builders import MONDAY_NOON

DUE = MONDAY_NOON + timedelta(hours=24)
MS = timedelta(milliseconds=1)
LATER = DUE + timedelta(days=30)


def clock(stopped_at: datetime | None = None, ended_at: datetime | None = None) -> Clock:
    return Clock("accept", "p1", "lighting", MONDAY_NOON, DUE, stopped_at, ended_at)


def test_a_24_hour_clock_of_natural_time_is_due_at_the_same_time_of_the_next_day() -> None:
    half_an_hour, day = 30 * 60_000, 24 * 60 * 60_000
    terms = ClockTerms(natural_calendar(ZoneInfo("Asia/Shanghai")), ClockLimits(half_an_hour, day, day))
    accept, first_reply, resolve = map(from_ms, due_times(terms, to_ms(MONDAY_NOON)))
    assert (accept, first_reply, resolve) == (MONDAY_NOON + timedelta(minutes=30), DUE, DUE)
    assert accept.tzinfo is UTC


@pytest.mark.parametrize(
    ("one", "as_of", "verdict", "judged_at"),
    [
        (clock(stopped_at=DUE - MS), LATER, "kept", DUE - MS),
        (clock(stopped_at=DUE), LATER, "kept", DUE),
        (clock(stopped_at=DUE + MS), LATER, "broken", DUE),
        (clock(), DUE, "open", None),
        (clock(), DUE + MS, "broken", DUE),
        (clock(ended_at=DUE), LATER, "void", DUE),
        (clock(ended_at=DUE + MS), LATER, "broken", DUE),
    ],
    ids=["in time", "at the very moment", "a ms late", "open at the moment", "overdue", "ended in time", "ended late"],
)
def test_the_verdict_changes_one_millisecond_after_the_due_time(
    one: Clock, as_of: datetime, verdict: str, judged_at: datetime | None
) -> None:
    assert (one.verdict(as_of), one.judged_at(as_of)) == (verdict, judged_at)
