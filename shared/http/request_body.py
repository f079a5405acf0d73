"""Reads a request's body: checks its type, its size, the time it takes, and repeated JSON keys."""

import asyncio
import json
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from shared.contracts.json_keys import RepeatedKey, unique_keys
from shared.http.problems import FieldProblem, Problem, inlined, invalid, shown

Model = TypeVar("Model", bound=BaseModel)

REQUEST_MAX = 256 * 1024
READING_S = 30.0
LENGTH_DIGITS = 12


def body_of(*models: type[BaseModel]) -> dict[str, Any]:
    """The OpenAPI description of a body, one of `models`, that the route parses itself after it answered 401, 413 or 415."""
    schemas = [inlined(model) for model in models]
    schema = schemas[0] if len(schemas) == 1 else {"oneOf": schemas}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


async def json_body(request: Request) -> bytes:
    """The body of a request with JSON. Raises Problem 408, 413 or 415."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Problem(415, f"The Content-Type is {shown(media_type)}; send 'application/json'.")
    return await limited_body(request)


async def limited_body(request: Request, most: int = REQUEST_MAX) -> bytes:
    """The body, at most `most` bytes, read within READING_S. Raises Problem 408 or 413."""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and (len(length) > LENGTH_DIGITS or int(length) > most):
        raise _too_large(most, length if len(length) <= LENGTH_DIGITS else None)
    body = bytearray()
    try:
        async with asyncio.timeout(READING_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > most:
                    raise _too_large(most)
    except TimeoutError as error:
        detail = f"The whole request did not arrive within {READING_S:g} s; send it again."
        raise Problem(408, detail, headers={"Connection": "close"}) from error
    return bytes(body)


def _too_large(most: int, size: str | None = None) -> Problem:
    """`size` is the announced length, if it is short enough to quote."""
    return Problem(413, f"The request has {size or f'more than {most}'} bytes; at most {most} are accepted. Send less.")


def parsed(model: type[Model], body: bytes) -> Model:
    """The model in a JSON body. Raises Problem 422, also for a repeated key: pydantic would keep the last value."""
    try:
        given = model.model_validate_json(body)
    except ValidationError as error:
        raise invalid(error) from error
    json_document(body)
    return given


def json_document(body: bytes) -> Any:
    """Parse JSON. Refuses a repeated key, because `json` would silently keep the last value only. Raises Problem 422."""
    try:
        return json.loads(body.decode(), object_pairs_hook=unique_keys, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise _not_json("it is nested too deeply") from error
    except UnicodeDecodeError as error:
        raise _not_json(f"byte {error.start} is not UTF-8") from error
    except RepeatedKey as error:
        raise _not_json(f"the key {shown(error.key)} is repeated in one object; keep one of them") from error
    except ValueError as error:
        raise _not_json(str(error)) from error


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number; write digits")


def _not_json(why: str) -> Problem:
    detail = f"the body is not JSON: {why}"
    return Problem(422, detail + ".", [FieldProblem(pointer="", detail=detail)])
