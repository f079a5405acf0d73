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

from shared.http.protocol import BUFFER_BYTES_MAX, HEAD_BYTES_MAX, BufferedTransport, HttpProtocol
from shared.service.process import Server

LIMIT_S = 20
PIECE = 8_192


async def echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"{len(request.headers.get('x-long', ''))} {len(await request.body())}")


@asynccontextmanager
async def connection() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    app = Starlette(routes=[Route("/", echo, methods=["POST"])])
    server = Server(uvicorn.Config(app, http=HttpProtocol, port=0, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(LIMIT_S):
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
