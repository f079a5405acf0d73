"""The hall's pages: one function a page, plain values in, a response out."""

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse

from shared.runtime.languages import Lang
from shared.runtime.settings import DEFAULT_ZONE
from shared.web.layout import Site, templates

RENDER = templates(Path(__file__).parent / "templates")
HERE = Site(hall="")


def hall(
    lang: Lang,
    entries: Sequence[Mapping[str, Any]],
    next_after: str | None = None,
    zone: tzinfo = DEFAULT_ZONE,
    site: Site = HERE,
) -> HTMLResponse:
    """The list, each entry with `inquiry_id, subject, summary, answered_at, departments` (names).

    `next_after` opens the next page as `?after=`.
    """
    return RENDER("hall.html", lang, 200, site, "no-cache", entries=entries, next_after=next_after, zone=zone)


def hall_entry(lang: Lang, entry: Mapping[str, Any], zone: tzinfo = DEFAULT_ZONE, site: Site = HERE) -> HTMLResponse:
    """One answered inquiry: `inquiry_id, subject, body, paragraphs` of `name, text`, `answered_at`, perhaps `rating`
    of `solved, satisfied`."""
    return RENDER("hall_entry.html", lang, 200, site, "no-cache", entry=entry, zone=zone)
