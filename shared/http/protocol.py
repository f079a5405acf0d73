"""HTTP as every service speaks it: parsed in C, which takes half the time; no head of a request grows without end."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_MAX = 64 * 1024
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
    """uvicorn's connection with three differences.

    The parser would keep a head of any size, so what comes piece by piece is counted here. A body that turns out to be none
    ends the route that was reading it; uvicorn would answer a second time. And an answer is one packet, not two.
    """

    _in_head = False
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Called by the event loop."""
        super().connection_made(BufferedTransport(transport))  # type: ignore[arg-type]  # it has all that uvicorn asks of one

    def on_message_begin(self) -> None:
        """Called by the parser at the first byte of a request."""
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Called by the parser at the empty line."""
        self._in_head = False
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Called by the event loop, with a piece of bounded size."""
        began = self._in_head
        super().data_received(data)
        if began and self._in_head and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_MAX:
                self.send_400_response(f"The head of the request is larger than {HEAD_MAX // 1024} KiB.")

    def send_400_response(self, msg: str) -> None:
        """Refuse in a word, unless an answer is on its way already."""
        under_way = self.cycle if self.cycle is not None and not self.cycle.response_complete else None
        if under_way is not None:
            under_way.disconnected = True
            under_way.message_event.set()
            if under_way.response_started:
                self.transport.close()
                return
        super().send_400_response(msg)
