"""Errors over HTTP: problem details (RFC 9457) whose sentences name the value and what would be right."""

from collections.abc import Mapping, Sequence
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
    """A model's JSON schema in one piece, for a place in OpenAPI that is not among its components."""
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
    """How OpenAPI documents these error answers; with a page for whoever asks for one."""
    content = {MEDIA_TYPE: {"schema": inlined(ProblemDetails)}} | (PAGE if or_page else {})
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


def answered(model: type[BaseModel], *, or_page: bool = False, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """How OpenAPI documents an answer that the route builds itself: this JSON, or a page for whoever asks for one."""
    page = {"content": PAGE} if or_page else {}
    return {status: {"model": model, "description": HTTPStatus(status).phrase, **page}}


@dataclass
class Problem(Exception):
    """Raise it anywhere under a route: it becomes the answer."""

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
    """Text that every encoding can carry: half a surrogate pair, which JSON may hold, is written as its escape."""
    return text.encode(errors="backslashreplace").decode()


def shown(value: object) -> str:
    """A value quoted for a sentence, cut so that a hostile one does not fill the page."""
    try:
        text = writable(f"'{value}'" if isinstance(value, str) else repr(value))
    except ValueError:
        text = "a number of thousands of digits"
    return text if len(text) <= VALUE_SHOWN else f"{text[:VALUE_SHOWN]}… ({len(text)} characters)"


def sentence(error: Mapping[str, Any]) -> str:
    """One of pydantic's errors as a sentence that names the value and what would be right."""
    value, context = error.get("input"), error.get("ctx") or {}
    match error["type"]:
        case "missing":
            return "is missing; give it"
        case "string_type":
            return f"{shown(value)} is not text; write it as a JSON string"
        case "string_too_short":
            return f"{shown(value)} is too short; write at least {context['min_length']} character(s)"
        case "string_too_long":
            return f"has {len(str(value))} characters; at most {context['max_length']} are taken"
        case "bool_type" | "bool_parsing":
            return f"{shown(value)} is not a truth value; write true or false"
        case "int_type" | "int_parsing" | "int_from_float":
            return f"{shown(value)} is not a whole number; write one like 1"
        case "greater_than_equal":
            return f"{shown(value)} is too small; the least is {context['ge']}"
        case "less_than_equal":
            return f"{shown(value)} is too large; the most is {context['le']}"
        case "literal_error" | "enum":
            return f"{shown(value)} is not one of {context['expected']}"
        case "int_parsing_size":
            return f"{shown(value)} has too many digits; write one like 1"
        case "tuple_type" | "list_type":
            return f"{shown(value)} is not a list; write it as a JSON array"
        case "too_long":
            return f"has {context['actual_length']} entries; at most {context['max_length']} are taken"
        case "model_type" | "model_attributes_type" | "dict_type":
            return f"{shown(value)} is not a JSON object"
        case "json_invalid":
            return writable(f"is not JSON: {context['error']}")
        case "extra_forbidden":
            return f"{shown(value)} stands in a field that is not known; leave it out"
        case "string_pattern_mismatch":
            return f"{shown(value)} does not have the form {context['pattern']}"
        case "value_error":
            return writable(f"{shown(value)} {context['error']}")
        case _:
            return writable(f"{shown(value)}: {error['msg']}")


def pointer(location: Sequence[str | int]) -> str:
    """A JSON pointer from pydantic's location."""
    return "".join("/" + writable(str(step)).replace("~", "~0").replace("/", "~1") for step in location)


def field_problems(error: ValidationError) -> list[FieldProblem]:
    """Every problem of a body, field by field."""
    return [
        FieldProblem(pointer=pointer(one["loc"]), detail=f"{name_of(one['loc'])} {sentence(one)}")
        for one in error.errors(include_url=False)
    ]


def name_of(location: Sequence[str | int]) -> str:
    """What a person calls the field: `contact.email`, `departments[2]`, `the body`."""
    name = ""
    for step in location:
        name += f"[{step}]" if isinstance(step, int) else f".{step}" if name else str(step)
    return writable(name) or "the body"


def invalid(error: ValidationError) -> Problem:
    """422 for a body that does not have the right form."""
    problems = field_problems(error)
    return Problem(422, "; ".join(problem.detail for problem in problems[:5]) + ".", problems)


def possible(request: Request) -> list[str]:
    """The methods with which this address can be asked; a folder of files is only ever read."""
    routes = [route for route in request.app.routes if not isinstance(route, Mount)]
    found = [
        method
        for method in METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    ]
    return ["HEAD", *found] if "GET" in found else found or ["HEAD", "GET"]


def install(app: FastAPI) -> None:
    """Make every error of this application a problem answer, and none of them a stack trace; safe headers on all."""
    app.add_middleware(SecurityHeaders)

    @app.exception_handler(Problem)
    async def known(_: Request, problem: Problem) -> JSONResponse:
        return problem.response()

    @app.exception_handler(ValidationError)
    async def wrong_body(_: Request, error: ValidationError) -> JSONResponse:
        return invalid(error).response()

    @app.exception_handler(RequestValidationError)
    async def wrong_request(_: Request, error: RequestValidationError) -> JSONResponse:
        problems = [
            FieldProblem(pointer=pointer(one["loc"][1:]), detail=f"{name_of(one['loc'][1:])} {sentence(one)}")
            for one in error.errors()
        ]
        return Problem(422, "; ".join(problem.detail for problem in problems[:5]) + ".", problems).response()

    @app.exception_handler(HTTPException)
    async def plain(request: Request, error: HTTPException) -> JSONResponse:
        told = {404: f"There is nothing at {shown(request.url.path)}.", 405: f"{request.method} is not possible here."}
        plain_phrase = error.detail == HTTPStatus(error.status_code).phrase
        detail = told.get(error.status_code, error.detail) if plain_phrase else error.detail
        allow = {"Allow": ", ".join(possible(request))} if error.status_code == 405 else {}
        return Problem(error.status_code, detail, headers={**(error.headers or {}), **allow}).response()

    @app.exception_handler(PyMongoError)
    async def store_away(_: Request, error: PyMongoError) -> JSONResponse:
        # Its words would repeat the document that could not be written, and with it what a resident wrote.
        log.warning("the store did not answer", error=type(error).__name__, code=getattr(error, "code", None))
        return Problem(503, "The store is away; try again in a moment.", headers={"Retry-After": "5"}).response()

    @app.exception_handler(KafkaError)
    async def broker_away(_: Request, error: KafkaError) -> JSONResponse:
        log.warning("Kafka did not answer", error=type(error).__name__)
        return Problem(503, "Kafka is away; try again in a moment.", headers={"Retry-After": "5"}).response()

    @app.exception_handler(DependencyUnavailable)
    async def not_there_yet(_: Request, error: DependencyUnavailable) -> JSONResponse:
        log.warning("something is not there yet", dependency=error.dependency)
        return Problem(503, str(error), headers={"Retry-After": "5"}).response()

    @app.exception_handler(ClientDisconnect)
    async def gone(_: Request, __: ClientDisconnect) -> Response:
        return Response(status_code=400)  # nobody is there to read it

    @app.exception_handler(Exception)
    async def unexpected(_: Request, error: Exception) -> JSONResponse:
        return Problem(500, "Something went wrong here; it has been logged.").response()
