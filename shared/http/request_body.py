"""Reading a request's body: of the right type, no further than a limit, not for ever, and with each key once."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from fastapi import Request
from pydantic import BaseModel

from shared.http.problems import FieldProblem, Problem, inlined, shown

REQUEST_MAX = 256 * 1024
READING_S = 30.0
LENGTH_DIGITS = 12


def body_of(*models: type[BaseModel]) -> dict[str, Any]:
    """How OpenAPI describes a body, one of these, that the route reads itself: 401, 413 and 415 come before parsing."""
    schemas = [inlined(model) for model in models]
    schema = schemas[0] if len(schemas) == 1 else {"oneOf": schemas}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


async def json_body(request: Request) -> bytes:
    """The body, if it is JSON and not too large. Raises Problem 413 or 415."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Problem(415, f"The body is {media_type or 'of no type'!r}; send application/json.")
    return await limited_body(request)


async def limited_body(request: Request, most: int = REQUEST_MAX) -> bytes:
    """The body, read no further than the limit and no longer than READING_S. Raises Problem 408 or 413."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and (len(announced) > LENGTH_DIGITS or int(announced) > most):
        raise _too_large(most, announced if len(announced) <= LENGTH_DIGITS else None)
    body = bytearray()
    try:
        async with asyncio.timeout(READING_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > most:
                    raise _too_large(most)
    except TimeoutError as error:
        late = f"The request has not arrived whole within {READING_S:g} s; send it again."
        raise Problem(408, late, headers={"Connection": "close"}) from error
    return bytes(body)


def _too_large(most: int, size: str | None = None) -> Problem:
    """`size` is what the request announces."""
    return Problem(413, f"The request has {size or f'more than {most}'} bytes; at most {most} are taken. Write less.")


def document(body: bytes) -> Any:
    """What the JSON holds; no key may stand twice, for the first would be lost in silence. Raises Problem 422."""
    try:
        return json.loads(body.decode(), object_pairs_hook=_once_each, parse_constant=_no_number)
    except RecursionError as error:
        raise _no_json("it is nested too deeply") from error
    except UnicodeDecodeError as error:
        raise _no_json(f"byte {error.start} is not UTF-8") from error
    except ValueError as error:
        raise _no_json(str(error)) from error


def _once_each(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the name {shown(name)} stands twice in one object; keep one of them")
        found[name] = value
    return found


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number; write one in digits")


def _no_json(why: str) -> Problem:
    detail = f"the body is not JSON: {why}"
    return Problem(422, detail + ".", [FieldProblem(pointer="", detail=detail)])
