"""The pages people see: one function a page, plain values in, a finished response out.

Templates and style lie in `templates/`. Nothing needs JavaScript, loads from elsewhere or trusts a value: everything is
escaped, and people's words are set apart, so that their direction and line breaks stay theirs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from shared.clock import from_text
from shared.headers import EVERY_ANSWER
from shared.languages import Lang, language_of
from shared.reference import channels, operations

Values = Mapping[str, Any]
Departments = Sequence[tuple[str, str]]

TEMPLATES = Path(__file__).parent / "templates"
CITY_ZONE = ZoneInfo("Asia/Shanghai")
SECURITY = {
    **EVERY_ANSWER,
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Vary": "Accept-Language",
}
TAGS: Mapping[Lang, str] = {"zh": "zh-CN", "en": "en"}


@dataclass(frozen=True, slots=True)
class Site:
    """Where the pages are: base addresses without a trailing slash, "" for this very service, None when unknown."""

    intake: str | None = None
    hall: str | None = None
    scoreboard: str | None = None


INTAKE, HALL, SCOREBOARD = Site(intake=""), Site(hall=""), Site(scoreboard="")


# ── language and wiring ──────────────────────────────────────────────────────


def language(request: Request) -> Lang:
    """The reader's language: `?lang=` if it names one of ours, else the browser's choice among ours, else Chinese."""
    match request.query_params.get("lang"):
        case "zh":
            return "zh"
        case "en":
            return "en"
    return language_of(request.headers.get("accept-language"))


def static_files() -> StaticFiles:
    """What to mount at `/static`: the style sheet and the mark."""
    return KeptFiles(directory=TEMPLATES / "static")


class KeptFiles(StaticFiles):
    """Files that a browser may keep, as long as it asks whether they are still the same."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """The file, or that it has not changed."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response


# ── intake ───────────────────────────────────────────────────────────────────


def write_in(
    lang: Lang,
    values: Values,
    errors: Mapping[str, str],
    departments: Departments,
    status: int = 200,
    site: Site = INTAKE,
) -> HTMLResponse:
    """The form. `values` is what was typed before (`departments`: codes); `errors` maps a field, or "", to a sentence.

    The hidden `key` is kept when `values` has one, so that the same form sent twice makes one ticket. Check boxes send
    `true`; browsers send line breaks as CRLF.
    """
    kept = {"key": str(uuid4()), **values}
    return _page("write_in.html", lang, status, site, "no-store", values=kept, errors=errors, departments=departments)


def thank_you(
    lang: Lang, inquiry_id: str, query_code: str, status_url: str, status: int = 202, site: Site = INTAKE
) -> HTMLResponse:
    """The ticket and its code, once."""
    return _page(
        "thank_you.html",
        lang,
        status,
        site,
        "no-store",
        inquiry_id=inquiry_id,
        query_code=query_code,
        status_url=status_url,
    )


def ask_status(
    lang: Lang, values: Values, error: str | None = None, status: int = 200, site: Site = INTAKE
) -> HTMLResponse:
    """The form for ticket (`inquiry_id`) and `code`, sent as POST, so that the code stands in no address and no log."""
    return _page("ask_status.html", lang, status, site, "no-store", values=values, error=error)


def status(
    lang: Lang,
    picture: Mapping[str, Any],
    code: str,
    zone: tzinfo = CITY_ZONE,
    rated: bool = False,
    errors: Mapping[str, str] | None = None,
    values: Values | None = None,
    status: int = 200,
    site: Site = INTAKE,
) -> HTMLResponse:
    """A case as `GET /inquiries/{id}` tells it. `rated`: the resident's word on this round is in.

    `errors` and `values` are for a rating that could not be taken (`solved`, `satisfied`, `words`).
    """
    return _page(
        "status.html",
        lang,
        status,
        site,
        "no-store",
        picture=picture,
        code=code,
        zone=zone,
        rated=rated,
        errors=errors or {},
        values=values or {},
    )


