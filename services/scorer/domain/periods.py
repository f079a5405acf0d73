"""Periods: months, ISO weeks and days in the city's time zone."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

FIRST_YEAR, LAST_YEAR = 1970, 9998


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` (included) to `end` (excluded), both in the city's time zone."""

    name: str
    start: datetime
    end: datetime
    zone: str


def period(name: str, zone: ZoneInfo) -> Period:
    """A month `YYYY-MM`, an ISO week `YYYY-Www` or a day `YYYY-MM-DD`; raises ValueError for anything else."""
    try:
        if "W" in name:
            first, form = datetime.strptime(f"{name}-1", "%G-W%V-%u").date(), "%G-W%V"
            after = first + timedelta(days=7)
        elif name.count("-") == 1:
            first, form = datetime.strptime(name, "%Y-%m").date(), "%Y-%m"
            after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
        else:
            first, form = datetime.strptime(name, "%Y-%m-%d").date(), "%Y-%m-%d"
            after = first + timedelta(days=1)
        if first.strftime(form) != name or not FIRST_YEAR <= first.year <= LAST_YEAR:
            raise ValueError(name)
    except (ValueError, OverflowError) as error:
        raise ValueError(
            f"{name!r} is not a period; write a month like 2026-11, a week like 2026-W47 or a day like 2026-11-22"
        ) from error
    start, end = (datetime.combine(day, time(), zone) for day in (first, after))
    return Period(name, start, end, str(zone))


def neighbours(over: Period, now: datetime) -> tuple[str | None, str | None]:
    """The months before and after the period (`YYYY-MM`); None for one that begins after `now` or has no scoreboard."""
    latest = now.astimezone(over.start.tzinfo)
    before = min(over.start - timedelta(days=1), latest)
    return (
        f"{before:%Y-%m}" if before.year >= FIRST_YEAR else None,
        f"{over.end:%Y-%m}" if over.end <= latest else None,
    )
