"""How days, durations and opening hours are written in a city's files."""

import datetime
import re
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from shared.clocks.calendar import DAY_MINUTES, HOUR_MS, OpeningHours

DAY_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
DURATION_PATTERN = r"^[0-9]{1,4}(\.[0-9]{1,3})?[hd]$"
OPENING_PATTERN = r"^[0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2}$"
FIRST_YEAR, LAST_YEAR = 1970, 2200


def _day(given: Any) -> datetime.date:
    if isinstance(given, datetime.date) and not isinstance(given, datetime.datetime):
        day = given
    elif isinstance(given, str) and re.fullmatch(DAY_PATTERN, given):
        try:
            day = datetime.date.fromisoformat(given)
        except ValueError as error:
            raise ValueError("is not a day of the calendar; write year, month and day such as 2026-05-01") from error
    else:
        raise ValueError("is not a day; write year, month and day such as 2026-05-01")
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(f"is too far away; write a day from {FIRST_YEAR} to {LAST_YEAR}")
    return day


def _duration(given: Any) -> str:
    if not isinstance(given, str) or not re.fullmatch(DURATION_PATTERN, given):
        raise ValueError("is not a duration; write hours or days of the calendar, such as 2h or 3d")
    if float(given[:-1]) == 0:
        raise ValueError("is no time at all; write more than 0, such as 2h or 3d")
    return given


def _opening(given: Any) -> str:
    if not isinstance(given, str) or not re.fullmatch(OPENING_PATTERN, given):
        raise ValueError('are not opening hours; write from and until, such as "09:00-12:00"')
    start, until = opening_hours(given)
    if max(int(given[3:5]), int(given[9:11])) > 59 or until > DAY_MINUTES:
        raise ValueError('are not times of a day; write 00:00 to 24:00, such as "09:00-12:00"')
    if start >= until:
        raise ValueError("end before they begin; write two parts for hours past midnight")
    return given


Day = Annotated[
    datetime.date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date", "pattern": DAY_PATTERN})
]
"""A day; YAML reads `2026-05-01` without quotes as a date."""
Duration = Annotated[str, BeforeValidator(_duration), WithJsonSchema({"type": "string", "pattern": DURATION_PATTERN})]
"""Hours (`h`) or days (`d`) of a calendar. A day is as long as the calendar's hours of an ordinary day."""
OpeningText = Annotated[str, BeforeValidator(_opening), WithJsonSchema({"type": "string", "pattern": OPENING_PATTERN})]
"""A part of the day such as `09:00-12:00`."""


def duration_ms(duration: str, day_ms: int) -> int:
    """The length of a `Duration` in milliseconds of a calendar whose ordinary day has `day_ms`."""
    return round(float(duration[:-1]) * (HOUR_MS if duration.endswith("h") else day_ms))


def opening_hours(text: str) -> OpeningHours:
    """`09:00-12:00` in minutes since midnight."""
    return OpeningHours(int(text[:2]) * 60 + int(text[3:5]), int(text[6:8]) * 60 + int(text[9:11]))
