"""The frame of every page: language, templates, security headers.

No page loads anything from other hosts, and only `/docs` has a script. Every value is escaped, and residents' texts are
isolated, so that their direction and line breaks do not affect the page around them.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from typing import Any

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal, format_percent
from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from shared.city import City
from shared.http.security_headers import EVERY_ANSWER
from shared.runtime.languages import LANGUAGES, Lang, language_of
from shared.runtime.timestamps import from_text
from shared.runtime.translations import LOCALES, date_and_time, translations, zone_name
from shared.web.text import TAGS, isolated, language_tag, without_bidi_controls

TEMPLATES = Path(__file__).parent / "templates"
SECURITY = {
    **EVERY_ANSWER,
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Vary": "Accept-Language",
}
UNKNOWN = "—"
DIALLED = re.compile(r"[^0-9+]")
Render = Callable[..., HTMLResponse]


def no_city() -> City | None:
    """Before any city has been applied."""
    return None


@dataclass(frozen=True, slots=True)
class Site:
    """What all pages show: the addresses of the main pages, and the city in force.

    An address is without a trailing slash: "" for this service, None when unknown.
    """

    intake: str | None = None
    hall: str | None = None
    scoreboard: str | None = None
    city: Callable[[], City | None] = no_city


@dataclass(frozen=True, slots=True)
class PageLanguage:
    """A language as pages name it: code in `?lang=`, tag in HTML, name in the language itself."""

    code: Lang
    tag: str
    name: str


PAGE_LANGUAGES: Mapping[Lang, PageLanguage] = {
    "zh": PageLanguage("zh", TAGS["zh"], Locale("zh").get_language_name() or "zh"),
    "en": PageLanguage("en", TAGS["en"], Locale("en").get_language_name() or "en"),
}
OTHER: Mapping[Lang, Lang] = {"zh": "en", "en": "zh"}


def language(request: Request) -> Lang:
    """The reader's language: `?lang=` if it is `zh` or `en`, otherwise the browser's preference, otherwise Chinese."""
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
    environments = {lang: _environment(folders, lang) for lang in LANGUAGES}

    def render(template: str, lang: Lang, code: int, site: Site, caching: str, /, **values: Any) -> HTMLResponse:
        content = environments[lang].get_template(template).render(site=site, city=site.city(), **values)
        headers = {**SECURITY, "Cache-Control": caching, "Content-Language": PAGE_LANGUAGES[lang].tag}
        return HTMLResponse(content, code, headers=headers)

    return render


def _environment(folders: Sequence[Path], lang: Lang) -> Environment:
    """Templates in one language: its texts, its dates and its numbers."""
    environment = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(translations(lang), newstyle=True)  # type: ignore[attr-defined]
    environment.globals.update(
        lang=lang, page_language=PAGE_LANGUAGES[lang], other_language=PAGE_LANGUAGES[OTHER[lang]]
    )
    locale = LOCALES[lang]
    environment.filters.update(
        moment=moment,
        isolated=isolated,
        without_bidi_controls=without_bidi_controls,
        language_tag=language_tag,
        dialled=lambda number: DIALLED.sub("", number),
        date=lambda at: format_date(at, "long", locale),
        date_and_time=lambda at, zone: date_and_time(at, zone, lang),
        zone_name=lambda zone: zone_name(zone, lang),
        number=lambda count: UNKNOWN if count is None else format_decimal(count, locale=locale),
        percent=lambda share: percent(share, lang),
    )
    return environment


def moment(value: datetime | str | None, zone: tzinfo) -> datetime | None:
    """A point in time in the city's time zone; a bare day is its first moment there."""
    if not value:
        return None
    if isinstance(value, str):
        value = from_text(value) if "T" in value else datetime.fromisoformat(value).replace(tzinfo=zone)
    return value.astimezone(zone)


def percent(share: Decimal | str | None, lang: Lang) -> str:
    """A share of 0 to 1 as a percentage with one decimal, rounded down: 100% means all."""
    if share is None:
        return UNKNOWN
    return format_percent(Decimal(share).quantize(Decimal("0.001"), ROUND_DOWN), "0.#%", LOCALES[lang])


RENDER = templates()


def problem(
    lang: Lang, status: int, detail: str | None = None, site: Site | None = None, reading: bool = False
) -> HTMLResponse:
    """The page for an error; `detail` is shown as it is. `reading`: nothing was sent, so the address may be opened again."""
    values = {"status": status, "detail": detail, "reading": reading}
    return RENDER("problem.html", lang, status, site or Site(), "no-store", **values)
