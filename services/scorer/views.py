"""The scoreboard as HTML."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.dates import format_skeleton
from fastapi.responses import HTMLResponse

from services.scorer.responses import DepartmentScores, Judged, Scoreboard
from shared.runtime.languages import Lang
from shared.runtime.translations import LOCALES
from shared.web.layout import Site, moment, templates

RENDER = templates(Path(__file__).parent / "templates")
HERE = Site(scoreboard="")


def scoreboard(
    lang: Lang,
    board: Scoreboard,
    previous: str | None = None,
    following: str | None = None,
    site: Site = HERE,
) -> HTMLResponse:
    """`previous` and `following` are the months (`YYYY-MM`) that the page links to."""
    zone = ZoneInfo(board.period.zone)
    start = moment(board.period.from_, zone)
    return RENDER(
        "scoreboard.html",
        lang,
        200,
        site,
        "no-cache",
        board=board,
        previous=previous,
        following=following,
        zone=zone,
        period=f"{start:%Y-%m}" if start else "",
        title=month(lang, start),
        total=total(board.departments),
    )


def month(lang: Lang, start: datetime | None) -> str:
    """The month that begins then: `November 2026`, `2026年11月`."""
    return format_skeleton("yMMMM", start, locale=LOCALES[lang]) if start else ""


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
