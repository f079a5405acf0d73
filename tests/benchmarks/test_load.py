"""The load generator: an open-loop schedule, fixed concurrency, and rejected requests."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from tests.benchmarks.load import Address, NotAccepted, at_once, on_schedule

Answering = Callable[[int], Awaitable[bytes]]
REQUEST = "{}"


def answer(inquiry_id: str, status: str = "202 Accepted") -> bytes:
    body = json.dumps({"inquiry_id": inquiry_id}).encode()
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@asynccontextmanager
async def server(answering: Answering) -> AsyncIterator[Address]:
    """A server whose responses the test chooses, sent in two pieces."""
    asked = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        while await reader.readline():
            await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(len(REQUEST))
            asked += 1
            said = await answering(asked)
            writer.write(said[:30])
            await writer.drain()
            await asyncio.sleep(0)
            writer.write(said[30:])
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        yield Address("127.0.0.1", listening.sockets[0].getsockname()[1])


async def test_requests_are_sent_on_schedule_without_earlier_responses() -> None:
    everyone_has_asked = asyncio.Event()

    async def answering(number: int) -> bytes:
        if number == 20:
            everyone_has_asked.set()
        await everyone_has_asked.wait()
        return answer(f"inquiry-{number}")

    async with server(answering) as address:
        accepted = await on_schedule(address, [address.post("/inquiries", REQUEST)] * 20, per_s=2_000, seed=1)
    assert {one.inquiry_id for one in accepted} == {f"inquiry-{number}" for number in range(1, 21)}
    assert [one.due for one in accepted] == sorted(one.due for one in accepted)
    assert all(one.answered > one.due for one in accepted)


async def test_concurrency_is_limited() -> None:
    under_way, most = 0, 0

    async def answering(number: int) -> bytes:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.001)
        under_way -= 1
        return answer(str(number))

    async with server(answering) as address:
        accepted = await at_once(address, [address.post("/inquiries", REQUEST)] * 50, concurrency=4)
    assert len(accepted) == 50
    assert most == 4


async def test_a_rejected_request_ends_the_measurement() -> None:
    async def answering(number: int) -> bytes:
        return answer("x", "429 Too Many Requests")

    async with server(answering) as address:
        with pytest.raises(NotAccepted, match="answered 429"):
            await at_once(address, [address.post("/inquiries", REQUEST)], concurrency=1)
