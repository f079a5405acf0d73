"""Adds and measures working time. Times are integer milliseconds since 1970 (UTC); intervals are half-open.

A pause is a break in the calendar, like a holiday: the time in it does not count. Pauses may be in any order and overlap.
"""

from collections.abc import Iterable, Iterator, Sequence

from shared.clocks.calendar import WorkingCalendar

Pause = tuple[int, int]
"""From and until, in milliseconds since 1970. A pause that still runs ends at the moment for which one asks."""


def elapsed(calendar: WorkingCalendar, start: int, end: int, pauses: Sequence[Pause] = ()) -> int:
    """The working time between two moments without the pauses; 0 when `end` is not after `start`."""
    return sum(_elapsed(calendar, since, until) for since, until in _counted(start, end, pauses))


def add(calendar: WorkingCalendar, start: int, duration: int, pauses: Sequence[Pause] = ()) -> int:
    """The earliest moment, not before `start`, until which `duration` of working time has elapsed.

    Time that ends with a working day ends at its close, not at the next opening. Raises ValueError for a negative
    duration, and when the calendar has too little working time before the year 9999.
    """
    if duration < 0:
        raise ValueError(f"A duration of {duration} ms is negative; give 0 or more.")
    if not pauses:
        return _add(calendar, start, duration)
    since, left = start, duration
    for pause_start, pause_end in _merged(pauses):
        if pause_end <= since:
            continue
        counted = _elapsed(calendar, since, pause_start)
        if counted >= left:
            break
        since, left = pause_end, left - counted
    return _add(calendar, since, left)


def subtract(calendar: WorkingCalendar, end: int, duration: int) -> int:
    """The latest moment from which `duration` of working time elapses until `end`.

    Time that begins with a working day begins at its opening, not at the close before it. Raises ValueError for a
    negative duration, and when the calendar has too little working time since the year 1.
    """
    if duration < 0:
        raise ValueError(f"A duration of {duration} ms is negative; give 0 or more.")
    if calendar.always or duration == 0:
        return end - duration
    year = calendar.year_of(end)
    worked = year.worked(end) - duration
    while worked < 0 or not year.total:
        year = calendar.year(year.year - 1)
        worked += year.total
    return year.latest_moment(worked)


def _elapsed(calendar: WorkingCalendar, start: int, end: int) -> int:
    if end <= start:
        return 0
    if calendar.always:
        return end - start
    first, last = calendar.year_of(start), calendar.year_of(end)
    between = sum(calendar.year(number).total for number in range(first.year, last.year))
    return between + last.worked(end) - first.worked(start)


def _add(calendar: WorkingCalendar, start: int, duration: int) -> int:
    if calendar.always or duration == 0:
        return start + duration
    year = calendar.year_of(start)
    worked = year.worked(start) + duration
    while worked > year.total:
        worked -= year.total
        year = calendar.year(year.year + 1)
    return year.moment(worked)


def _counted(start: int, end: int, pauses: Sequence[Pause]) -> Iterator[tuple[int, int]]:
    """The intervals between two moments that lie in no pause."""
    since = start
    for pause_start, pause_end in _merged(pauses):
        if pause_start >= end:
            break
        yield since, max(since, pause_start)
        since = max(since, pause_end)
    yield since, end


def _merged(pauses: Iterable[Pause]) -> Iterator[Pause]:
    """The pauses in order, those that overlap or touch as one; empty ones are left out."""
    since: int | None = None
    until = 0
    for start, end in sorted(pauses):
        if end <= start:
            continue
        if since is not None and start <= until:
            until = max(until, end)
            continue
        if since is not None:
            yield since, until
        since, until = start, end
    if since is not None:
        yield since, until
