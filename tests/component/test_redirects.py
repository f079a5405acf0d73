"""Redirects stay on the server that answers and ignore the host of the request."""

import httpx
import pytest
from fastapi import FastAPI

from shared.http import problems


def application() -> FastAPI:
    app = FastAPI()
    problems.install(app)

    @app.get("/hall")
    async def hall() -> str:
        return "hall"

    @app.get("/{rest:path}/end")
    async def end(rest: str) -> str:
        return rest

    return app


@pytest.mark.parametrize(
    ("asked", "location"),
    [
        ("/hall/", "/hall"),
        ("/hall/?after=1&language=zh", "/hall?after=1&language=zh"),
        ("//evil.example/x/end/", "/evil.example/x/end"),
    ],
)
async def test_a_redirect_names_no_host(asked: str, location: str) -> None:
    transport = httpx.ASGITransport(application())
    async with httpx.AsyncClient(transport=transport, base_url="http://evil.example") as client:
        answer = await client.get(f"http://evil.example{asked}")
    assert (answer.status_code, answer.headers["location"]) == (307, location)
