"""Security headers of every answer: no scripts, no content sniffing, no framing. Also answers HEAD like GET."""

from urllib.parse import urlsplit, urlunsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

EVERY_ANSWER = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""The strictest values. Pages set a policy that allows their own files, and public answers allow caching."""
ENCODED = tuple((name.lower().encode(), value.encode()) for name, value in EVERY_ANSWER.items())


class SecurityHeaders:
    """Middleware that adds each header that an answer does not set itself, makes redirects relative, and handles HEAD as GET."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message["headers"]}
                missing = [(name, value) for name, value in ENCODED if name not in present]
                given = [(name, relative(name, value)) for name, value in message["headers"]]
                message["headers"] = [*given, *missing]
            await send(message)

        # uvicorn itself leaves out the body of an answer to HEAD.
        as_get = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        return await self.app(as_get, receive, send_with_headers)


def relative(name: bytes, value: bytes) -> bytes:
    """The value of a response header. A `Location` loses its scheme and host.

    Starlette takes the host from the request, where the client chooses it. Two leading slashes would name a host too.
    """
    if name.lower() != b"location":
        return value
    _, _, path, query, fragment = urlsplit(value.decode("latin-1"))
    return urlunsplit(("", "", f"/{path.lstrip('/')}", query, fragment)).encode("latin-1")
