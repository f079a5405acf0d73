"""A calendar as data: the time zone, the working hours, the weekdays, and every exceptional day.

Times are integer milliseconds since 1970 (UTC); intervals are half-open. A calendar reads no library: what it says about
a day changes only with its own data, so a due time can be computed again years later.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import NamedTuple
from zoneinfo import ZoneInfo

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
DAY_MINUTES = 24 * 60
WEEK = frozenset(range(7))

_EPOCH = date(1970, 1, 1).toordinal()
_YEAR_MS = 31_556_952_000
# A local day lies within these bounds around its midnight in UTC, whatever its offset from UTC is.
_EARLIEST_MS = -15 * HOUR_MS
_LATEST_MS = DAY_MS + 13 * HOUR_MS


class OpeningHours(NamedTuple):
    """A part of the day in minutes since midnight; `until` is exclusive and at most 1,440."""

    start: int
    until: int


class WorkingYear(NamedTuple):
    """The working time of one year. `before[i]` is the working time of the year before interval `i`."""

    year: int
    begins: int
    ends: int
    starts: tuple[int, ...]
    untils: tuple[int, ...]
    before: tuple[int, ...]
    total: int

    def worked(self, moment: int) -> int:
        """The working time of the year before `moment`."""
        at = bisect_right(self.starts, moment) - 1
        return 0 if at < 0 else self.before[at] + min(moment, self.untils[at]) - self.starts[at]

    def moment(self, worked: int) -> int:
        """The earliest moment before which the year has this much working time; `worked` is above 0, at most `total`."""
        at = bisect_left(self.before, worked) - 1
        return self.starts[at] + worked - self.before[at]

    def latest_moment(self, worked: int) -> int:
        """The latest moment before which the year has only this much working time; `worked` is below `total`."""
        at = bisect_right(self.before, worked) - 1
        return self.starts[at] + worked - self.before[at]


@dataclass(frozen=True)
class WorkingCalendar:
    """Which time counts. On `open_days` the hours apply although the weekday is free, on `closed_days` they do not."""

    id: str
    zone: ZoneInfo
    hours: tuple[OpeningHours, ...]
    weekdays: frozenset[int]
    """Monday is 0."""
    closed_days: frozenset[date] = frozenset()
    open_days: frozenset[date] = frozenset()
    known_until: date | None = None
    """The first day for which no public holidays are announced; None when the calendar follows none."""
    _years: dict[int, WorkingYear] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def always(self) -> bool:
        """Whether every moment counts."""
        return self.weekdays == WEEK and self.hours == ((0, DAY_MINUTES),) and not self.closed_days

    @property
    def day_ms(self) -> int:
        """The length of an ordinary working day: what `1d` means in a policy."""
        return sum(one.until - one.start for one in self.hours) * MINUTE_MS

    @cached_property
    def known_until_ms(self) -> int | None:
        """The first moment for which no public holidays are announced."""
        return None if self.known_until is None else self.midnight(self.known_until)

    def works(self, day: date) -> bool:
        """Whether the working hours apply on this day."""
        if day in self.open_days:
            return True
        return day.weekday() in self.weekdays and day not in self.closed_days

    def midnight(self, day: date) -> int:
        """The moment at which the day begins in the calendar's zone."""
        return round(datetime(day.year, day.month, day.day, tzinfo=self.zone).timestamp()) * SECOND_MS

    def intervals(self, day: date) -> list[tuple[int, int]]:
        """The working time of one day. Wall clock time counts: an hour that happens twice counts twice."""
        if not self.works(day):
            return []
        midnight = (day.toordinal() - _EPOCH) * DAY_MS
        found = [
            (
                max(midnight + one.start * MINUTE_MS - offset, since),
                min(midnight + one.until * MINUTE_MS - offset, until),
            )
            for since, until, offset in self._offsets(midnight + _EARLIEST_MS, midnight + _LATEST_MS)
            for one in self.hours
        ]
        return sorted(one for one in found if one[0] < one[1])

    def year(self, number: int) -> WorkingYear:
        """The working time of a year of the calendar's zone. Raises ValueError outside the years 1 to 9998."""
        # A table is the same each time it is made, so it does no harm when two threads make it.
        if (known := self._years.get(number)) is None:
            known = self._years[number] = _working_year(self, number)
        return known

    def year_of(self, moment: int) -> WorkingYear:
        """The year in the calendar's zone that contains the moment."""
        year = self.year(1970 + moment // _YEAR_MS)
        while moment < year.begins:
            year = self.year(year.year - 1)
        while moment >= year.ends:
            year = self.year(year.year + 1)
        return year

    def _offsets(self, since: int, until: int) -> Iterator[tuple[int, int, int]]:
        """The offsets from UTC between two moments, with the moments between which each is in force."""
        first, last = self._offset(since), self._offset(until)
        if first == last:
            yield since, until, first
            return
        low, high = since // SECOND_MS, until // SECOND_MS
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._offset(middle * SECOND_MS) == first else (low, middle)
        yield since, high * SECOND_MS, first
        yield high * SECOND_MS, until, last

    def _offset(self, moment: int) -> int:
        offset = datetime.fromtimestamp(moment // SECOND_MS, self.zone).utcoffset()
        return round((offset or timedelta()).total_seconds()) * SECOND_MS


def _working_year(calendar: WorkingCalendar, number: int) -> WorkingYear:
    first, after = date(number, 1, 1), date(number + 1, 1, 1)
    starts, untils, before, total = list[int](), list[int](), list[int](), 0
    for ordinal in range(first.toordinal(), after.toordinal()):
        for start, until in calendar.intervals(date.fromordinal(ordinal)):
            starts.append(start)
            untils.append(until)
            before.append(total)
            total += until - start
    begins, ends = calendar.midnight(first), calendar.midnight(after)
    return WorkingYear(number, begins, ends, tuple(starts), tuple(untils), tuple(before), total)


def natural_calendar(zone: ZoneInfo) -> WorkingCalendar:
    """Every hour of every day."""
    return WorkingCalendar("natural", zone, (OpeningHours(0, DAY_MINUTES),), WEEK)
