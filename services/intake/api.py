"""Intake's JSON routes: send, add to, rate and withdraw a message, report a hall entry, ask for the link to a ticket.

`ticket_pages.py` has the route that reads a ticket.
"""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field, TypeAdapter

from services.intake import sentences
from services.intake.additions import Additions
from services.intake.domain import AdditionGiven, RatingGiven, Submission, WithdrawalGiven
from services.intake.links import Links
from services.intake.reports import ReportGiven, Reports
from services.intake.responses import LinkAnswer, ReportAnswer
from services.intake.submissions import Receipt, Submissions
from services.intake.tickets import Acknowledged, Tickets
from shared.http.direct_routes import DirectRoute, OptionalText, header, header_parameter
from shared.http.identity import WrongTokens, operator_or_anybody
from shared.http.parameters import IdempotencyKeyHeader, InquiryId, OptionalIdempotencyKey, QueryCode, QueryCodeHeader
from shared.http.problems import answered, documented
from shared.http.rate_limit import client_of
from shared.http.request_body import body_of, json_body, parsed
from shared.runtime.translations import translations
from shared.web.layout import language

ACCEPT_LANGUAGE = "The languages that the resident reads; used when the body has no `language`."
HEADERS: dict[str, OptionalText] = {
    "idempotency-key": TypeAdapter(OptionalIdempotencyKey),
    "accept-language": TypeAdapter(Annotated[str | None, Field(description=ACCEPT_LANGUAGE)]),
}
REFUSALS = (401, 408, 409, 413, 415, 422, 429, 503)


def routes(
    submissions: Submissions,
    tickets: Tickets,
    links: Links,
    reports: Reports,
    token: bytes,
    wrong_tokens: WrongTokens | None = None,
) -> APIRouter:
    api = APIRouter(tags=["residents"])
    _submission_route(api, submissions, operator_or_anybody(token, wrong_tokens or WrongTokens()))
    _rating_route(api, tickets)
    _addition_route(api, Additions(tickets))
    _withdrawal_route(api, tickets)
    _link_route(api, links)
    _report_route(api, reports)
    return api


def _submission_route(api: APIRouter, submissions: Submissions, is_operator: Callable[[Request], bool]) -> None:
    async def submit(request: Request) -> Response:
        trusted = is_operator(request)
        key, languages = (header(request, name, kind) for name, kind in HEADERS.items())
        client = None if trusted else client_of(request)
        if client is not None:
            submissions.admit(client)
        given = parsed(Submission, await json_body(request))
        receipt, repeated = await submissions.receive(given, languages, key, trusted, client)
        headers = {"Idempotent-Replayed": "true"} if repeated else None
        return Response(receipt.model_dump_json(), 202, headers, "application/json")

    api.add_api_route(
        "/inquiries",
        submit,
        methods=["POST"],
        route_class_override=DirectRoute,
        status_code=202,
        openapi_extra=body_of(Submission) | {"parameters": [header_parameter(*one) for one in HEADERS.items()]},
        responses={**documented(*REFUSALS), **answered(Receipt, status=202)},
        summary="Send a message",
    )


def _rating_route(api: APIRouter, tickets: Tickets) -> None:
    @api.post(
        "/inquiries/{inquiry_id}/rating",
        status_code=202,
        openapi_extra=body_of(RatingGiven),
        responses=documented(*REFUSALS, 404),
        summary="Rate the answer",
    )
    async def rate(
        inquiry_id: InquiryId,
        request: Request,
        x_query_code: QueryCodeHeader = None,
        code: QueryCode = None,
    ) -> Acknowledged:
        given = parsed(RatingGiven, await json_body(request))
        return await tickets.rate(inquiry_id, x_query_code or code, given)


def _withdrawal_route(api: APIRouter, tickets: Tickets) -> None:
    @api.post(
        "/inquiries/{inquiry_id}/withdrawal",
        status_code=202,
        openapi_extra=body_of(WithdrawalGiven),
        responses=documented(*REFUSALS, 404),
        summary="Withdraw the message",
        description="Possible until the message is answered. The departments then have nothing more to do.",
    )
    async def withdraw(
        inquiry_id: InquiryId,
        request: Request,
        x_query_code: QueryCodeHeader = None,
        code: QueryCode = None,
        idempotency_key: IdempotencyKeyHeader = None,
    ) -> Acknowledged:
        given = parsed(WithdrawalGiven, await json_body(request))
        return await tickets.withdraw(inquiry_id, x_query_code or code, given, idempotency_key)


def _addition_route(api: APIRouter, additions: Additions) -> None:
    @api.post(
        "/inquiries/{inquiry_id}/additions",
        status_code=202,
        openapi_extra=body_of(AdditionGiven),
        responses=documented(*REFUSALS, 404),
        summary="Add words to a message, or answer a question",
    )
    async def add(
        inquiry_id: InquiryId,
        request: Request,
        x_query_code: QueryCodeHeader = None,
        code: QueryCode = None,
        idempotency_key: IdempotencyKeyHeader = None,
    ) -> Acknowledged:
        given = parsed(AdditionGiven, await json_body(request))
        return await additions.add(inquiry_id, x_query_code or code, given, idempotency_key)


def _link_route(api: APIRouter, links: Links) -> None:
    @api.post(
        "/inquiries/{inquiry_id}/link-request",
        status_code=202,
        responses=documented(404, 422, 429, 503),
        summary="Send the link to the ticket again",
        description="Needs no query code: the link goes to the contact that the resident gave. The answer is the same "
        "whether or not the ticket exists.",
    )
    async def request_link(inquiry_id: InquiryId, request: Request) -> LinkAnswer:
        await links.request(inquiry_id, client_of(request))
        return LinkAnswer(detail=translations(language(request)).gettext(sentences.LINK_REQUESTED))


def _report_route(api: APIRouter, reports: Reports) -> None:
    @api.post(
        "/inquiries/{inquiry_id}/hall-report",
        status_code=202,
        openapi_extra=body_of(ReportGiven),
        responses=documented(404, 408, 413, 415, 422, 429, 503),
        summary="Report an entry of the hall",
        description="Needs no query code. The answer is the same whether or not the hall has the entry. With the same "
        "`Idempotency-Key` and body, a repeat makes no second report.",
    )
    async def report(
        inquiry_id: InquiryId, request: Request, idempotency_key: IdempotencyKeyHeader = None
    ) -> ReportAnswer:
        given = parsed(ReportGiven, await json_body(request))
        await reports.receive(inquiry_id, given, idempotency_key, client_of(request))
        return ReportAnswer(detail=translations(language(request)).gettext(sentences.REPORTED))
