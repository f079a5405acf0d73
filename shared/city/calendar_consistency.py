"""Checks of calendars: hours that overlap, repeated days, countries without known public holidays."""

from collections.abc import Iterator

from shared.city.calendars import NATURAL, Calendar
from shared.city.faults import Fault, Loc, nearest, quoted
from shared.city.times import opening_hours


def wrong_calendar(loc: Loc, one: Calendar) -> Iterator[Fault]:
    if one.id == NATURAL:
        yield Fault((*loc, "id"), f'"{NATURAL}" always means every hour of every day; choose another id')
    previous = 0
    for at, text in enumerate(one.hours):
        start, until = opening_hours(text)
        if start < previous:
            yield Fault(
                (*loc, "hours", at), f"{quoted(text)} overlaps the hours before it; write them in ascending order"
            )
        previous = until
    for at, day in enumerate(one.weekdays):
        if day in one.weekdays[:at]:
            yield Fault((*loc, "weekdays", at), f"{quoted(day)} is named twice; name each weekday once")
    for name in ("extra_holidays", "extra_working_days"):
        days = getattr(one, name)
        for at, day in enumerate(days):
            if day in days[:at]:
                yield Fault((*loc, name, at), f"{quoted(day)} is named twice; name each day once")
            if name == "extra_working_days" and day in one.extra_holidays:
                yield Fault((*loc, name, at), f"{quoted(day)} is also one of the extra_holidays; keep one of them")


def unknown_country(loc: Loc, one: Calendar) -> Iterator[Fault]:
    if one.holidays is None:
        return
    # Imported here, because only the desk and `chorus apply` check a city, and the library takes memory and time.
    from shared.city.public_holidays import is_known, known_countries

    if not is_known(one.holidays):
        otherwise = "write a country such as CN, or a country and region such as DE-BE"
        remedy = nearest(one.holidays, known_countries(), otherwise)
        yield Fault((*loc, "holidays"), f"no public holidays are known for {quoted(one.holidays)}; {remedy}")
