"""Intake's route for files: a file for a ticket, with its query code, or with the operator's token for a message to come."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request

from services.intake.files import ResidentFiles
from services.intake.tickets import Tickets
from shared.files.sending import FILE_FORM, file_sent
from shared.files.shown import FileTaken
from shared.http.parameters import QueryCode, QueryCodeHeader
from shared.http.problems import Problem, documented
from shared.http.rate_limit import client_of

Ticket = Annotated[str | None, Query(description="The number of the ticket that the file is for.")]


def routes(files: ResidentFiles, tickets: Tickets, is_operator: Callable[[Request], bool]) -> APIRouter:
    api = APIRouter(tags=["residents"])

    @api.post(
        "/files",
        status_code=201,
        openapi_extra=FILE_FORM,
        responses=documented(401, 404, 408, 413, 415, 422, 429, 503),
        summary="Send a file",
        description="Needs the number and the query code of a ticket, or the operator's token. A picture, a PDF or a sound "
        "file; what it says about its place and its maker is removed.",
    )
    async def take(
        request: Request, inquiry_id: Ticket = None, x_query_code: QueryCodeHeader = None, code: QueryCode = None
    ) -> FileTaken:
        trusted = is_operator(request)
        number = None
        if inquiry_id is not None:
            number = (await tickets.ticket(inquiry_id, x_query_code or code)).inquiry_id
            await files.check_room(number)
        elif not trusted:
            raise Problem(
                401,
                "A file needs the number and the query code of a ticket, or the operator's token.",
                headers={"WWW-Authenticate": "Bearer"},
            )
        if not trusted:
            files.uploads.admit(client_of(request))
        return await file_sent(request, lambda sent: files.take(sent, number))

    return api
