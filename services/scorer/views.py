"""The scoreboard's page: its JSON in, a response out."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fastapi.responses import HTMLResponse

from shared.runtime.languages import Lang
from shared.web.layout import Site, moment, templates

RENDER = templates(Path(__file__).parent / "templates")
HERE = Site(scoreboard="")


def scoreboard(
    lang: Lang,
    board: Mapping[str, Any],
    previous: str | None = None,
    following: str | None = None,
    site: Site = HERE,
) -> HTMLResponse:
    """The scoreboard as its JSON has it; `previous` and `following` are the months (`YYYY-MM`) to turn to."""
    zone = ZoneInfo(board["period"]["zone"])
    start = moment(board["period"]["from"], zone)
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
        total=total(board["departments"]),
    )


def month(lang: Lang, start: datetime | None) -> str:
    """The month that begins then, in words."""
    if start is None:
        return ""
    return f"{start:%B %Y}" if lang == "en" else f"{start.year} 年 {start.month} 月"


def total(departments: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The departments' figures added up; a share is null when nothing has been judged."""
    clocks = {}
    for name in ("accept", "first_reply", "resolve"):
        kept = sum(one["clocks"][name]["kept"] for one in departments)
        broken = sum(one["clocks"][name]["broken"] for one in departments)
        share = Decimal(kept) / (kept + broken) if kept + broken else None
        clocks[name] = {"kept": kept, "broken": broken, "share": share}
    volume = {name: sum(one["volume"][name] for one in departments) for name in ("assigned", "answered")}
    return {**volume, "clocks": clocks}
