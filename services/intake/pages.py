"""Intake's form, and what all of its forms share. `ticket_pages.py` has the pages of a ticket."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import ValidationError

from services.intake import sentences, views
from services.intake.domain import Submission, fingerprint
from services.intake.previews import previewed
from services.intake.submissions import SentBefore, Submissions
from shared.contracts import ids
from shared.http.problems import Problem
from shared.http.rate_limit import client_of
from shared.http.request_body import limited_body
from shared.masking.worker import Masker, MaskingUnavailable
from shared.runtime.languages import Lang
from shared.runtime.translations import translations
from shared.store.mongo import PyMongoError
from shared.web import layout
from shared.web.layout import Site, language

LISTS = ("departments",)
FIELDS_MAX = 200
RETRY_SOON = {"Retry-After": "5"}
REFUSALS = {
    409: sentences.BEING_SAVED,
    422: sentences.DEPARTMENT_UNAVAILABLE,
    429: sentences.TOO_MANY_MESSAGES,
}
"""Why a message could not be taken, by status."""


def routes(submissions: Submissions, masker: Masker, site: Site) -> APIRouter:
    """The form at `/`."""
    router = APIRouter()

    @router.get("/", include_in_schema=False)
    async def form(request: Request) -> Response:
        lang = language(request)
        return views.write_in(lang, {}, {}, departments(submissions, lang), site=site)

    @router.post("/", include_in_schema=False)
    async def write(request: Request) -> Response:
        return await with_fields(request, site, lambda typed: take_form(submissions, masker, request, typed, site))

    return router


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


async def take_form(
    submissions: Submissions, masker: Masker, request: Request, typed: Mapping[str, Any], site: Site
) -> Response:
    """Take a message, show its public version, or show the form again, as the button `act` says.

    If fields are wrong, the form comes back with all values and a sentence beside each wrong field.

    The idempotency key is made from the form's key and its values: the same form sent twice makes one ticket, an edited
    one makes another.
    """
    lang = language(request)

    def form_again(errors: Mapping[str, str], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        page = views.write_in(lang, typed, errors, departments(submissions, lang), status, site)
        return with_headers(headers, page)

    try:
        if typed.get("act") == "change":
            return form_again({})
        if typed.get("act") == "preview":
            submissions.admit_preview(client_of(request))
            return await previewed(masker, submissions.city.city, submission(typed, lang), typed, lang, site)
        submissions.admit(client_of(request))
        given = submission(typed, lang)
        key = ids.digest(f"{typed.get('key', '')}\n{fingerprint(given)}".encode())
        form_key = f"form-{key}" if typed.get("key") else None
        receipt, _ = await submissions.receive(given, None, form_key, False, client_of(request))
    except ValidationError as error:
        return form_again(field_sentences(error, lang), 422)
    except Problem as problem:
        message = sentences.SENT_BEFORE if isinstance(problem, SentBefore) else REFUSALS[problem.status]
        why = translations(lang).gettext(message)
        return form_again({"": why}, problem.status, problem.headers)
    except (MaskingUnavailable, PyMongoError) as error:
        why = sentences.NO_PREVIEW if isinstance(error, MaskingUnavailable) else sentences.UNAVAILABLE
        return form_again({"": translations(lang).gettext(why)}, 503, RETRY_SOON)
    return views.thank_you(lang, receipt.inquiry_id, receipt.query_code, site=site)


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
