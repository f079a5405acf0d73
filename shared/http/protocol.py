"""HTTP as every service speaks it: parsed in C, which takes half the time; every part of a request has a limit."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_MAX = 64 * 1024
"""Bytes of a head; also of a chunk's extensions and of trailers: everything that arrives without a byte of the body."""
HEAD_S = 15.0
"""From the start of a connection, or the last response on it, to the end of the next head."""
UNREAD_MAX = 1024 * 1024
"""Bytes of a body that may still arrive after its response, so that its sender reads the response."""
TOGETHER_MAX = 64 * 1024


class BufferedTransport:
    """A transport that sends together what is written in one turn of the event loop: the head of an answer and its body."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._pieces: list[bytes] = []
        self._bytes = 0

    def __getattr__(self, name: str) -> Any:
        """All else is the transport's own."""
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send it before the next turn; at once when there is so much that its sender must be held back."""
        if not self._pieces:
            self._loop.call_soon(self.flush)
        self._pieces.append(data)
        self._bytes += len(data)
        if self._bytes >= TOGETHER_MAX:
            self.flush()

    def flush(self) -> None:
        """Send what was written."""
        if self._pieces:
            self._transport.write(b"".join(self._pieces))
            self._pieces, self._bytes = [], 0

    def close(self) -> None:
        """Close when what was written is sent."""
        self.flush()
        self._transport.close()


class HttpProtocol(HttpToolsProtocol):
    """uvicorn's connection, with these differences.

    - The parser keeps a head, and skips trailers, of any length: the bytes outside the body are counted here.
    - Trailers do not become headers: they arrive after the request was authorised.
    - A connection on which no head is completed in time is closed, and so is one that goes on with a body after the response.
    - A malformed body ends the route that was reading it; uvicorn would answer a second time.
    - A response is one packet, not two.
    """

    _in_head = False
    _in_message = False
    _bytes_outside_body = 0
    _unread_bytes = 0
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Called by the event loop."""
        super().connection_made(BufferedTransport(transport))  # type: ignore[arg-type]  # it has all that uvicorn asks of one
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop."""
        self._cancel_timer()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Called by the parser at the first byte of a request."""
        self._in_head = self._in_message = True
        self._bytes_outside_body = 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser for each header, and for each trailer."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Called by the parser at the empty line."""
        self._in_head = False
        self._cancel_timer()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Called by the parser with a piece of the body."""
        self._bytes_outside_body = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Called by the parser at the end of a request."""
        self._in_message = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Called when a response is written, before the next request of the connection is handled."""
        self._unread_bytes = 0
        super().on_response_complete()
        if not self.transport.is_closing() and not self.pipeline:
            self._await_head()

    def data_received(self, data: bytes) -> None:
        """Called by the event loop, with a piece of bounded size."""
        self._bytes_outside_body += len(data)
        super().data_received(data)
        if not self._in_message or self.transport.is_closing():
            return
        answered = not self._in_head and self.cycle.response_complete
        if answered:
            self._unread_bytes += len(data)
            if self._unread_bytes > UNREAD_MAX:
                self.transport.close()
        elif self._bytes_outside_body > HEAD_MAX:
            part = "head" if self._in_head else "part between or after the chunks of the body"
            self.send_400_response(f"The {part} of the request is larger than {HEAD_MAX // 1024} KiB.")

    def send_400_response(self, msg: str) -> None:
        """Refuse with one sentence, unless a response has begun."""
        under_way = self.cycle if self.cycle is not None and not self.cycle.response_complete else None
        if under_way is not None:
            under_way.disconnected = True
            under_way.message_event.set()
            if under_way.response_started:
                self.transport.close()
                return
        super().send_400_response(msg)

    def _await_head(self) -> None:
        self._cancel_timer()
        self._late = self.loop.call_later(HEAD_S, self.transport.close)

    def _cancel_timer(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
