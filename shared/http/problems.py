"""Errors over HTTP: problem details (RFC 9457). Their sentences quote the value and say what would be right."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from aiokafka.errors import KafkaError
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match, Mount

from shared.contracts.documented import Documented
from shared.contracts.field_errors import WITHOUT_VALUE, what_is_wrong
from shared.http.security_headers import EVERY_ANSWER, SecurityHeaders
from shared.kafka.failures import DependencyUnavailable
from shared.runtime.logging import log
from shared.store.mongo import PyMongoError

MEDIA_TYPE = "application/problem+json"
VALUE_SHOWN = 60
PAGE = {"text/html": {"schema": {"type": "string"}}}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class FieldProblem(Documented):
    """One thing wrong with one field; `pointer` is a JSON pointer into the body (RFC 6901)."""

    pointer: str
    """A JSON pointer to the field (RFC 6901); empty for the whole body."""
    detail: str
    """What is wrong with the field and what would be right."""


class ProblemDetails(Documented):
    """The body of every error answer."""

    type: str = "about:blank"
    """Always `about:blank`: the status says what kind of error it is."""
    title: str
    """The name of the HTTP status."""
    status: int
    """The HTTP status."""
    detail: str
    """What is wrong and what would be right, in sentences."""
    errors: list[FieldProblem] = Field([])
    """Each field that is wrong; empty when the error is not about fields."""


def inlined(model: type[BaseModel]) -> dict[str, Any]:
    """A model's JSON schema with all references resolved, for use outside OpenAPI's components."""
    schema = model.model_json_schema()
    parts = schema.pop("$defs", {})

    def whole(node: Any) -> Any:
        if isinstance(node, dict):
            if "$ref" in node:
                beside = {name: value for name, value in node.items() if name != "$ref"}
                return {**whole(parts[node["$ref"].rpartition("/")[2]]), **beside}
            return {name: whole(value) for name, value in node.items()}
        return [whole(one) for one in node] if isinstance(node, list) else node

    result: dict[str, Any] = whole(schema)
    return result


def documented(*statuses: int, or_page: bool = False) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's description of these error answers; `or_page` if clients that accept HTML get a page."""
    content = {MEDIA_TYPE: {"schema": inlined(ProblemDetails)}} | (PAGE if or_page else {})
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


