"""Routes that are asked very often: found first, and given the request as it is.

FastAPI looks at every route before those of an included router, at these twice, and works out anew for each request what
the function wants; for a short route that is as much work as the route's own.
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

Answering = Callable[[Request], Awaitable[Response]]


class DirectRoute(APIRoute):
    """Described in OpenAPI like any other; its function takes the request alone, and reads from it what it needs."""

    def get_route_handler(self) -> Any:
        """The function itself."""
        return self.endpoint


@dataclass(frozen=True)
class Answer:
    """A function as an ASGI application; what it raises is answered by the application around it."""

    function: Answering

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        response = await self.function(Request(scope, receive))
        await response(scope, receive, send)


def install_direct_routes(app: FastAPI) -> None:
    """Have the direct routes looked at before all others; to be called when all routes are there."""
    found = [one.original_route for one in iter_route_contexts(app.routes)]
    app.router.routes[:0] = [
        Route(one.path, Answer(one.endpoint), methods=one.methods, include_in_schema=False)
        for one in found
        if isinstance(one, DirectRoute)
    ]


OptionalText = TypeAdapter[str | None]


def header_of(name: str, kind: OptionalText) -> dict[str, Any]:
    """How OpenAPI describes a header that the route reads itself."""
    schema = {**kind.json_schema(), "title": name.title()}
    description = schema.pop("description", "")
    return {"name": name, "in": "header", "required": False, "description": description, "schema": schema}


def header(request: Request, name: str, kind: OptionalText) -> str | None:
    """What a header says, None where it is not there; refused as FastAPI refuses one that does not have the right form."""
    if (given := request.headers.get(name)) is None:
        return None
    try:
        return kind.validate_python(given)
    except ValidationError as error:
        raise RequestValidationError([{**one, "loc": ("header", name)} for one in error.errors()]) from error
