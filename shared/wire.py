"""HTTP as every service speaks it: parsed in C, which takes half the time; no head of a request grows without end."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_MAX = 64 * 1024


class Wire(HttpToolsProtocol):
    """uvicorn's connection with two differences.

    The parser would keep a head of any size, so what comes piece by piece is counted here. And a body that turns out to
    be none ends the route that was reading it; uvicorn would answer a second time.
    """

    _in_head = False
    _head_bytes = 0

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
