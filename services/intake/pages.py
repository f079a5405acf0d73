"""Intake's pages for people: the form, the ticket and the rating; and the ticket as JSON for whoever asks for that."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError

from services.intake import views
from services.intake.domain import RatingGiven, Submission, fingerprint
from services.intake.previews import previewed
from services.intake.responses import Ticket
from services.intake.sentences import AWAY, CHINESE, CHOOSE, GUESSED, IN_FLIGHT, RATED, TOO_OFTEN, UNKNOWN, UNMASKED
from services.intake.submissions import Submissions
from services.intake.tickets import Tickets
from shared.contracts import ids
from shared.http.parameters import InquiryId, QueryCode, QueryCodeHeader
from shared.http.problems import Problem, answered, documented, name_of, sentence
from shared.http.rate_limit import client_of
from shared.http.request_body import limited_body
from shared.masking.worker import Masker, MaskingUnavailable
from shared.runtime.languages import Lang
from shared.store.mongo import PyMongoError
from shared.web import layout
from shared.web.layout import Site, language

LISTS = ("departments",)
FIELDS_MAX = 200
SOON = {"Retry-After": "5"}
ROUND_DIGITS = 9


def routes(submissions: Submissions, tickets: Tickets, masker: Masker, site: Site) -> APIRouter:
    """The form at `/`, the ticket at `/status` and `/inquiries/{id}`."""
    router = APIRouter()

    @router.get("/", include_in_schema=False)
    async def form(request: Request) -> Response:
        lang = language(request)
        return views.write_in(lang, {}, {}, departments(submissions, lang), site=site)

    @router.post("/", include_in_schema=False)
    async def write(request: Request) -> Response:
        return await with_fields(request, site, lambda typed: written(submissions, masker, request, typed, site))

    @router.get("/status", include_in_schema=False)
    async def ask(request: Request) -> Response:
        return views.ask_status(language(request), dict(request.query_params), site=site)

    @router.post("/status", include_in_schema=False)
    async def look(request: Request) -> Response:
        async def found(typed: Mapping[str, Any]) -> Response:
            return await shown(
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
        return await with_fields(request, site, lambda typed: rated(submissions, tickets, request, typed, site))

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
            return await shown(submissions, tickets, request, inquiry_id, given, site)
        seen = await tickets.ticket(inquiry_id, given)
        return Response(seen.model_dump_json(), media_type="application/json")

    return router


# ── writing in ───────────────────────────────────────────────────────────────


async def with_fields(
    request: Request, site: Site, act: Callable[[Mapping[str, Any]], Awaitable[Response]]
) -> Response:
    """Go on with what the form sent; a form that could not be read is told on a page, not in JSON."""
    try:
        typed = await fields(request)
    except Problem as problem:
        return after(problem.headers, layout.problem(language(request), problem.status, site=site))
    return await act(typed)


async def fields(request: Request) -> dict[str, Any]:
    """What a form sent, line breaks as people mean them. Raises Problem 408, 413 or 422."""
    body = (await limited_body(request)).decode(errors="replace")
    try:
        sent = parse_qs(body, keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except ValueError as error:
        raise Problem(422, f"The form has more than {FIELDS_MAX} fields; send the form that is shown.") from error
    texts = {name: [value.replace("\r\n", "\n") for value in values] for name, values in sent.items()}
    return {name: values if name in LISTS else values[-1] for name, values in texts.items()}


async def written(
    submissions: Submissions, masker: Masker, request: Request, typed: Mapping[str, Any], site: Site
) -> Response:
    """Take what the form sent, or show its public version; nothing typed is lost, what is wrong stands beside the fields.

    The key belongs to the form and to what was typed: sent twice it is one ticket, edited and sent again it is another.
    """
    lang = language(request)
    if typed.get("act") == "change":
        return views.write_in(lang, typed, {}, departments(submissions, lang), site=site)
    try:
        if typed.get("act") == "preview":
            submissions.admit_preview(client_of(request))
            return await previewed(masker, submissions.city.city, submission(typed, lang), typed, lang, site)
        submissions.admit(client_of(request))
        given = submission(typed, lang)
        key = ids.digest(f"{typed.get('key', '')}\n{fingerprint(given)}".encode())
        receipt, _ = await submissions.receive(given, None, f"form-{key}" if typed.get("key") else None, trusted=False)
    except ValidationError as error:
        problems = {field_of(one["loc"]): words(one, lang) for one in error.errors(include_url=False)}
        return views.write_in(lang, typed, problems, departments(submissions, lang), 422, site)
    except Problem as problem:
        said = {429: TOO_OFTEN, 409: IN_FLIGHT, 422: CHOOSE}[problem.status][lang]
        page = views.write_in(lang, typed, {"": said}, departments(submissions, lang), problem.status, site)
        return after(problem.headers, page)
    except (MaskingUnavailable, PyMongoError) as error:
        said = (UNMASKED if isinstance(error, MaskingUnavailable) else AWAY)[lang]
        return after(SOON, views.write_in(lang, typed, {"": said}, departments(submissions, lang), 503, site))
    return views.thank_you(lang, receipt.inquiry_id, receipt.query_code, receipt.status_url, site=site)


def after(headers: Mapping[str, str] | None, page: Response) -> Response:
    """The page with these headers too, as whoever asks in JSON would get them."""
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
    """What a writer may choose from."""
    city = submissions.city.city
    return [(one.code, one.name.en if lang == "en" else one.name.zh) for one in city.active] if city else []


def field_of(location: Sequence[str | int]) -> str:
    """The form's name of a field: `contact.email` is simply `email` there."""
    return str(location[1] if location[0] == "contact" and len(location) > 1 else location[0])


