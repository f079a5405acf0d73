"""The routes that every service has: health, readiness, metrics, API documents, static files."""

from collections.abc import Callable
from typing import Any, Literal

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from shared.contracts.documented import Documented
from shared.http.problems import answered
from shared.service.readiness import Readiness, ReadinessChecks
from shared.web.layout import Site, language
from shared.web.static_files import static_files
from shared.web.swagger import swagger_files, swagger_page
from shared.web.topics_page import topics_page


class Alive(Documented):
    """The answer to `/healthz`."""

    status: Literal["alive"]
    """Always `alive`."""
    service: str
    """The name of the service."""


class AsyncApiDocument(Documented):
    """The answer to `/asyncapi.json`: the fields that do not change between releases."""

    asyncapi: str
    """The version of AsyncAPI."""
    info: dict[str, Any]
    """The title and version of the document."""
    channels: dict[str, Any]
    """The topics with their messages."""
    operations: dict[str, Any]
    """The topics that the service reads and writes."""


def add_operational_routes(
    app: FastAPI, service: str, readiness: ReadinessChecks, document: Callable[[], dict[str, Any]], site: Site
) -> None:
    @app.get("/healthz", tags=["operations"], response_model=Alive, summary="Whether the process is alive")
    async def healthz() -> dict[str, str]:
        return {"status": "alive", "service": service}

    @app.get(
        "/readyz",
        tags=["operations"],
        responses={**answered(Readiness), **answered(Readiness, status=503)},
        summary="Whether the service is ready",
    )
    async def readyz() -> JSONResponse:
        ready, reasons = await readiness.evaluate()
        return JSONResponse({"ready": ready, "reasons": reasons}, 200 if ready else 503)

    @app.get("/metrics", tags=["operations"], include_in_schema=False)
    async def scrape() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    @app.get(
        "/asyncapi.json",
        tags=["operations"],
        responses=answered(AsyncApiDocument),
        summary="The topics that this service reads and writes",
    )
    async def asyncapi() -> Response:
        return JSONResponse(document())

    @app.get("/asyncapi", include_in_schema=False)
    async def topics(request: Request) -> HTMLResponse:
        return topics_page(language(request), document(), site)

    @app.get("/docs", include_in_schema=False)
    async def routes() -> HTMLResponse:
        return swagger_page(app.title)

    app.mount("/docs/files", swagger_files())
    app.mount("/static", static_files())
