"""The scoreboard as HTML."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_skeleton
from fastapi.responses import HTMLResponse

from services.scorer.responses import DepartmentScores, Judged, Scoreboard
from services.scorer.sorting import CITYS_OWN_ORDER, Sorted
from shared.runtime.languages import Lang
from shared.runtime.translations import LOCALES, gettext_noop, translations
from shared.web.layout import Site, problem, templates

RENDER = templates(Path(__file__).parent / "templates")
HERE = Site(scoreboard="")


def scoreboard(
    lang: Lang,
    board: Scoreboard,
    asked: Mapping[str, str],
    neighbours: tuple[str | None, str | None],
    sorted_by: Sorted = CITYS_OWN_ORDER,
    site: Site = HERE,
) -> HTMLResponse:
    """The scoreboard. `asked`: the query fields that all its links keep, with `period`.

    `neighbours` are the months before and after (`YYYY-MM`), as far as the page links to them.
    """
    previous, following = neighbours
    return RENDER(
        "scoreboard.html",
        lang,
        200,
        site,
        "no-cache",
        board=board,
        asked=asked,
        previous=previous,
        following=following,
        sorted_by=sorted_by,
        zone=ZoneInfo(board.period.zone),
        title=title(lang, asked["period"]),
        total=total(board.departments),
    )


WRONG_VALUES = {
    "period": gettext_noop(
        "There is no such period. Write a month such as 2026-11, a week such as 2026-W47 or a day such as 2026-11-22."
    ),
    "as_of": gettext_noop("That is not a time. Write one such as 2026-11-22T09:12:16Z."),
    "sort": gettext_noop("The table has no such column. Choose a column by its heading."),
    "order": gettext_noop("The order is ascending (asc) or descending (desc)."),
    "format": gettext_noop("The format is html (a page) or json (data)."),
}
"""What to do about each query field with a wrong value."""


def wrong_address(lang: Lang, field: str, site: Site = HERE) -> HTMLResponse:
    """The page for a query field with a wrong value."""
    return problem(lang, 422, translations(lang).gettext(WRONG_VALUES[field]), site, reading=True)


def title(lang: Lang, period: str) -> str:
    """The period in words: `November 2026`, `2026年11月`; a week by its number, a day by its date."""
    if "W" in period:
        year, _, week = period.partition("-W")
        return translations(lang).gettext("Week %(week)s of %(year)s") % {"week": int(week), "year": year}
    if period.count("-") == 1:
        return format_skeleton("yMMMM", date.fromisoformat(f"{period}-01"), locale=LOCALES[lang])
    return format_date(date.fromisoformat(period), "long", LOCALES[lang])


@dataclass(frozen=True, slots=True)
class ClockTotal:
    """One kind of clock over all departments; `share` is None before any deadline has been met or missed."""

    kept: int
    broken: int

    @property
    def share(self) -> Decimal | None:
        judged = self.kept + self.broken
        return Decimal(self.kept) / judged if judged else None


@dataclass(frozen=True, slots=True)
class CityTotal:
    """The departments' figures added up."""

    assigned: int
    answered: int
    accept: ClockTotal
    first_reply: ClockTotal
    resolve: ClockTotal


def total(departments: Sequence[DepartmentScores]) -> CityTotal:
    clocks = [one.clocks for one in departments]
    return CityTotal(
        assigned=sum(one.volume.assigned for one in departments),
        answered=sum(one.volume.answered for one in departments),
        accept=clock_total([one.accept for one in clocks]),
        first_reply=clock_total([one.first_reply for one in clocks]),
        resolve=clock_total([one.resolve for one in clocks]),
    )


def clock_total(judged: Sequence[Judged]) -> ClockTotal:
    return ClockTotal(kept=sum(one.kept for one in judged), broken=sum(one.broken for one in judged))