def words(error: Mapping[str, Any], lang: Lang) -> str:
    """What is wrong with a field, in the reader's language."""
    return in_chinese(error) if lang == "zh" else f"{name_of(error['loc'])} {sentence(error)}"


def in_chinese(error: Mapping[str, Any]) -> str:
    """One of the errors that a form can make, in Chinese."""
    context = error.get("ctx") or {}
    match error["type"]:
        case "missing" | "string_too_short":
            return "必填，请填写。"
        case "string_too_long":
            return f"共 {len(str(error['input']))} 字，最多 {context['max_length']} 字。"
        case "too_long":
            return f"选了 {context['actual_length']} 个，最多 {context['max_length']} 个。"
        case "value_error":
            said = str(context["error"])
            return next((chinese for start, chinese in CHINESE.items() if said.startswith(start)), said)
        case _:
            return "请从所列选项中选择。"


# ── looking and rating ───────────────────────────────────────────────────────


async def shown(
    submissions: Submissions, tickets: Tickets, request: Request, inquiry_id: str, code: str, site: Site
) -> Response:
    """The ticket, or the question for it with what is wrong."""
    lang = language(request)
    try:
        seen = await tickets.ticket(inquiry_id.upper(), code)
    except Problem as problem:
        said = {404: UNKNOWN, 429: GUESSED}[problem.status][lang]
        return after(problem.headers, views.ask_status(lang, {"inquiry_id": inquiry_id}, said, problem.status, site))
    except PyMongoError:
        return after(SOON, layout.problem(lang, 503, site=site))
    return views.status(lang, seen, code, submissions.zone, seen.round in seen.rated, site=site)


async def rated(
    submissions: Submissions, tickets: Tickets, request: Request, typed: Mapping[str, Any], site: Site
) -> Response:
    """Take the rating of the form, then show the ticket again."""
    lang = language(request)
    inquiry_id, code = str(typed.get("inquiry_id", "")), str(typed.get("code", ""))
    try:
        seen = await tickets.ticket(inquiry_id, code)
    except Problem:
        return await shown(submissions, tickets, request, inquiry_id, code, site)
    except PyMongoError:
        return after(SOON, layout.problem(lang, 503, site=site))
    round_ = str(typed.get("round", ""))
    solved = {"true": True, "false": False}.get(str(typed.get("solved")))
    number = int(round_) if round_.isdecimal() and len(round_) <= ROUND_DIGITS else 0
    rating = {"round": number, "solved": solved, "satisfied": typed.get("satisfied")}
    errors: dict[str, str] = {}
    try:
        given = RatingGiven.model_validate(rating | {"words": typed.get("words") or None})
        await tickets.rate(inquiry_id, code, given)
    except ValidationError as error:
        errors = {str(one["loc"][0]): words(one, lang) for one in error.errors(include_url=False)}
    except Problem:
        errors = {"": RATED[lang]}
    except PyMongoError:
        return after(SOON, layout.problem(lang, 503, site=site))
    zone = submissions.zone
    return views.status(lang, seen, code, zone, not errors, errors, typed, 422 if errors else 200, site)
