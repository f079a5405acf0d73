"""Working time: compared with minutes counted on the wall clock, across lunch, holidays, make-up days and summer time."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import chinese_calendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.clocks.calendar import DAY_MS, WorkingCalendar, natural_calendar
from shared.clocks.working_time import Pause, add, elapsed
from tests.calendars import (
    CHINESE,
    HOUR,
    MINUTE,
    OFFICE,
    SHANGHAI,
    a_calendar,
    at,
    chinese_workdays,
    counted_ms,
    days_between,
    text,
)

WINDOWS = (("09:00", "12:00"), ("13:30", "18:00"))
FIRST, AFTER = date(2019, 1, 1), date(2027, 1, 1)
WORKDAYS = chinese_workdays(FIRST, AFTER)
BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
ALL_DAY = (("00:00", "24:00"),)
NIGHT = (("00:30", "02:30"), ("02:45", "04:00"), ("23:00", "24:00"))
SOME_DAYS = 6 * 24 * 60

MINUTES = st.integers(at("2019-01-01 00:00") // MINUTE, at("2026-12-20 00:00") // MINUTE)
MOMENTS = st.integers(at("2019-01-01 00:00"), at("2026-12-31 00:00"))
LENGTHS = st.integers(0, SOME_DAYS)
PAUSES = st.lists(
    st.tuples(MOMENTS, st.integers(0, 20 * DAY_MS)).map(lambda pause: (pause[0], pause[0] + pause[1])), max_size=4
)


# Days


@pytest.mark.parametrize("year", range(2019, 2027))
def test_every_day_is_the_working_day_that_chinesecalendar_says(year: int) -> None:
    days = days_between(date(year, 1, 1), date(year + 1, 1, 1))
    assert [day for day in days if OFFICE.works(day) != chinese_calendar.is_workday(day)] == []
    total = sum(chinese_calendar.is_workday(day) for day in days)
    start, end = at(f"{year}-01-01 00:00"), at(f"{year + 1}-01-01 00:00")
    assert elapsed(OFFICE, start, end) == total * OFFICE.day_ms == total * 7.5 * HOUR


def test_both_windows_of_every_day_count() -> None:
    for day in days_between(FIRST, AFTER):
        found = [(text(since)[4:], text(until)[4:]) for since, until in OFFICE.intervals(day)]
        wanted = [(f"{day} {opens}", f"{day} {closes}") for opens, closes in WINDOWS]
        assert found == (wanted if day in WORKDAYS else [])


def test_holidays_are_known_to_the_end_of_the_last_announced_year() -> None:
    assert CHINESE.known_until.year >= 2027
    assert OFFICE.known_until_ms == at(f"{CHINESE.known_until} 00:00")


# Terms computed by hand


def test_a_term_over_a_holiday_a_make_up_saturday_and_lunch() -> None:
    """Thu 2 h; 1-5 May free; Wed, Thu, Fri and Sat (make-up) 7.5 h each; Mon 3 h before lunch and 2.5 h after it."""
    start = at("2026-04-30 16:00")
    assert text(add(OFFICE, start, 5 * OFFICE.day_ms)) == "Mon 2026-05-11 16:00"
    assert elapsed(OFFICE, start, at("2026-05-11 16:00")) == 37.5 * HOUR


def test_a_saturdays_message_answered_on_monday_at_ten_past_nine_took_ten_minutes() -> None:
    nine_to_five = a_calendar(hours=["09:00-17:00"])
    saturday, monday = at("2026-03-14 11:30"), at("2026-03-16 09:10")
    assert elapsed(nine_to_five, saturday, monday) == 10 * MINUTE
    assert add(nine_to_five, saturday, 10 * MINUTE) == monday


def test_five_hours_left_are_five_hours_left_after_three_days_of_waiting() -> None:
    start, due = at("2026-03-16 09:00"), at("2026-03-18 18:00")
    asked, told = at("2026-03-18 11:30"), at("2026-03-23 11:30")
    assert elapsed(OFFICE, asked, due) == 5 * HOUR
    pauses = [(asked, told)]
    moved = add(OFFICE, start, elapsed(OFFICE, start, due), pauses)
    assert elapsed(OFFICE, told, moved) == 5 * HOUR
    assert text(moved) == "Mon 2026-03-23 18:00"
    assert elapsed(OFFICE, start, told, pauses) == elapsed(OFFICE, start, asked)


def test_a_term_that_fills_a_day_ends_at_its_close() -> None:
    assert text(add(OFFICE, at("2026-03-13 13:30"), 4 * HOUR + 30 * MINUTE)) == "Fri 2026-03-13 18:00"
    assert text(add(OFFICE, at("2026-03-13 13:30"), 4 * HOUR + 31 * MINUTE)) == "Mon 2026-03-16 09:01"
    assert text(add(OFFICE, at("2026-03-13 10:00"), 2 * HOUR)) == "Fri 2026-03-13 12:00"


@pytest.mark.parametrize("paused_from", ["2026-03-13 18:00", "2026-03-13 20:00", "2026-03-14 10:00"])
def test_a_term_that_ends_before_a_pause_is_not_moved_by_it(paused_from: str) -> None:
    pause = (at(paused_from), at("2026-03-18 10:00"))
    assert text(add(OFFICE, at("2026-03-13 13:30"), 4 * HOUR + 30 * MINUTE, [pause])) == "Fri 2026-03-13 18:00"


def test_local_days_win_over_public_holidays() -> None:
    calendar = a_calendar(holidays="CN", extra_holidays=["2026-05-09"], extra_working_days=["2026-05-02"])
    assert not calendar.works(date(2026, 5, 9))
    assert calendar.works(date(2026, 5, 2))
    assert not calendar.works(date(2026, 5, 1))


def test_beyond_the_known_years_only_weekends_are_free() -> None:
    beyond = date(2030, 10, 1)
    assert OFFICE.works(beyond)
    assert not OFFICE.works(date(2030, 10, 5))


@pytest.mark.parametrize(
    ("country", "zone", "free"),
    [
        ("DE-BE", "Europe/Berlin", "2026-03-08"),
        ("US", "America/New_York", "2026-07-03"),
        ("TW", "Asia/Taipei", "2026-02-17"),
    ],
)
def test_other_countries_and_regions_have_their_holidays(country: str, zone: str, free: str) -> None:
    calendar = a_calendar(zone, holidays=country, weekdays=["mon", "tue", "wed", "thu", "fri", "sat", "sun"])
    assert not calendar.works(date.fromisoformat(free))


def test_a_negative_duration_and_a_calendar_that_never_works_are_errors() -> None:
    with pytest.raises(ValueError, match="A duration of -1 ms is negative"):
        add(OFFICE, 0, -1)
    # The last year that Python's dates can end is 9998.
    with pytest.raises(ValueError, match="year 10000 is out of range"):
        add(OFFICE, at("9998-12-30 09:00"), 30 * OFFICE.day_ms)


# Against minutes on the wall clock


@settings(max_examples=150, deadline=None)
@given(MINUTES, LENGTHS)
def test_elapsed_equals_the_minutes_counted_on_the_clock(minute: int, length: int) -> None:
    start, end = minute * MINUTE, (minute + length) * MINUTE
    assert elapsed(OFFICE, start, end) == counted_ms(start, end, SHANGHAI, WINDOWS, WORKDAYS)


@settings(max_examples=60, deadline=None)
@given(MINUTES, LENGTHS, st.lists(st.tuples(st.integers(-SOME_DAYS, SOME_DAYS), st.integers(0, 2_000)), max_size=3))
def test_pauses_are_left_out_as_on_the_clock(minute: int, length: int, offsets: list[tuple[int, int]]) -> None:
    start, end = minute * MINUTE, (minute + length) * MINUTE
    pauses = [((minute + after) * MINUTE, (minute + after + lasts) * MINUTE) for after, lasts in offsets]
    assert elapsed(OFFICE, start, end, pauses) == counted_ms(start, end, SHANGHAI, WINDOWS, WORKDAYS, pauses)


CHANGES = [
    (BERLIN, "2026-03-29"),
    (BERLIN, "2026-10-25"),
    (NEW_YORK, "2026-03-08"),
    (NEW_YORK, "2026-11-01"),
    # Summer time here is half an hour; Samoa left out a whole day.
    (ZoneInfo("Australia/Lord_Howe"), "2026-04-05"),
    (ZoneInfo("Pacific/Apia"), "2011-12-30"),
]


@pytest.mark.parametrize(("zone", "day"), CHANGES, ids=[f"{zone}-{day}" for zone, day in CHANGES])
@pytest.mark.parametrize("windows", [WINDOWS, NIGHT, ALL_DAY], ids=["office", "night", "all-day"])
def test_days_on_which_the_clock_changes(zone: ZoneInfo, day: str, windows: tuple[tuple[str, str], ...]) -> None:
    every_day = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    hours = [f"{opens}-{closes}" for opens, closes in windows]
    calendar = a_calendar(str(zone), hours=hours, weekdays=every_day, extra_holidays=[])
    start = round(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 1_000 - DAY_MS
    days = days_between(date.fromisoformat(day) - timedelta(days=3), date.fromisoformat(day) + timedelta(days=8))
    for begins in range(start, start + 3 * DAY_MS, 5 * HOUR + 7 * MINUTE):
        for length in (0, 1, 90, 24 * 60, 50 * 60):
            ends = begins + length * MINUTE
            worked = elapsed(calendar, begins, ends)
            assert worked == counted_ms(begins, ends, zone, windows, days)
            assert elapsed(calendar, begins, add(calendar, begins, worked)) == worked


def test_all_hours_of_all_days_are_natural_time() -> None:
    """By the table, not by the short cut: the calendar has one free day, far away."""
    every_day = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    table = a_calendar(str(BERLIN), hours=["00:00-24:00"], weekdays=every_day, extra_holidays=["2100-01-01"])
    natural = natural_calendar(BERLIN)
    assert (table.always, natural.always) == (False, True)
    start, end = at("2025-12-31 20:00", BERLIN), at("2027-01-01 05:00", BERLIN)
    assert elapsed(table, start, end) == elapsed(natural, start, end) == end - start
    assert add(table, start, end - start) == add(natural, start, end - start) == end


# Laws


def inside(calendar: WorkingCalendar, moment: int) -> bool:
    """Whether the moment lies in working time, or closes it."""
    day = datetime.fromtimestamp(moment / 1_000, calendar.zone).date()
    return any(since < moment <= until for since, until in calendar.intervals(day))


@settings(max_examples=300, deadline=None)
@given(MOMENTS, st.integers(0, 60 * DAY_MS))
def test_adding_what_has_elapsed_leads_to_the_end(start: int, length: int) -> None:
    end = start + length
    reached = add(OFFICE, start, elapsed(OFFICE, start, end))
    assert start <= reached <= end
    assert elapsed(OFFICE, start, reached) == elapsed(OFFICE, start, end)
    if inside(OFFICE, end):
        assert reached == end


@settings(max_examples=300, deadline=None)
@given(MOMENTS, st.integers(0, 40 * DAY_MS), st.integers(0, 40 * DAY_MS), PAUSES)
def test_time_is_monotone_and_adds_up(start: int, first: int, second: int, pauses: list[Pause]) -> None:
    middle, end = start + first, start + first + second
    parts = elapsed(OFFICE, start, middle, pauses), elapsed(OFFICE, middle, end, pauses)
    assert min(parts) >= 0
    assert elapsed(OFFICE, start, end, pauses) == sum(parts)
    assert elapsed(OFFICE, end + 1, start, pauses) == 0
    assert add(OFFICE, start, first, pauses) <= add(OFFICE, start, first + second, pauses)
    assert add(OFFICE, start, first, pauses) <= add(OFFICE, start + second, first, pauses)


@settings(max_examples=300, deadline=None)
@given(MOMENTS, st.integers(1, 30 * DAY_MS), PAUSES)
def test_pauses_are_additive(start: int, duration: int, pauses: list[Pause]) -> None:
    due = add(OFFICE, start, duration, pauses)
    assert elapsed(OFFICE, start, due, pauses) == duration
    assert due >= add(OFFICE, start, duration)
    # What the pauses take away is what the calendar counts in them, each moment once.
    taken = elapsed(OFFICE, start, due) - elapsed(OFFICE, start, due, pauses)
    edges = sorted({start, due, *(edge for pause in pauses for edge in pause if start < edge < due)})
    steps = pairwise(edges)
    paused = [step for step in steps if any(since <= step[0] and step[1] <= until for since, until in pauses)]
    assert taken == sum(elapsed(OFFICE, since, until) for since, until in paused)
    # Their order does not matter, nor whether one is told in two halves.
    halves = [
        half for since, until in pauses for half in ((since, (since + until) // 2), ((since + until) // 2, until))
    ]
    assert add(OFFICE, start, duration, halves[::-1]) == due
