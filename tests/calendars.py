"""Calendars for tests, times in them, and working time counted minute by minute, without `shared/clocks`."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import chinese_calendar

from services.router.domain.city_index import city_index
from shared.city import City
from shared.city.calendars import Calendar, working_calendars
from shared.city.public_holidays import public_holidays
from shared.clocks.calendar import WorkingCalendar
from tests.builders import CITY

SHANGHAI = ZoneInfo("Asia/Shanghai")
MINUTE = 60_000
HOUR = 60 * MINUTE
CHINESE = public_holidays("CN", date(2026, 1, 1))


def a_calendar(zone: str = "Asia/Shanghai", holidays: str | None = None, **fields: object) -> WorkingCalendar:
    """A calendar as a city's file describes it, Monday to Friday 9:00-12:00 and 13:30-18:00 unless told otherwise."""
    one = Calendar.model_validate({"id": "working", "holidays": holidays, "time_zone": zone} | fields)
    public = [public_holidays(holidays, date(2026, 1, 1))] if holidays else []
    return working_calendars([one], zone, ZoneInfo(zone), public)["working"]


OFFICE = a_calendar(holidays="CN")

# Working time, a part with a policy of its own, and a due time beyond the announced holidays.
WORKING_TIME = city_index(
    City.model_validate(
        CITY.model_dump()
        | {
            "policies": [
                {
                    "id": "roads",
                    "when": {"departments": ["roads"]},
                    "clocks": {"accept": "2h", "first_reply": "1d", "resolve": "2d"},
                },
                {
                    "id": "standard",
                    "calendar": "working",
                    "clocks": {"accept": "2h", "first_reply": "3d", "resolve": "15d"},
                },
            ],
            "public_holidays": [
                {
                    "country": "CN",
                    "free_days": ["2026-03-18"],
                    "working_days": ["2026-03-21"],
                    "known_until": "2026-04-01",
                }
            ],
        }
    )
)


def at(text: str, zone: ZoneInfo = SHANGHAI) -> int:
    """`2026-04-30 16:00` in the zone, in milliseconds since 1970."""
    return round(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()) * 1_000


def text(moment: int, zone: ZoneInfo = SHANGHAI) -> str:
    """The inverse of `at`, with the weekday: `Mon 2026-05-11 16:00`."""
    return datetime.fromtimestamp(moment / 1_000, zone).strftime("%a %Y-%m-%d %H:%M")


def counted_ms(
    start: int,
    end: int,
    zone: ZoneInfo,
    hours: Sequence[tuple[str, str]],
    works: Iterable[date],
    pauses: Iterable[tuple[int, int]] = (),
) -> int:
    """Working time between two full minutes: looks at the clock on the wall at each of them."""
    days, breaks, counted = set(works), list(pauses), 0
    for minute in range(start, end, MINUTE):
        wall = datetime.fromtimestamp(minute // 1_000, zone)
        inside = any(opens <= wall.strftime("%H:%M") < closes for opens, closes in hours)
        if inside and wall.date() in days and not any(since <= minute < until for since, until in breaks):
            counted += MINUTE
    return counted


def chinese_workdays(first: date, after: date) -> set[date]:
    """The working days by `chinesecalendar`."""
    return {day for day in days_between(first, after) if chinese_calendar.is_workday(day)}


def days_between(first: date, after: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((after - first).days)]
