"""Intake's pages as HTML: one function for each page."""

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import Any
from uuid import uuid4

from fastapi.responses import HTMLResponse

from services.intake.responses import Ticket
from services.intake.sentences import labels
from shared.runtime.languages import Lang
from shared.runtime.settings import DEFAULT_ZONE
from shared.web.layout import Site, templates

Values = Mapping[str, Any]
Departments = Sequence[tuple[str, str]]
RENDER = templates(Path(__file__).parent / "templates")
HERE = Site(intake="")


def write_in(
    lang: Lang,
    values: Values,
    errors: Mapping[str, str],
    departments: Departments,
    status: int = 200,
    site: Site = HERE,
) -> HTMLResponse:
    """The form. `values` is what was typed before (`departments`: codes); `errors` maps a field, or "", to a sentence.

    The hidden `key` stays the same when `values` has one, so that the same form sent twice makes one ticket. Check
    boxes send `true`; browsers send line breaks as CRLF.
    """
    return RENDER(
        "write_in.html",
        lang,
        status,
        site,
        "no-store",
        labels=labels(lang),
        values={"key": str(uuid4()), **values},
        errors=errors,
        departments=departments,
    )


def thank_you(
    lang: Lang, inquiry_id: str, query_code: str, status_url: str, status: int = 202, site: Site = HERE
) -> HTMLResponse:
    """The ticket number and the query code; no other page shows the code."""
    return RENDER(
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
    lang: Lang, values: Values, error: str | None = None, status: int = 200, site: Site = HERE
) -> HTMLResponse:
    """The form for ticket number and code. It is sent as POST, so that the code is in no address and no log."""
    return RENDER("ask_status.html", lang, status, site, "no-store", values=values, error=error)


def status(
    lang: Lang,
    ticket: Ticket,
    code: str,
    zone: tzinfo = DEFAULT_ZONE,
    rated: bool = False,
    errors: Mapping[str, str] | None = None,
    values: Values | None = None,
    status: int = 200,
    site: Site = HERE,
) -> HTMLResponse:
    """The ticket that `GET /inquiries/{id}` returns as JSON. `rated`: the resident has rated this round.

    `errors` and `values` belong to a rating that was not accepted (`solved`, `satisfied`, `words`).
    """
    return RENDER(
        "status.html",
        lang,
        status,
        site,
        "no-store",
        ticket=ticket,
        code=code,
        zone=zone,
        rated=rated,
        errors=errors or {},
        values=values or {},
    )
