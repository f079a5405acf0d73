"""Bodies that are too large, too slow or broken off: told so before they are whole, and nothing is kept waiting for ever."""

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
    """Comes in pieces of a kibibyte, with a pause before each; tells how many were taken."""

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
async def test_what_says_that_it_is_too_large_is_not_read(http: httpx.AsyncClient, announced: str, size: str) -> None:
    body = Body(1)
    answer = await http.post("/", content=body, headers={"Content-Length": announced})
    assert (answer.status_code, body.taken) == (413, 0)
    assert answer.json()["detail"] == f"The request has {size} bytes; at most 262144 are taken. Write less."


@pytest.mark.parametrize("announced", ["1", "0", "ten", "-1", ""])
async def test_a_length_that_is_a_lie_changes_nothing(http: httpx.AsyncClient, announced: str) -> None:
    body = Body(1_000)
    answer = await http.post("/", content=body, headers={"Content-Length": announced})
    assert answer.status_code == 413
    assert answer.json()["detail"] == "The request has more than 262144 bytes; at most 262144 are taken. Write less."
    assert body.taken < 300


async def test_a_body_that_trickles_is_not_waited_for(http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_body, "READING_S", 0.2)
    body = Body(100, pause_s=0.05)
    answer = await http.post("/", content=body)
    assert (answer.status_code, answer.headers["connection"]) == (408, "close")
    assert answer.json()["detail"] == "The request has not arrived whole within 0.2 s; send it again."
    assert body.taken < 100