def problem(lang: Lang, status: int, detail: str | None = None, site: Site = INTAKE) -> HTMLResponse:
    """An error in words; `detail` is added as it is."""
    return _page("problem.html", lang, status, site, "no-store", status=status, detail=detail)


# ── notifier ─────────────────────────────────────────────────────────────────


def hall(
    lang: Lang,
    entries: Sequence[Mapping[str, Any]],
    next_after: str | None = None,
    zone: tzinfo = CITY_ZONE,
    site: Site = HALL,
) -> HTMLResponse:
    """The list, each entry with `inquiry_id, subject, summary, answered_at, departments` (names).

    `next_after` opens the next page as `?after=`.
    """
    return _page("hall.html", lang, 200, site, "no-cache", entries=entries, next_after=next_after, zone=zone)


def hall_entry(lang: Lang, entry: Mapping[str, Any], zone: tzinfo = CITY_ZONE, site: Site = HALL) -> HTMLResponse:
    """One answered inquiry: `inquiry_id, subject, body, paragraphs` of `name, text`, `answered_at`, perhaps `rating`
    of `solved, satisfied`."""
    return _page("hall_entry.html", lang, 200, site, "no-cache", entry=entry, zone=zone)


# ── scorer ───────────────────────────────────────────────────────────────────


def scoreboard(
    lang: Lang,
    board: Mapping[str, Any],
    previous: str | None = None,
    following: str | None = None,
    site: Site = SCOREBOARD,
) -> HTMLResponse:
    """The scoreboard as its JSON has it; `previous` and `following` are the months (`YYYY-MM`) to turn to."""
    zone = ZoneInfo(board["period"]["zone"])
    start = moment(board["period"]["from"], zone)
    return _page(
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


# ── every service ────────────────────────────────────────────────────────────


def interface(lang: Lang, document: Mapping[str, Any], site: Site) -> HTMLResponse:
    """A service's routes, from its OpenAPI document."""
    title, found = document["info"]["title"], operations(document)
    return _page("reference.html", lang, 200, site, "no-cache", title=title, operations=found, channels=[])


def messages(lang: Lang, document: Mapping[str, Any], site: Site) -> HTMLResponse:
    """A service's topics, from its AsyncAPI document."""
    title, found = document["info"]["title"], channels(document)
    return _page("reference.html", lang, 200, site, "no-cache", title=title, operations=[], channels=found)


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


# ── drawing ──────────────────────────────────────────────────────────────────


def _page(template: str, lang: Lang, code: int, site: Site, caching: str, /, **context: Any) -> HTMLResponse:
    content = ENVIRONMENT.get_template(template).render(lang=lang, tag=TAGS[lang], site=site, **context)
    headers = {**SECURITY, "Cache-Control": caching, "Content-Language": TAGS[lang]}
    return HTMLResponse(content, code, headers=headers)


@pass_context
def say(context: Context, zh: str, en: str) -> str:
    """Words in the page's language; both stand side by side in the template."""
    return en if context["lang"] == "en" else zh


def moment(value: datetime | str | None, zone: tzinfo) -> datetime | None:
    """A point in time on the city's clock; a bare day is its first moment there."""
    if not value:
        return None
    if isinstance(value, str):
        value = from_text(value) if "T" in value else datetime.fromisoformat(value).replace(tzinfo=zone)
    return value.astimezone(zone)


def percent(share: Decimal | str | None) -> str:
    """A share of 0 to 1 as a percentage with one decimal; never 100% while something is missing."""
    if share is None:
        return "—"
    shown = (Decimal(share) * 100).quantize(Decimal("0.1"), ROUND_DOWN)
    return f"{shown.normalize():f}%"


def count_or_dash(number: int | None) -> str:
    """A count; a dash where it is not known."""
    return "—" if number is None else str(number)


ENVIRONMENT = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
ENVIRONMENT.globals["say"] = say
ENVIRONMENT.filters.update(moment=moment, percent=percent, count_or_dash=count_or_dash)
