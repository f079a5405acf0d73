"""Intake's pages: the form, the ticket and its rating. Clients that do not accept HTML get the ticket as JSON."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError

from services.intake import sentences, views
from services.intake.domain import RatingGiven, Submission, fingerprint
from services.intake.responses import Ticket
from services.intake.submissions import Submissions
from services.intake.tickets import Tickets
from shared.contracts import ids
from shared.http.parameters import InquiryId, QueryCode, QueryCodeHeader
from shared.http.problems import Problem, answered, documented
from shared.http.rate_limit import client_of
from shared.http.request_body import limited_body
from shared.runtime.languages import Lang
from shared.runtime.translations import translations
from shared.store.mongo import PyMongoError
from shared.web import layout
from shared.web.layout import Site, language

LISTS = ("departments",)
FIELDS_MAX = 200
RETRY_SOON = {"Retry-After": "5"}
ROUND_DIGITS = 9
REFUSALS = {
    409: sentences.BEING_SAVED,
    422: sentences.DEPARTMENT_UNAVAILABLE,
    429: sentences.TOO_MANY_MESSAGES,
}
"""Why a message could not be taken, by status."""


def routes(submissions: Submissions, tickets: Tickets, site: Site) -> APIRouter:
    """The form at `/`, the ticket at `/status` and `/inquiries/{id}`."""
    router = APIRouter()

    @router.get("/", include_in_schema=False)
    async def form(request: Request) -> Response:
        lang = language(request)
        return views.write_in(lang, {}, {}, departments(submissions, lang), site=site)

    @router.post("/", include_in_schema=False)
    async def write(request: Request) -> Response:
        return await with_fields(request, site, lambda typed: take_message(submissions, request, typed, site))

    @router.get("/status", include_in_schema=False)
    async def ask(request: Request) -> Response:
        return views.ask_status(language(request), dict(request.query_params), site=site)

    @router.post("/status", include_in_schema=False)
    async def look(request: Request) -> Response:
        async def found(typed: Mapping[str, Any]) -> Response:
            return await ticket_page(
                submissions,
                tickets,
                request,
                str(typed.get("inquiry_id", "")).strip(),
                str(typed.get("code", "")),
                site,
            )

        return await with_fields(request, site, found)

    @router.get("/status/rating", include_in_schema=False)
    async def reloaded() -> Response:
        return RedirectResponse("/status", 303)

    @router.post("/status/rating", include_in_schema=False)
    async def rate(request: Request) -> Response:
        return await with_fields(request, site, lambda typed: take_rating(submissions, tickets, request, typed, site))

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
                return views.ask_status(language(request), {"inquiry_id": inquiry_id}, site=site)
            return await ticket_page(submissions, tickets, request, inquiry_id, given, site)
        seen = await tickets.ticket(inquiry_id, given)
        return Response(seen.model_dump_json(), media_type="application/json")

    return router


# ── the form ─────────────────────────────────────────────────────────────────


async def with_fields(
    request: Request, site: Site, act: Callable[[Mapping[str, Any]], Awaitable[Response]]
) -> Response:
    """Act on the fields of the form. For a form that cannot be read the answer is a page, not JSON."""
    try:
        typed = await fields(request)
    except Problem as problem:
        return with_headers(problem.headers, layout.problem(language(request), problem.status, site=site))
    return await act(typed)


async def fields(request: Request) -> dict[str, Any]:
    """The fields of a form, with line breaks as LF. Raises Problem 408, 413 or 422."""
    body = (await limited_body(request)).decode(errors="replace")
    try:
        sent = parse_qs(body, keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except ValueError as error:
        raise Problem(422, f"The form has more than {FIELDS_MAX} fields; send the form as it is served.") from error
    texts = {name: [value.replace("\r\n", "\n") for value in values] for name, values in sent.items()}
    return {name: values if name in LISTS else values[-1] for name, values in texts.items()}


async def take_message(submissions: Submissions, request: Request, typed: Mapping[str, Any], site: Site) -> Response:
    """Take a message. If fields are wrong, the form comes back with all values and a sentence beside each wrong field.

    The idempotency key is made from the form's key and its values: the same form sent twice makes one ticket, an edited
    one makes another.
    """
    lang = language(request)
    try:
        submissions.admit(client_of(request))
        given = submission(typed, lang)
        key = ids.digest(f"{typed.get('key', '')}\n{fingerprint(given)}".encode())
        receipt, _ = await submissions.receive(given, None, f"form-{key}" if typed.get("key") else None, trusted=False)
    except ValidationError as error:
        problems = field_sentences(error, lang)
        return views.write_in(lang, typed, problems, departments(submissions, lang), 422, site)
    except Problem as problem:
        why = translations(lang).gettext(REFUSALS[problem.status])
        page = views.write_in(lang, typed, {"": why}, departments(submissions, lang), problem.status, site)
        return with_headers(problem.headers, page)
    except PyMongoError:
        why = translations(lang).gettext(sentences.UNAVAILABLE)
        page = views.write_in(lang, typed, {"": why}, departments(submissions, lang), 503, site)
        return with_headers(RETRY_SOON, page)
    return views.thank_you(lang, receipt.inquiry_id, receipt.query_code, receipt.status_url, site=site)


def with_headers(headers: Mapping[str, str] | None, page: Response) -> Response:
    """The page with the headers that the JSON answer has, such as `Retry-After`."""
    page.headers.update(headers or {})
    return page


def submission(typed: Mapping[str, Any], lang: Lang) -> Submission:
    """The form's fields as a message; raises ValidationError."""
    contact = {name: typed.get(name) for name in ("name", "phone", "email") if typed.get(name)}
    return Submission.model_validate(
        {
            "subject": typed.get("subject", ""),
            "body": typed.get("body", ""),
            "channel": "web",
            "area": typed.get("area") or None,
            "contact": contact or None,
            "departments": typed.get("departments", []),
            "public": typed.get("public") == "true",
            "confidential": typed.get("confidential") == "true",
            "language": lang,
        }
    )


