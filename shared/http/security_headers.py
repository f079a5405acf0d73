"""What every answer tells a browser: run nothing, guess nothing, be framed by nobody. Asking for the head alone is asking."""

from urllib.parse import urlsplit, urlunsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

EVERY_ANSWER = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Pages say more exactly what they need, and what everyone may read says that it may be kept; all else needs nothing."""
AS_SENT = tuple((name.lower().encode(), value.encode()) for name, value in EVERY_ANSWER.items())


class SecurityHeaders:
    """Gives these headers to every answer that does not say otherwise, keeps
    redirects on this server, and answers HEAD wherever GET is answered."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI. The server itself leaves out the body of an answer to HEAD."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = {name.lower() for name, _ in message["headers"]}
                more = [(name, value) for name, value in AS_SENT if name not in said]
                given = [(name, in_place(name, value)) for name, value in message["headers"]]
                message["headers"] = [*given, *more]
            await send(message)

        asked = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        return await self.app(asked, receive, send_safely)


def in_place(name: bytes, value: bytes) -> bytes:
    """The value of a response header; a `Location` becomes relative to this server.

    Starlette writes the request's `Host` into it, which anybody may choose; and two leading slashes name another host.
    """
    if name.lower() != b"location":
        return value
    _, _, path, query, fragment = urlsplit(value.decode("latin-1"))
    return urlunsplit(("", "", f"/{path.lstrip('/')}", query, fragment)).encode("latin-1")
