"""The calendars of a city: what its files say, the public holidays of a revision, and the calendars made of both."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, StringConstraints

from shared.city.entries import CityEntry, Code, Text
from shared.city.times import Day, OpeningText, opening_hours
from shared.clocks.calendar import MINUTE_MS, WorkingCalendar, natural_calendar

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,5})?$")]
EXTRA_DAYS_MAX = 400
OPENINGS_MAX = 12
CALENDARS_MAX = 20
NATURAL = "natural"
CHINA = "CN"
CHINESE_ZONES = ("Asia/Shanghai", "Asia/Urumqi", "Asia/Chongqing", "Asia/Harbin", "Asia/Kashgar", "PRC")


class Calendar(CityEntry):
    """Which time counts for the clocks of a policy."""

    id: Code
    """The calendar's id, unique in the city. `natural` always exists and means every hour of every day."""
    time_zone: Text | None = None
    """The IANA time zone of the hours; null for the time zone of the city."""
    hours: Annotated[tuple[OpeningText, ...], Field(min_length=1, max_length=OPENINGS_MAX)] = (
        "09:00-12:00",
        "13:30-18:00",
    )
    """The working hours of each working day, in ascending order, such as `09:00-12:00`."""
    weekdays: Annotated[tuple[Weekday, ...], Field(min_length=1, max_length=7)] = WEEKDAYS[:5]
    """The ordinary working days of a week."""
    holidays: Country | None = None
    """The country or region whose public holidays are free, such as `CN` or `DE-BE`; null for none."""
    extra_holidays: Annotated[tuple[Day, ...], Field(max_length=EXTRA_DAYS_MAX)] = ()
    """More free days, such as a local holiday."""
    extra_working_days: Annotated[tuple[Day, ...], Field(max_length=EXTRA_DAYS_MAX)] = ()
    """More working days, such as a Saturday that makes up for a free day; they win over public holidays."""

    @property
    def day_ms(self) -> int:
        """The length of an ordinary working day."""
        return sum(until - start for start, until in map(opening_hours, self.hours)) * MINUTE_MS


class PublicHolidays(CityEntry):
    """The public holidays of a country or region as they were known when the revision was made."""

    country: Country
    """The country or region, as in the calendars."""
    free_days: tuple[Day, ...]
    """The public holidays, and the days off that belong to them."""
    working_days: tuple[Day, ...]
    """The days on which people work although their weekday is free, to make up for a day off."""
    known_until: Day
    """The first day for which nothing was announced yet; from it on only weekends are free."""


def effective_calendars(calendars: Iterable[Calendar], time_zone: str | None) -> dict[str, Calendar]:
    """The calendars that policies can name, by id, without `natural`: the city's own, and `working` if it has none.

    The ready-made `working` follows China's public holidays in a time zone of China, and none elsewhere.
    """
    ready_made = Calendar(id="working", holidays=CHINA if time_zone in CHINESE_ZONES else None)
    return {ready_made.id: ready_made} | {one.id: one for one in calendars}


def countries(calendars: Iterable[Calendar], time_zone: str, named: Iterable[str]) -> tuple[str, ...]:
    """The countries whose public holidays a city needs, because policies name these calendars."""
    known = effective_calendars(calendars, time_zone)
    found = [known[id_].holidays for id_ in dict.fromkeys(named) if id_ in known]
    return tuple(dict.fromkeys(one for one in found if one is not None))


def working_calendars(
    calendars: Iterable[Calendar], time_zone: str, zone: ZoneInfo, public: Iterable[PublicHolidays]
) -> Mapping[str, WorkingCalendar]:
    """Every calendar that policies can name, by id. `zone` applies to the calendars without one of their own."""
    by_country = {one.country: one for one in public}
    made = {NATURAL: natural_calendar(zone)}
    for one in effective_calendars(calendars, time_zone).values():
        made[one.id] = _working_calendar(one, zone, by_country.get(one.holidays or ""))
    return made


def _working_calendar(one: Calendar, zone: ZoneInfo, public: PublicHolidays | None) -> WorkingCalendar:
    free, work = frozenset(one.extra_holidays), frozenset(one.extra_working_days)
    return WorkingCalendar(
        id=one.id,
        zone=ZoneInfo(one.time_zone) if one.time_zone else zone,
        hours=tuple(map(opening_hours, one.hours)),
        weekdays=frozenset(map(WEEKDAYS.index, one.weekdays)),
        closed_days=free.union(public.free_days if public else ()) - work,
        open_days=work.union(public.working_days if public else ()) - free,
        known_until=public.known_until if public else None,
    )
