"""Public holidays: China's from `chinesecalendar`, other countries' from `holidays`.

Only the desk asks these libraries, when it makes a revision of the city. Everything else reads the revision.
"""

from collections.abc import Iterable
from datetime import date

import chinese_calendar
import holidays as world

from shared.city.calendars import CHINA, PublicHolidays

FIRST_YEAR = 2004
"""The first year that `chinesecalendar` knows."""
YEARS_AHEAD = 2
"""Other countries' holidays follow from their laws; the laws may change, so a revision has only the next years."""


def is_known(country: str) -> bool:
    """Whether there are public holidays for `CN`, `DE` or `DE-BE`."""
    code, _, region = country.partition("-")
    if code == CHINA:
        return not region
    try:
        world.country_holidays(code, subdiv=region or None)
    except NotImplementedError:
        return False
    return True


def known_countries() -> list[str]:
    """The codes of the countries, without their regions."""
    return sorted({CHINA, *world.list_supported_countries()})


def public_holidays(country: str, today: date) -> PublicHolidays:
    """What is known today about a country for which `is_known` holds."""
    return _chinese() if country == CHINA else _computed(country, today)


def newest(known: Iterable[PublicHolidays], before: Iterable[PublicHolidays]) -> tuple[PublicHolidays, ...]:
    """What is known now, except where the revision before reaches further.

    During an upgrade a process of the older release may apply a city, too.
    """
    earlier = {one.country: one for one in before}
    pairs = [(earlier.get(one.country, one), one) for one in known]
    return tuple(old if old.known_until > new.known_until else new for old, new in pairs)


def extended(known: Iterable[PublicHolidays], before: Iterable[PublicHolidays]) -> tuple[PublicHolidays, ...]:
    """What the revision before says, except where what is known now reaches further."""
    found = {one.country: one for one in before}
    for one in known:
        if one.country not in found or one.known_until > found[one.country].known_until:
            found[one.country] = one
    return tuple(found.values())


def _chinese() -> PublicHolidays:
    known = chinese_calendar.constants
    last = max(max(known.holidays), max(known.workdays))
    return PublicHolidays(
        country=CHINA,
        free_days=tuple(sorted(known.holidays)),
        working_days=tuple(sorted(known.workdays)),
        known_until=date(last.year + 1, 1, 1),
    )


def _computed(country: str, today: date) -> PublicHolidays:
    code, _, region = country.partition("-")
    after = today.year + YEARS_AHEAD + 1
    found = world.country_holidays(code, subdiv=region or None, years=range(FIRST_YEAR, after))
    return PublicHolidays(
        country=country,
        free_days=tuple(sorted(day for day in found if FIRST_YEAR <= day.year < after)),
        working_days=tuple(sorted(day for day in found.weekend_workdays if FIRST_YEAR <= day.year < after)),
        known_until=date(after, 1, 1),
    )