def departments(submissions: Submissions, lang: Lang) -> list[tuple[str, str]]:
    """Code and name of every department that a resident may choose."""
    city = submissions.city.city
    return [(one.code, one.name.en if lang == "en" else one.name.zh) for one in city.active] if city else []


def field_of(location: Sequence[str | int]) -> str:
    """The form's name of a field: the form has `email` for `contact.email`."""
    return str(location[1] if location[0] == "contact" and len(location) > 1 else location[0])


def field_sentences(error: ValidationError, lang: Lang) -> dict[str, str]:
    """A sentence for each field of a form that is wrong."""
    wrong = [(field_of(one["loc"]), one) for one in error.errors(include_url=False)]
    return {field: sentences.field_sentence(field, one, lang) for field, one in wrong}


# ── ticket and rating ────────────────────────────────────────────────────────


async def ticket_page(
    submissions: Submissions, tickets: Tickets, request: Request, inquiry_id: str, code: str, site: Site
) -> Response:
    """The ticket, or the form that asks for it with what is wrong."""
    lang = language(request)
    try:
        seen = await tickets.ticket(inquiry_id.upper(), code)
    except Problem as problem:
        message = sentences.TOO_MANY_WRONG_CODES if problem.status == 429 else sentences.NO_SUCH_TICKET
        why = translations(lang).gettext(message)
        page = views.ask_status(lang, {"inquiry_id": inquiry_id}, why, problem.status, site)
        return with_headers(problem.headers, page)
    except PyMongoError:
        return with_headers(RETRY_SOON, layout.problem(lang, 503, site=site))
    return views.status(lang, seen, code, submissions.zone, seen.round in seen.rated, site=site)


async def take_rating(
    submissions: Submissions, tickets: Tickets, request: Request, typed: Mapping[str, Any], site: Site
) -> Response:
    """Take a rating, then show the ticket again."""
    lang = language(request)
    inquiry_id, code = str(typed.get("inquiry_id", "")), str(typed.get("code", ""))
    try:
        seen = await tickets.ticket(inquiry_id, code)
    except Problem:
        return await ticket_page(submissions, tickets, request, inquiry_id, code, site)
    except PyMongoError:
        return with_headers(RETRY_SOON, layout.problem(lang, 503, site=site))
    round_ = str(typed.get("round", ""))
    solved = {"true": True, "false": False}.get(str(typed.get("solved")))
    number = int(round_) if round_.isdecimal() and len(round_) <= ROUND_DIGITS else 0
    rating = {"round": number, "solved": solved, "satisfied": typed.get("satisfied")}
    errors: dict[str, str] = {}
    try:
        given = RatingGiven.model_validate(rating | {"words": typed.get("words") or None})
        await tickets.rate(inquiry_id, code, given)
    except ValidationError as error:
        errors = field_sentences(error, lang)
    except Problem:
        errors = {"": translations(lang).gettext(sentences.NOT_RATEABLE)}
    except PyMongoError:
        return with_headers(RETRY_SOON, layout.problem(lang, 503, site=site))
    zone = submissions.zone
    return views.status(lang, seen, code, zone, not errors, errors, typed, 422 if errors else 200, site)
