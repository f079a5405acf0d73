"""Working time before a moment: the opposite of adding it, and never at night."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.clocks.calendar import natural_calendar
from shared.clocks.working_time import elapsed, subtract
from tests.calendars import HOUR, OFFICE, SHANGHAI, at, text

MOMENTS = st.integers(at("2019-06-01 00:00"), at("2026-12-31 00:00"))


@given(MOMENTS, st.integers(1, 40 * 24 * HOUR))
@settings(max_examples=300, deadline=None)
def test_exactly_this_much_working_time_is_left(end: int, duration: int) -> None:
    start = subtract(OFFICE, end, duration)
    assert elapsed(OFFICE, start, end) == duration
    assert elapsed(OFFICE, start + 1, end) == duration - 1


@pytest.mark.parametrize(
    ("due", "hours", "rings"),
    [
        ("2026-03-16 10:00", 2, "Fri 2026-03-13 17:00"),
        ("2026-03-16 10:00", 1, "Mon 2026-03-16 09:00"),
        ("2026-03-16 14:00", 0.5, "Mon 2026-03-16 13:30"),
        ("2026-03-16 14:00", 1, "Mon 2026-03-16 11:30"),
        ("2026-01-05 10:00", 2, "Sun 2026-01-04 17:00"),
        ("2026-03-15 12:00", 2, "Fri 2026-03-13 16:00"),
    ],
)
def test_a_reminder_never_comes_at_night_or_on_a_free_day(due: str, hours: float, rings: str) -> None:
    """4 January 2026 is a Sunday that makes up for a holiday."""
    assert text(subtract(OFFICE, at(due), round(hours * HOUR))) == rings


def test_natural_time_and_no_time() -> None:
    natural = natural_calendar(SHANGHAI)
    due = at("2026-03-16 10:00")
    assert subtract(natural, due, 48 * HOUR) == due - 48 * HOUR
    assert subtract(OFFICE, due, 0) == due


def test_a_negative_duration_is_refused() -> None:
    with pytest.raises(ValueError, match="-1 ms is negative"):
        subtract(OFFICE, at("2026-03-16 10:00"), -1)
