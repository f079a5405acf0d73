"""Reading a request's body: of the right type, and no further than a limit."""

from fastapi import Request

from shared.problems import Problem

REQUEST_MAX = 256 * 1024


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
