"""Intake's pages for a ticket that exists: its status, additions, rating and withdrawal, and the request for its link.

Clients that do not accept HTML get the ticket as JSON.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError

from services.intake import sentences, views
from services.intake.additions import Additions
from services.intake.domain import AdditionGiven, RatingGiven, WithdrawalGiven, fingerprint
from services.intake.links import LINKS_A_DAY, LINKS_AN_HOUR, Links
from services.intake.pages import RETRY_SOON, field_sentences, with_fields, with_headers
from services.intake.responses import Ticket
from services.intake.submissions import Submissions
from services.intake.tickets import TOO_LATE, TicketErased, Tickets
from shared.contracts import ids
from shared.contracts.fields import is_blank
from shared.http.parameters import InquiryId, QueryCode, QueryCodeHeader
from shared.http.problems import Problem, answered, documented
from shared.http.rate_limit import client_of
from shared.runtime.languages import Lang
from shared.runtime.translations import translations
from shared.store.mongo import PyMongoError
from shared.web import layout
from shared.web.layout import Site, language

ROUND_DIGITS = 9
Typed = Mapping[str, Any]


@dataclass(frozen=True)
class TicketPages:
    submissions: Submissions
    tickets: Tickets
    additions: Additions
    links: Links
    site: Site

    @property
    def zone(self) -> ZoneInfo:
        return self.submissions.zone

    async def show(self, request: Request, inquiry_id: str, code: str) -> Response:
        """The ticket, or the form that asks for it with what is wrong."""
        lang = language(request)
        try:
            seen = await self.tickets.ticket(inquiry_id, code, lang)
        except Problem as problem:
            message = sentences.TOO_MANY_WRONG_CODES if problem.status == 429 else sentences.NO_SUCH_TICKET
            why = translations(lang).gettext(message)
            page = views.ask_status(lang, {"inquiry_id": inquiry_id}, why, problem.status, self.site)
            return with_headers(problem.headers, page)
        except PyMongoError:
            return self.unavailable(request)
        return views.status(lang, seen, code, self.zone, site=self.site)

    async def take_rating(self, request: Request, typed: Typed) -> Response:
        """Take a rating, then show the ticket again. A discontented rating without words comes back once to ask why."""
        lang = language(request)
        inquiry_id, code = opened(typed)
        try:
            seen = await self.tickets.ticket(inquiry_id, code)
            rateable = seen.reply is not None and seen.round not in seen.rated
            if rateable and asks_why(typed) and not typed.get("asked"):
                why = {"words": translations(lang).gettext(sentences.WHY)}
                return views.status(lang, seen, code, self.zone, why, typed, 422, self.site, asked=True)
            errors = await self._rate(request, inquiry_id, code, typed)
            if not errors:
                return await self.show(request, inquiry_id, code)
        except Problem:
            return await self.show(request, inquiry_id, code)
        except PyMongoError:
            return self.unavailable(request)
        asked = bool(typed.get("asked"))
        return views.status(lang, seen, code, self.zone, errors, typed, 422, self.site, asked=asked)

    async def _rate(self, request: Request, inquiry_id: str, code: str, typed: Typed) -> dict[str, str]:
        """Rate as the form says. Returns a sentence for each field that is wrong. Raises Problem 404, and PyMongoError."""
        lang = language(request)
        round_ = str(typed.get("round", ""))
        solved = {"true": True, "false": False}.get(str(typed.get("solved")))
        number = int(round_) if round_.isdecimal() and len(round_) <= ROUND_DIGITS else 0
        rating = {"round": number, "solved": solved, "satisfied": typed.get("satisfied")}
        try:
            given = RatingGiven.model_validate(rating | {"words": typed.get("words") or None})
            await self.tickets.rate(inquiry_id, code, given)
        except ValidationError as error:
            return field_sentences(error, lang)
        except Problem as problem:
            if problem.status != HTTPStatus.CONFLICT or isinstance(problem, TicketErased):
                raise
            return {"": translations(lang).gettext(sentences.NOT_RATEABLE)}
        return {}

    async def take_withdrawal(self, request: Request, typed: Typed) -> Response:
        """Ask whether to withdraw the message; when the form says yes, withdraw it and show the ticket again."""
        lang = language(request)
        inquiry_id, code = opened(typed)
        try:
            seen = await self.tickets.ticket(inquiry_id, code, lang)
            if seen.state in TOO_LATE:
                return await self.show(request, inquiry_id, code)
            if typed.get("act") != "withdraw":
                return views.withdrawal(lang, seen, code, {}, typed, site=self.site)
            errors = await self._withdraw(lang, inquiry_id, code, typed)
            if not errors:
                return await self.show(request, inquiry_id, code)
        except Problem:
            return await self.show(request, inquiry_id, code)
        except PyMongoError:
            return self.unavailable(request)
        return views.withdrawal(lang, seen, code, errors, typed, 422, self.site)

    async def _withdraw(self, lang: Lang, inquiry_id: str, code: str, typed: Typed) -> dict[str, str]:
        """Withdraw as the form says. Returns a sentence for each field that is wrong. Raises Problem 404, and PyMongoError."""
        try:
            given = WithdrawalGiven.model_validate({"why": typed.get("why") or None})
            await self.tickets.withdraw(inquiry_id, code, given)
        except ValidationError as error:
            return field_sentences(error, lang)
        except Problem as problem:
            if problem.status != HTTPStatus.CONFLICT or isinstance(problem, TicketErased):
                raise
            return {"": translations(lang).gettext(sentences.WITHDRAWN_BEFORE)}
        return {}

    async def take_addition(self, request: Request, typed: Typed) -> Response:
        """Take an addition, then show the ticket again. The same form sent twice makes one addition."""
        lang = language(request)
        inquiry_id, code = opened(typed)
        try:
            seen = await self.tickets.ticket(inquiry_id, code)
            errors = await self._add(request, inquiry_id, code, typed)
            if not errors:
                return await self.show(request, inquiry_id, code)
        except Problem:
            return await self.show(request, inquiry_id, code)
        except PyMongoError:
            return self.unavailable(request)
        return views.status(lang, seen, code, self.zone, errors, typed, 422, self.site)

    async def _add(self, request: Request, inquiry_id: str, code: str, typed: Typed) -> dict[str, str]:
        """Add what the form says. Returns a sentence for what is wrong. Raises Problem 404, and PyMongoError."""
        lang = language(request)
        try:
            given = AdditionGiven.model_validate({"text": typed.get("text", "")})
            key = ids.digest(f"{typed.get('key', '')}\n{fingerprint(given)}".encode())
            await self.additions.add(inquiry_id, code, given, f"form-{key}" if typed.get("key") else None)
        except ValidationError as error:
            return field_sentences(error, lang)
        except Problem as problem:
            if problem.status != HTTPStatus.CONFLICT:
                raise
            return {"": translations(lang).gettext(sentences.NOTHING_TO_ADD)}
        return {}

    async def request_link(self, request: Request, typed: Typed) -> Response:
        """Ask for the link to a ticket; the page is the same whether or not the ticket exists."""
        lang = language(request)
        number = str(typed.get("inquiry_id", ""))
        try:
            await self.links.request(number, client_of(request))
        except Problem as problem:
            message = sentences.TOO_MANY_LINKS if problem.status == 429 else sentences.NO_TICKET_NUMBER
            why = translations(lang).gettext(message)
            page = views.ask_link(lang, {"inquiry_id": number}, why, problem.status, self.site)
            return with_headers(problem.headers, page)
        except PyMongoError:
            return self.unavailable(request)
        return views.link_requested(lang, LINKS_AN_HOUR, LINKS_A_DAY, self.site)

    def unavailable(self, request: Request) -> Response:
        return with_headers(RETRY_SOON, views.private(layout.problem(language(request), 503, site=self.site)))


def asks_why(typed: Typed) -> bool:
    """Whether a form has a complete, discontented rating and no words."""
    solved, satisfied = typed.get("solved"), typed.get("satisfied")
    complete = solved in ("true", "false") and satisfied in ("yes", "mostly", "no")
    return complete and (solved == "false" or satisfied == "no") and is_blank(str(typed.get("words") or ""))


def opened(typed: Typed) -> tuple[str, str]:
    """The ticket number and the code in a form."""
    return str(typed.get("inquiry_id", "")), str(typed.get("code", ""))


def routes(submissions: Submissions, tickets: Tickets, links: Links, site: Site) -> APIRouter:
    """The ticket at `/status` and `/inquiries/{id}`, and the request for its link."""
    router, pages = APIRouter(), TicketPages(submissions, tickets, Additions(tickets), links, site)
    _form_routes(router, pages)
    _ticket_route(router, pages)
    return router


def _form_routes(router: APIRouter, pages: TicketPages) -> None:
    @router.get("/status", include_in_schema=False)
    async def ask(request: Request) -> Response:
        """The address `/status?ticket=…&code=…`, which mails contain, opens the ticket; reading it changes nothing."""
        given = request.query_params
        if given.get("ticket") and given.get("code"):
            return await pages.show(request, given["ticket"], given["code"])
        number = given.get("ticket") or given.get("inquiry_id") or ""
        return views.ask_status(language(request), {"inquiry_id": number}, site=pages.site)

    @router.post("/status", include_in_schema=False)
    async def look(request: Request) -> Response:
        return await with_fields(request, pages.site, lambda typed: pages.show(request, *opened(typed)))

    @router.get("/status/link", include_in_schema=False)
    async def ask_link(request: Request) -> Response:
        number = request.query_params.get("ticket") or ""
        return views.ask_link(language(request), {"inquiry_id": number}, site=pages.site)

    @router.post("/status/link", include_in_schema=False)
    async def request_link(request: Request) -> Response:
        return await with_fields(request, pages.site, lambda typed: pages.request_link(request, typed))

    @router.get("/status/addition", include_in_schema=False)
    @router.get("/status/rating", include_in_schema=False)
    async def reloaded(request: Request) -> Response:
        return RedirectResponse(f"/status?lang={language(request)}", 303)

    @router.post("/status/rating", include_in_schema=False)
    async def rate(request: Request) -> Response:
        return await with_fields(request, pages.site, lambda typed: pages.take_rating(request, typed))

    @router.post("/status/addition", include_in_schema=False)
    async def add(request: Request) -> Response:
        return await with_fields(request, pages.site, lambda typed: pages.take_addition(request, typed))

    router.add_api_route("/status/withdrawal", reloaded, methods=["GET"], include_in_schema=False)

    @router.post("/status/withdrawal", include_in_schema=False)
    async def withdraw(request: Request) -> Response:
        return await with_fields(request, pages.site, lambda typed: pages.take_withdrawal(request, typed))


def _ticket_route(router: APIRouter, pages: TicketPages) -> None:
    @router.get(
        "/inquiries/{inquiry_id}",
        tags=["residents"],
        summary="What became of a message",
        responses={**answered(Ticket, or_page=True), **documented(404, 422, 429, 503)},
    )
    async def ticket(
        inquiry_id: InquiryId,
        request: Request,
        x_query_code: QueryCodeHeader = None,
        code: QueryCode = None,
    ) -> Response:
        given = x_query_code or code
        if "text/html" in request.headers.get("accept", ""):
            if given is None:
                return views.ask_status(language(request), {"inquiry_id": inquiry_id}, site=pages.site)
            return await pages.show(request, inquiry_id, given)
        seen = await pages.tickets.ticket(inquiry_id, given, language(request))
        return Response(seen.model_dump_json(), media_type="application/json")
