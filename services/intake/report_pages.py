"""The page on which a reader of the hall reports an entry. It works without scripts."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import ValidationError

from services.intake import sentences
from services.intake.pages import RETRY_SOON, with_fields, with_headers
from services.intake.reports import ReportGiven, Reports
from services.intake.views import RENDER
from shared.contracts import ids
from shared.contracts.limits import REPORT_MAX
from shared.http.problems import Problem
from shared.http.rate_limit import client_of
from shared.runtime.languages import Lang
from shared.runtime.translations import translations
from shared.store.mongo import PyMongoError
from shared.web import layout
from shared.web.layout import Site, language

KEY_MAX = 64


def routes(reports: Reports, site: Site) -> APIRouter:
    """The form at `/report?ticket=…`, to which each entry of the hall links."""
    router = APIRouter()

    @router.get("/report", include_in_schema=False)
    async def ask(request: Request) -> Response:
        inquiry_id = ids.typed_inquiry_id(request.query_params.get("ticket") or "")
        if inquiry_id is None:
            return layout.problem(language(request), 404, site=site)
        return form(language(request), inquiry_id, {}, None, 200, site)

    @router.post("/report", include_in_schema=False)
    async def report(request: Request) -> Response:
        return await with_fields(request, site, lambda typed: take(reports, request, typed, site))

    return router


async def take(reports: Reports, request: Request, typed: Mapping[str, Any], site: Site) -> Response:
    """Take a report. The page is the same whether or not the hall has the entry."""
    lang = language(request)
    inquiry_id = ids.typed_inquiry_id(str(typed.get("inquiry_id", "")))
    if inquiry_id is None:
        return layout.problem(lang, 404, site=site)
    try:
        given = ReportGiven.model_validate({"words": typed.get("words")})
        key = str(typed.get("key") or uuid4())[:KEY_MAX]
        await reports.receive(inquiry_id, given, f"form-{key}", client_of(request))
    except ValidationError:
        return form(lang, inquiry_id, typed, sentences.REPORT_TOO_LONG, 422, site)
    except Problem as problem:
        page = form(lang, inquiry_id, typed, sentences.TOO_MANY_REPORTS, problem.status, site)
        return with_headers(problem.headers, page)
    except PyMongoError:
        return with_headers(RETRY_SOON, form(lang, inquiry_id, typed, sentences.REPORT_UNAVAILABLE, 503, site))
    return RENDER("reported.html", lang, 202, site, "no-store", said=translations(lang).gettext(sentences.REPORTED))


def form(
    lang: Lang, inquiry_id: str, typed: Mapping[str, Any], error: str | None, status: int, site: Site
) -> HTMLResponse:
    """The form. The hidden key stays the same, so that the same form sent twice makes one report."""
    values = {"key": str(uuid4()), **typed}
    why = translations(lang).gettext(error) if error else None
    return RENDER(
        "report.html",
        lang,
        status,
        site,
        "no-store",
        inquiry_id=inquiry_id,
        values=values,
        error=why,
        most=REPORT_MAX,
    )
