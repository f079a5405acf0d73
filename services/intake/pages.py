"""Intake's pages for people, and the ticket in the form that is asked for."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import JSONResponse, Response

from services.intake.reception import Reception


def routes(reception: Reception) -> APIRouter:
    """The form, the status page, and `GET /inquiries/{id}` as JSON or as a page."""
    pages = APIRouter()

    @pages.get("/inquiries/{inquiry_id}", tags=["residents"], summary="What became of a message")
    async def ticket(
        inquiry_id: str,
        request: Request,
        x_query_code: Annotated[str | None, Header()] = None,
        code: Annotated[str | None, Query()] = None,
    ) -> Response:
        seen: dict[str, Any] = await reception.ticket(inquiry_id, x_query_code or code)
        return JSONResponse(seen, headers={"Cache-Control": "no-store"})

    return pages
