"""The HTTP protocol below the routes, over a real connection."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from shared.http import protocol
from shared.http.protocol import BUFFER_BYTES_MAX, HEAD_BYTES_MAX, UNREAD_BYTES_MAX, BufferedTransport, HttpProtocol
from shared.service.process import Server
from tests.patience import PATIENCE_S

PIECE = 8_192


CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


async def echo(request: Request) -> PlainTextResponse:
    body = await request.body()
    return PlainTextResponse(f"{len(request.headers.get('x-long', ''))} {len(body)}")


async def unread(request: Request) -> PlainTextResponse:
    return PlainTextResponse("unread")


@asynccontextmanager
async def connection() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    app = Starlette(routes=[Route("/", echo, methods=["POST"]), Route("/unread", unread, methods=["POST"])])
    server = Server(uvicorn.Config(app, http=HttpProtocol, port=0, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(PATIENCE_S):
            yield reader, writer
    finally:
        writer.close()
        server.should_exit = True
        await serving


async def send(writer: asyncio.StreamWriter, *pieces: bytes) -> None:
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.01)


async def test_endless_request_headers_are_rejected() -> None:
    async with connection() as (reader, writer):
        await send(writer, b"POST / HTTP/1.1\r\nX-Long: ")
        answered = asyncio.create_task(reader.read())
        sent = 0
        while not answered.done():
            sent += PIECE
            await send(writer, b"x" * PIECE)
        answer = await answered
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.endswith(b"The request's headers are larger than 64 KiB; send less.")
    assert sent <= HEAD_BYTES_MAX + 4 * PIECE


@pytest.mark.parametrize("header", [10, HEAD_BYTES_MAX - 10_000])
async def test_a_long_head_in_pieces_and_a_body_are_taken_one_request_after_another(header: int) -> None:
    async with connection() as (reader, writer):
        for _ in range(2):
            await send(writer, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\nX-Long: ", b"x" * header)
            await send(writer, b"\r\n\r\n" + b"b" * 100_000, b"b" * 100_000)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 ")
            expected = f"{header} 200000".encode()
            assert await reader.readexactly(len(expected)) == expected


@pytest.mark.parametrize(
    ("start", "repeated"),
    [
        pytest.param(b"1\r\na\r\n0\r\n", b"X-Long: " + b"x" * PIECE + b"\r\n", id="trailers"),
        pytest.param(b"1\r\na\r\n0\r\nX-Long: ", b"x" * PIECE, id="one trailer"),
        pytest.param(b"1;", b"x" * PIECE, id="chunk extension"),
    ],
)
async def test_bytes_outside_the_body_are_limited_after_the_head_too(start: bytes, repeated: bytes) -> None:
    async with connection() as (reader, writer):
        await send(writer, CHUNKED + start)
        answered = asyncio.create_task(reader.read())
        sent = 0
        while not answered.done():
            sent += len(repeated)
            await send(writer, repeated)
        answer = await answered
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.endswith(b"The request's chunk extensions or trailers are larger than 64 KiB; send less.")
    assert sent <= HEAD_BYTES_MAX + 4 * PIECE


async def test_many_small_chunks_are_accepted_and_trailers_are_no_headers() -> None:
    async with connection() as (reader, writer):
        await send(writer, CHUNKED, *[b"1\r\na\r\n" * 10_000] * 2, b"0\r\nX-Long: abc\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        assert await reader.readexactly(7) == b"0 20000"


@pytest.mark.parametrize("start", [b"", b"\r\n", b"POST / HT", b"POST / HTTP/1.1\r\nX-Long: x\r\n"])
async def test_a_connection_without_a_complete_head_is_closed(start: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_S", 0.2)
    async with connection() as (reader, writer):
        await send(writer, start)
        assert await reader.read() == b""


async def test_a_head_that_stops_after_an_earlier_response_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_S", 0.2)
    async with connection() as (reader, writer):
        await send(writer, b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        await send(writer, b"POST /")
        assert await reader.read() == b"0 0"


async def test_a_silent_connection_after_a_response_is_left_to_the_keep_alive_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(protocol, "HEAD_S", 0.2)
    async with connection() as (reader, writer):
        for _ in range(2):
            await send(writer, b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")
            assert await reader.readexactly(3) == b"0 0"
            await asyncio.sleep(0.5)
        await send(writer, b"\r\n")
        assert await reader.read() == b""


async def test_a_body_that_stops_after_its_response_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_S", 0.2)
    async with connection() as (reader, writer):
        await send(writer, b"POST /unread HTTP/1.1\r\nContent-Length: 10\r\n\r\n")
        assert (await reader.read()).endswith(b"unread")


async def test_a_request_that_takes_long_is_not_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_S", 0.1)
    async with connection() as (reader, writer):
        await send(writer, b"POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\n")
        await asyncio.sleep(0.3)
        await send(writer, b"a")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")


async def test_a_body_that_continues_after_its_response_is_cut_off() -> None:
    async with connection() as (reader, writer):
        await send(writer, b"POST /unread HTTP/1.1\r\nContent-Length: 1000000000\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        with pytest.raises(ConnectionError):
            await send(writer, *[b"x" * 8 * PIECE] * (8 * UNREAD_BYTES_MAX // (8 * PIECE)))


# ── answers ──────────────────────────────────────────────────────────────────


class Sent:
    """A transport that records what is written."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        assert not self.closed
        self.writes.append(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


async def test_writes_of_one_loop_iteration_are_sent_together_in_order() -> None:
    sent = Sent()
    together = BufferedTransport(sent)  # type: ignore[arg-type]
    together.write(b"head ")
    together.write(b"body")
    assert sent.writes == []
    await asyncio.sleep(0)
    assert sent.writes == [b"head body"]
    together.write(b"more")
    await asyncio.sleep(0)
    assert sent.writes == [b"head body", b"more"]


async def test_large_writes_are_sent_at_once_for_backpressure() -> None:
    sent = Sent()
    together = BufferedTransport(sent)  # type: ignore[arg-type]
    together.write(b"x" * BUFFER_BYTES_MAX)
    together.write(b"y")
    assert sent.writes == [b"x" * BUFFER_BYTES_MAX]
    await asyncio.sleep(0)
    assert sent.writes[1:] == [b"y"]


async def test_pending_writes_are_sent_before_closing() -> None:
    sent = Sent()
    together = BufferedTransport(sent)  # type: ignore[arg-type]
    together.write(b"last words")
    together.close()
    assert (sent.writes, together.is_closing()) == ([b"last words"], True)
    await asyncio.sleep(0)
    assert sent.writes == [b"last words"]


async def test_responses_on_one_connection_are_sequential() -> None:
    async with connection() as (reader, writer):
        for length in (0, 3, 100_000):
            await send(writer, b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % length, b"x" * length)
            answer = await reader.readuntil(b"\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 200 ")
            assert await reader.readexactly(len(f"0 {length}")) == f"0 {length}".encode()
        await send(writer, 2 * b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
        for _ in range(2):
            await reader.readuntil(b"\r\n\r\n")
            assert await reader.readexactly(3) == b"0 0"
