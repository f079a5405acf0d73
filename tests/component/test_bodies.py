"""Request bodies that are too large, too slow or incomplete are rejected early."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI, Request

from shared.http import problems, request_body
from shared.http.request_body import LENGTH_DIGITS, REQUEST_MAX, limited_body


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    problems.install(app)

    @app.post("/")
    async def length(request: Request) -> int:
        return len(await limited_body(request))

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://city.example") as client:
        yield client


class Body(httpx.AsyncByteStream):
    """A body in pieces of one KiB with pauses; counts the pieces read."""

    def __init__(self, pieces: int, pause_s: float = 0.0) -> None:
        self.pieces, self.pause_s, self.taken = pieces, pause_s, 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(self.pieces):
            await asyncio.sleep(self.pause_s)
            self.taken += 1
            yield b"x" * 1024


async def test_a_body_up_to_the_limit_is_read(http: httpx.AsyncClient) -> None:
    assert (await http.post("/", content=b"x" * REQUEST_MAX)).json() == REQUEST_MAX


@pytest.mark.parametrize(
    ("announced", "size"),
    [
        (str(REQUEST_MAX + 1), "262145"),
        ("9" * LENGTH_DIGITS, "9" * LENGTH_DIGITS),
        ("9" * (LENGTH_DIGITS + 1), "more than 262144"),
        ("9" * 5_000, "more than 262144"),
    ],
)
async def test_a_body_with_a_too_large_content_length_is_not_read(
    http: httpx.AsyncClient, announced: str, size: str
) -> None:
    body = Body(1)
    answer = await http.post("/", content=body, headers={"Content-Length": announced})
    assert (answer.status_code, body.taken) == (413, 0)
    assert answer.json()["detail"] == f"The request has {size} bytes; at most 262144 are accepted. Send less."


@pytest.mark.parametrize("announced", ["1", "0", "ten", "-1", ""])
async def test_a_wrong_content_length_does_not_bypass_the_limit(http: httpx.AsyncClient, announced: str) -> None:
    body = Body(1_000)
    answer = await http.post("/", content=body, headers={"Content-Length": announced})
    assert answer.status_code == 413
    assert answer.json()["detail"] == "The request has more than 262144 bytes; at most 262144 are accepted. Send less."
    assert body.taken < 300


async def test_a_slow_body_times_out(http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_body, "READING_S", 0.2)
    body = Body(100, pause_s=0.05)
    answer = await http.post("/", content=body)
    assert (answer.status_code, answer.headers["connection"]) == (408, "close")
    assert answer.json()["detail"] == "The whole request did not arrive within 0.2 s; send it again."
    assert body.taken < 100
