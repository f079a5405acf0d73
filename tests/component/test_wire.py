"""What a service does with a request before any route sees it, over a real connection."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from shared.running import Server
from shared.wire import HEAD_MAX, Wire

LIMIT_S = 20
PIECE = 8_192


async def echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"{len(request.headers.get('x-long', ''))} {len(await request.body())}")


@asynccontextmanager
async def connection() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    app = Starlette(routes=[Route("/", echo, methods=["POST"])])
    server = Server(uvicorn.Config(app, http=Wire, port=0, log_config=None, lifespan="off"))
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


async def test_a_head_that_never_ends_is_refused_before_it_fills_the_memory() -> None:
    async with connection() as (reader, writer):
        await send(writer, b"POST / HTTP/1.1\r\nX-Long: ")
        answered = asyncio.create_task(reader.read())
        sent = 0
        while not answered.done():
            sent += PIECE
            await send(writer, b"x" * PIECE)
        answer = await answered
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.endswith(b"The head of the request is larger than 64 KiB.")
    assert sent <= HEAD_MAX + 4 * PIECE


@pytest.mark.parametrize("header", [10, HEAD_MAX - 10_000])
async def test_a_long_head_in_pieces_and_a_body_are_taken_one_request_after_another(header: int) -> None:
    async with connection() as (reader, writer):
        for _ in range(2):
            await send(writer, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\nX-Long: ", b"x" * header)
            await send(writer, b"\r\n\r\n" + b"b" * 100_000, b"b" * 100_000)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 ")
            expected = f"{header} 200000".encode()
            assert await reader.readexactly(len(expected)) == expected
