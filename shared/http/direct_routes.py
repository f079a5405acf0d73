"""Routes for frequent requests: matched first, and called without FastAPI's parsing of parameters.

FastAPI matches an included router's routes after all others, and twice, and resolves the parameters of the function for
each request. Without it, and with addresses and ids parsed once, intake needs 155 instead of 240 µs for a message
(docs/decisions/0010-measuring.md).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import TypeAdapter, ValidationError
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

RequestHandler = Callable[[Request], Awaitable[Response]]


class DirectRoute(APIRoute):
    """A route whose function takes only the request. OpenAPI describes it like any other route."""

    def get_route_handler(self) -> Any:
        return self.endpoint


@dataclass(frozen=True)
class DirectEndpoint:
    """A function as an ASGI application; the application's exception handlers answer what it raises."""

    function: RequestHandler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self.function(Request(scope, receive))
        await response(scope, receive, send)


def install_direct_routes(app: FastAPI) -> None:
    """Match the direct routes before all others. Call it after all routes are registered."""
    routes = [one.original_route for one in iter_route_contexts(app.routes)]
    app.router.routes[:0] = [
        Route(one.path, DirectEndpoint(one.endpoint), methods=one.methods, include_in_schema=False)
        for one in routes
        if isinstance(one, DirectRoute)
    ]


OptionalText = TypeAdapter[str | None]


def header_parameter(name: str, kind: OptionalText) -> dict[str, Any]:
    """The OpenAPI description of a header that a direct route reads itself."""
    schema = {**kind.json_schema(), "title": name.title()}
    description = schema.pop("description", "")
    return {"name": name, "in": "header", "required": False, "description": description, "schema": schema}


def header(request: Request, name: str, kind: OptionalText) -> str | None:
    """A header's value, None when it is absent. An invalid one raises RequestValidationError, as in other routes."""
    if (value := request.headers.get(name)) is None:
        return None
    try:
        return kind.validate_python(value)
    except ValidationError as error:
        raise RequestValidationError([{**one, "loc": ("header", name)} for one in error.errors()]) from error
