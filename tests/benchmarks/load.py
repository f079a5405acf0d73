"""HTTP/1.1 requests over plain connections, on an open-loop schedule or with fixed concurrency.

A client library would take longer for a request than the services do, and would limit the measurement.
"""

import asyncio
import itertools
import json
import random
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import cast

from tests.benchmarks.messages import ResidentMessage

LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
ACCEPTED = 202
LEAD_S = 0.05
LIMIT_S = 60.0


class NotAccepted(RuntimeError):
    """A response other than 202: a benchmark must not be refused anything."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """An accepted request; times in seconds of the system clock."""

    inquiry_id: str
    due: float
    answered: float


@dataclass(frozen=True)
class Address:
    """The address of a service."""

    host: str
    port: int

    def post(self, path: str, body: str) -> bytes:
        """The bytes of a request."""
        content = body.encode()
        head = f"POST {path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\nContent-Type: application/json\r\n"
        return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content


def requests_of(messages: Iterable[ResidentMessage], address: Address) -> list[bytes]:
    """The requests for these messages."""
    fields = {"subject", "body", "channel", "contact", "departments", "public"}
    return [
        address.post("/inquiries", one.request.model_dump_json(include=fields, exclude_defaults=True))
        for one in messages
    ]


class Connection(asyncio.Protocol):
    """A keep-alive connection for one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Called by asyncio; a response is complete at its Content-Length."""
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if not found or length is None or len(body) < int(length[1]):
            return
        self._received.clear()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result((int(head[9:12]), bytes(body)))

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(NotAccepted(f"the connection was closed: {exc}"))

    async def accepted(self, request: bytes) -> bytes:
        """Send a request; returns the response body. Raises NotAccepted."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        status, body = await self._answer
        if status != ACCEPTED:
            raise NotAccepted(f"answered {status}: {body[:300]!r}")
        return body

    @property
    def closed(self) -> bool:
        """Whether the server has closed it."""
        return self._transport is None or self._transport.is_closing()

    def close(self) -> None:
        """Close it."""
        if self._transport is not None:
            self._transport.abort()


async def connect(address: Address) -> Connection:
    """Open a connection."""
    _, connection = await asyncio.get_running_loop().create_connection(Connection, address.host, address.port)
    return connection


async def on_schedule(address: Address, requests: Sequence[bytes], per_s: float, seed: int) -> list[Accepted]:
    """Send each request at its time, without waiting for earlier responses.

    The intervals are random, as residents write independently; the same seed makes the same times.
    """
    dice = random.Random(seed)
    began = time.time() + LEAD_S
    due = list(itertools.accumulate((dice.expovariate(per_s) for _ in requests), initial=began))
    idle: list[Connection] = []
    opened: list[Connection] = []

    async def send(at: float, request: bytes) -> Accepted:
        while idle and idle[-1].closed:
            idle.pop()
        if idle:
            connection = idle.pop()
        else:
            connection = await connect(address)
            opened.append(connection)
        body = await connection.accepted(request)
        answered = time.time()
        idle.append(connection)
        return Accepted(json.loads(body)["inquiry_id"], at, answered)

    sent = []
    try:
        async with asyncio.timeout(due[-1] - began + LIMIT_S):
            for at, request in zip(due, requests, strict=False):
                await asyncio.sleep(max(at - time.time(), 0))
                sent.append(asyncio.create_task(send(at, request)))
            return await asyncio.gather(*sent)
    finally:
        for connection in opened:
            connection.close()


async def at_once(address: Address, requests: Sequence[bytes], concurrency: int) -> list[Accepted]:
    """Send all of them with this concurrency."""
    left = iter(requests)
    connections = [await connect(address) for _ in range(concurrency)]
    accepted: list[Accepted] = []

    async def work(connection: Connection) -> None:
        for request in left:
            due = time.time()
            body = await connection.accepted(request)
            accepted.append(Accepted(json.loads(body)["inquiry_id"], due, time.time()))

    try:
        await asyncio.gather(*map(work, connections))
    finally:
        for connection in connections:
            connection.close()
    return accepted


async def pressed(
    address: Address, requests: Sequence[bytes], concurrency: int, warm_up_s: float, span_s: float
) -> float:
    """Accepted requests per second with this concurrency; the requests are repeated, each as a new message."""
    left = itertools.cycle(requests)
    connections = [await connect(address) for _ in range(concurrency)]
    counted_from = time.monotonic() + warm_up_s
    until = counted_from + span_s
    count = 0

    async def work(connection: Connection) -> None:
        nonlocal count
        for request in left:
            await connection.accepted(request)
            now = time.monotonic()
            if now >= until:
                return
            count += now >= counted_from

    try:
        await asyncio.gather(*map(work, connections))
    finally:
        for connection in connections:
            connection.close()
    return count / span_s
