"""Intake's pages as HTML: one function for each page."""

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any
from uuid import uuid4

from fastapi.responses import HTMLResponse

from services.intake.responses import Ticket
from services.intake.sentences import LINK_REQUESTED, labels
from services.intake.tickets import TOO_LATE
from shared.runtime import timestamps
from shared.runtime.languages import Lang
from shared.runtime.settings import DEFAULT_ZONE
from shared.runtime.timestamps import from_text
from shared.runtime.translations import translations
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


SENT_AGAIN = ("key", "subject", "body", "area", "name", "phone", "email", "public", "confidential")


def preview(lang: Lang, subject: str, body: str, values: Values, published: bool, site: Site = HERE) -> HTMLResponse:
    """A message as the public would see it; the form goes along unseen, to be sent or changed."""
    return RENDER(
        "preview.html",
        lang,
        200,
        site,
        "no-store",
        subject=subject,
        body=body,
        hidden=[
            *((name, values[name]) for name in SENT_AGAIN if values.get(name)),
            *(("departments", code) for code in values.get("departments") or []),
        ],
        published=published,
    )


def thank_you(lang: Lang, inquiry_id: str, query_code: str, status: int = 202, site: Site = HERE) -> HTMLResponse:
    """The ticket number and the query code, and the link with both; no other page shows the code."""
    return RENDER("thank_you.html", lang, status, site, "no-store", inquiry_id=inquiry_id, query_code=query_code)


def private(page: HTMLResponse) -> HTMLResponse:
    """The page with headers that keep its address, which may contain a query code, from other sites and from indexes."""
    page.headers["X-Robots-Tag"] = "noindex"
    return page


def ask_status(
    lang: Lang, values: Values, error: str | None = None, status: int = 200, site: Site = HERE
) -> HTMLResponse:
    """The form for ticket number and code. It is sent as POST, so that the code is in no address and no log."""
    return private(RENDER("ask_status.html", lang, status, site, "no-store", values=values, error=error))


def ask_link(
    lang: Lang, values: Values, error: str | None = None, status: int = 200, site: Site = HERE
) -> HTMLResponse:
    """The form for the number of a ticket whose link the resident has lost."""
    return private(RENDER("ask_link.html", lang, status, site, "no-store", values=values, error=error))


def link_requested(lang: Lang, an_hour: int, a_day: int, site: Site = HERE) -> HTMLResponse:
    """The answer to that form, the same for every ticket number. It tells how often a link can be requested."""
    said = translations(lang).gettext(LINK_REQUESTED)
    page = RENDER("link_requested.html", lang, 202, site, "no-store", said=said, an_hour=an_hour, a_day=a_day)
    return private(page)


def withdrawal(
    lang: Lang,
    ticket: Ticket,
    code: str,
    errors: Mapping[str, str],
    values: Values,
    status: int = 200,
    site: Site = HERE,
) -> HTMLResponse:
    """The question whether to withdraw the message, with a field for the reason."""
    content = {"ticket": ticket, "code": code, "errors": errors, "values": values}
    return private(RENDER("withdrawal.html", lang, status, site, "no-store", **content))


def status(
    lang: Lang,
    ticket: Ticket,
    code: str,
    zone: tzinfo = DEFAULT_ZONE,
    errors: Mapping[str, str] | None = None,
    values: Values | None = None,
    status: int = 200,
    site: Site = HERE,
    now: datetime | None = None,
    asked: bool = False,
) -> HTMLResponse:
    """The ticket that `GET /inquiries/{id}` returns as JSON.

    `errors` and `values` belong to a rating that was not accepted (`solved`, `satisfied`, `words`) or that comes back to
    ask why (`asked`), or to an addition that was not accepted (`text`, `key`). `now` tells whether the answer is late; it
    is the current time unless given.
    """
    due_at = from_text(ticket.answer_due_at) if ticket.answer_due_at else None
    page = RENDER(
        "status.html",
        lang,
        status,
        site,
        "no-store",
        ticket=ticket,
        code=code,
        zone=zone,
        late=due_at is not None and due_at < (now or timestamps.now()),
        can_be_withdrawn=ticket.state not in TOO_LATE,
        rating=next((one for one in ticket.ratings if one.round == ticket.round), None),
        errors=errors or {},
        values={"key": str(uuid4()), **(values or {})},
        asked=asked,
    )
    return private(page)
