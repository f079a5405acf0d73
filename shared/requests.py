"""Reading a request's body: of the right type, and no further than a limit."""

from typing import Any

from fastapi import Request
from pydantic import BaseModel

from shared.problems import Problem, inlined

REQUEST_MAX = 256 * 1024


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
    """The body, read no further than the limit. Raises Problem 413."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise Problem(413, f"The request is larger than {most // 1024} KiB; write less.")
    return bytes(body)
