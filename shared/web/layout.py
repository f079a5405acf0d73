"""The frame of every page: language, templates, security headers. No page loads anything from elsewhere, and none but
`/docs` has a script.

Every value is escaped, and people's words are isolated, so that their direction and line breaks stay theirs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from shared.http.security_headers import EVERY_ANSWER
from shared.runtime.languages import Lang, language_of
from shared.runtime.timestamps import from_text

TEMPLATES = Path(__file__).parent / "templates"
SECURITY = {
    **EVERY_ANSWER,
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Vary": "Accept-Language",
}
TAGS: Mapping[Lang, str] = {"zh": "zh-CN", "en": "en"}
Render = Callable[..., HTMLResponse]


@dataclass(frozen=True, slots=True)
class Site:
    """Where the pages are: base addresses without a trailing slash, "" for this very service, None when unknown."""

    intake: str | None = None
    hall: str | None = None
    scoreboard: str | None = None


def language(request: Request) -> Lang:
    """The reader's language: `?lang=` if it names one of ours, else the browser's choice among ours, else Chinese."""
    match request.query_params.get("lang"):
        case "zh":
            return "zh"
        case "en":
            return "en"
    return language_of(request.headers.get("accept-language"))


def templates(folder: Path | None = None) -> Render:
    """A function that renders a template of this folder, or one of the shared ones, as a response.

    Its arguments: the template's name, language, status code, site, `Cache-Control`, and the template's values.
    """
    folders = [TEMPLATES] if folder is None else [folder, TEMPLATES]
    environment = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["say"] = say
    environment.filters.update(moment=moment, percent=percent, count_or_dash=count_or_dash)

    def render(template: str, lang: Lang, code: int, site: Site, caching: str, /, **values: Any) -> HTMLResponse:
        content = environment.get_template(template).render(lang=lang, tag=TAGS[lang], site=site, **values)
        headers = {**SECURITY, "Cache-Control": caching, "Content-Language": TAGS[lang]}
        return HTMLResponse(content, code, headers=headers)

    return render


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


RENDER = templates()


def problem(lang: Lang, status: int, detail: str | None = None, site: Site | None = None) -> HTMLResponse:
    """An error in words; `detail` is added as it is."""
    return RENDER("problem.html", lang, status, site or Site(), "no-store", status=status, detail=detail)