def answered(model: type[BaseModel], *, or_page: bool = False, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's description of an answer that the route builds itself; `or_page` if clients that accept HTML get a page."""
    page = {"content": PAGE} if or_page else {}
    return {status: {"model": model, "description": HTTPStatus(status).phrase, **page}}


@dataclass
class Problem(Exception):
    """The error answer of a route; raise it from anywhere below the route."""

    status: int
    detail: str
    errors: Sequence[FieldProblem] = ()
    headers: Mapping[str, str] | None = None

    def response(self) -> JSONResponse:
        """The answer as `application/problem+json`."""
        body = ProblemDetails(
            title=HTTPStatus(self.status).phrase,
            status=self.status,
            detail=writable(self.detail),
            errors=list(self.errors),
        )
        headers = {**EVERY_ANSWER, **(self.headers or {})}
        return JSONResponse(body.model_dump(), self.status, media_type=MEDIA_TYPE, headers=headers)


def writable(text: str) -> str:
    """Text that UTF-8 can encode: a lone surrogate, which JSON may contain, becomes its escape."""
    return text.encode(errors="backslashreplace").decode()


def shown(value: object) -> str:
    """A value quoted for a sentence, cut after 60 characters."""
    try:
        text = writable(f"'{value}'" if isinstance(value, str) else repr(value))
    except ValueError:
        text = "a number of thousands of digits"
    return text if len(text) <= VALUE_SHOWN else f"{text[:VALUE_SHOWN]}… ({len(text)} characters)"


def sentence(error: Mapping[str, Any]) -> str:
    """One of pydantic's errors as a sentence that follows the field's name."""
    wrong = what_is_wrong(error)
    return writable(wrong if error["type"] in WITHOUT_VALUE else f"{shown(error.get('input'))} {wrong}")


def pointer(location: Sequence[str | int]) -> str:
    """A JSON pointer from pydantic's location."""
    return "".join("/" + writable(str(step)).replace("~", "~0").replace("/", "~1") for step in location)


def field_problems(error: ValidationError) -> list[FieldProblem]:
    """A problem for each wrong field of a body."""
    return [
        FieldProblem(pointer=pointer(one["loc"]), detail=f"{name_of(one['loc'])} {sentence(one)}")
        for one in error.errors(include_url=False)
    ]


def name_of(location: Sequence[str | int]) -> str:
    """The name of a field in sentences: `contact.email`, `departments[2]`, `the body`."""
    name = ""
    for step in location:
        name += f"[{step}]" if isinstance(step, int) else f".{step}" if name else str(step)
    return writable(name) or "the body"


def invalid(error: ValidationError) -> Problem:
    """422 for a body that does not match its model."""
    problems = field_problems(error)
    return Problem(422, "; ".join(problem.detail for problem in problems[:5]) + ".", problems)


def possible(request: Request) -> list[str]:
    """The methods that this path allows; mounted folders only allow GET and HEAD."""
    routes = [route for route in request.app.routes if not isinstance(route, Mount)]
    found = [
        method
        for method in METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    ]
    return ["HEAD", *found] if "GET" in found else found or ["HEAD", "GET"]


ProblemPage = Callable[[Request, Problem], Response | None]
"""Makes the page of an error for a browser; None for a client that gets the problem document."""


def install(app: FastAPI, page: ProblemPage = lambda _, __: None) -> None:
    """Answer every error of this application as a problem, never as a stack trace; add security headers to all answers."""
    app.add_middleware(SecurityHeaders)

    def told(request: Request, problem: Problem) -> Response:
        return page(request, problem) or problem.response()

    @app.exception_handler(Problem)
    async def problem_raised(request: Request, problem: Problem) -> Response:
        return told(request, problem)

    @app.exception_handler(ValidationError)
    async def invalid_model(request: Request, error: ValidationError) -> Response:
        return told(request, invalid(error))

    @app.exception_handler(RequestValidationError)
    async def invalid_request(request: Request, error: RequestValidationError) -> Response:
        problems = [
            FieldProblem(pointer=pointer(one["loc"][1:]), detail=f"{name_of(one['loc'][1:])} {sentence(one)}")
            for one in error.errors()
        ]
        return told(request, Problem(422, "; ".join(problem.detail for problem in problems[:5]) + ".", problems))

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        details = {
            404: f"There is nothing at {shown(request.url.path)}.",
            405: f"{request.method} is not possible here.",
        }
        plain_phrase = error.detail == HTTPStatus(error.status_code).phrase
        detail = details.get(error.status_code, error.detail) if plain_phrase else error.detail
        allow = {"Allow": ", ".join(possible(request))} if error.status_code == 405 else {}
        return told(request, Problem(error.status_code, detail, headers={**(error.headers or {}), **allow}))

    _install_unavailable(app, told)

    @app.exception_handler(ClientDisconnect)
    async def client_disconnected(_: Request, __: ClientDisconnect) -> Response:
        return Response(status_code=400)  # the client has gone and cannot read it

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        return told(request, Problem(500, "Internal error; it has been logged."))


def _install_unavailable(app: FastAPI, told: Callable[[Request, Problem], Response]) -> None:
    """Answer 503 while a dependency is unavailable."""

    @app.exception_handler(PyMongoError)
    async def store_unavailable(request: Request, error: PyMongoError) -> Response:
        # The driver's message quotes the document, and with it what a resident wrote.
        log.warning("the store did not answer", error=type(error).__name__, code=getattr(error, "code", None))
        return told(request, _unavailable("The store is unavailable; try again in a moment."))

    @app.exception_handler(KafkaError)
    async def kafka_unavailable(request: Request, error: KafkaError) -> Response:
        log.warning("Kafka did not answer", error=type(error).__name__)
        return told(request, _unavailable("Kafka is unavailable; try again in a moment."))

    @app.exception_handler(DependencyUnavailable)
    async def dependency_unavailable(request: Request, error: DependencyUnavailable) -> Response:
        log.warning("a dependency is unavailable", dependency=error.dependency)
        return told(request, _unavailable(str(error)))


def _unavailable(detail: str) -> Problem:
    return Problem(503, detail, headers={"Retry-After": "5"})
