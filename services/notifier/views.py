"""The hall's pages as HTML: one function for each page."""

from collections.abc import Sequence
from datetime import tzinfo
from pathlib import Path

from fastapi.responses import HTMLResponse

from services.notifier.domain.hall import HallEntry
from shared.runtime.languages import Lang
from shared.runtime.settings import DEFAULT_ZONE
from shared.web.layout import Site, templates

RENDER = templates(Path(__file__).parent / "templates")
HERE = Site(hall="")


def hall(
    lang: Lang,
    entries: Sequence[HallEntry],
    next_after: str | None = None,
    zone: tzinfo = DEFAULT_ZONE,
    site: Site = HERE,
) -> HTMLResponse:
    """The list; `next_after` opens the next page as `?after=`."""
    return RENDER("hall.html", lang, 200, site, "no-cache", entries=entries, next_after=next_after, zone=zone)


def hall_entry(lang: Lang, entry: HallEntry, zone: tzinfo = DEFAULT_ZONE, site: Site = HERE) -> HTMLResponse:
    """One answered inquiry."""
    return RENDER("hall_entry.html", lang, 200, site, "no-cache", entry=entry, zone=zone)


def mail_page(name: str, lang: Lang, token: str, known: bool, done: bool, site: Site = HERE) -> HTMLResponse:
    """The page behind a link in a mail, `confirm` or `stop`; 404 when the token is not `known`. `done`: it is in effect."""
    template = f"mail_{name}.html"
    return RENDER(template, lang, 200 if known else 404, site, "no-store", token=token, known=known, done=done)
