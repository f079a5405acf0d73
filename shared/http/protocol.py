"""The HTTP server protocol of every service: uvicorn's httptools parser, with a limit on request heads."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES_MAX = 64 * 1024
BUFFER_BYTES_MAX = 64 * 1024


class BufferedTransport:
    """Joins the writes of one iteration of the event loop, so that an answer's head and body share one system call.

    With 256 concurrent clients intake accepts 4,530 instead of 4,240 messages a second (docs/decisions/0010-measuring.md).
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._pieces: list[bytes] = []
        self._bytes = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send before the next iteration of the event loop; at once from BUFFER_BYTES_MAX on, so that flow control works."""
        if not self._pieces:
            self._loop.call_soon(self.flush)
        self._pieces.append(data)
        self._bytes += len(data)
        if self._bytes >= BUFFER_BYTES_MAX:
            self.flush()

    def flush(self) -> None:
        if self._pieces:
            self._transport.write(b"".join(self._pieces))
            self._pieces, self._bytes = [], 0

    def close(self) -> None:
        self.flush()
        self._transport.close()


class HttpProtocol(HttpToolsProtocol):
    """uvicorn's connection with three differences.

    It limits the size of a request's head, which httptools does not. When a body turns out to be invalid HTTP, it ends the
    route that is reading it, where uvicorn would answer a second time. It sends an answer's head and body together.
    """

    _in_head = False
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(BufferedTransport(transport))  # type: ignore[arg-type]  # has every method uvicorn uses

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
            if self._head_bytes > HEAD_BYTES_MAX:
                self.send_400_response(
                    f"The request's headers are larger than {HEAD_BYTES_MAX // 1024} KiB; send less."
                )

    def send_400_response(self, msg: str) -> None:
        """Answer 400; if the answer has already started, close the connection instead."""
        open_cycle = self.cycle if self.cycle is not None and not self.cycle.response_complete else None
        if open_cycle is not None:
            open_cycle.disconnected = True
            open_cycle.message_event.set()
            if open_cycle.response_started:
                self.transport.close()
                return
        super().send_400_response(msg)
