"""A clock that pauses: how much working time it has left, and when it runs out after the pause.

The router moves due times with these functions, and the scorer judges with them. A pause is a break in the calendar: the
due time after it is the one that `working_time.add` computes with the pause.
"""

from datetime import datetime
from typing import TypeVar

from shared.clocks.calendar import WorkingCalendar
from shared.clocks.working_time import add, elapsed

Moment = TypeVar("Moment", str, datetime)
"""A time as text, as facts have it (RFC 3339 in UTC with milliseconds), or as a datetime."""


def time_left(calendar: WorkingCalendar, paused_at: int, due: int) -> int | None:
    """The working time from the beginning of a pause to the due time; None for a clock that has run out by then."""
    return elapsed(calendar, paused_at, due) if paused_at < due else None


def due_after(calendar: WorkingCalendar, resumed_at: int, left: int) -> int:
    """When a clock runs out that resumes with this much working time left."""
    return add(calendar, resumed_at, left)


def counted(moment: Moment, paused_at: Moment | None, due_at: Moment) -> Moment:
    """The moment at which a clock stands: in a pause, the beginning of the pause, unless the clock had run out by then."""
    if paused_at is None or due_at <= paused_at or moment <= paused_at:
        return moment
    return paused_at
