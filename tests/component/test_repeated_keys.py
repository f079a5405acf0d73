"""A JSON body with a repeated key is refused, because one of the two values would be lost without a word."""

import pytest
from fastapi import FastAPI, Request
from httpx import ASGITransport, AsyncClient
from pydantic import BaseModel

from shared.http import problems
from shared.http.request_body import json_body, parsed
from tests.conftest import REPOSITORY


class Given(BaseModel):
    public: bool
    contact: dict[str, str] = {}


def application() -> FastAPI:
    app = FastAPI()
    problems.install(app)

    @app.post("/")
    async def take(request: Request) -> bool:
        return parsed(Given, await json_body(request)).public

    return app


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ('{"public": false}', 200),
        ('{"public": false, "public": true}', 422),
        ('{"public": false, "contact": {"name": "a", "name": "a"}}', 422),
        ('{"public": false, "unknown": {"a": 1, "a": 2}}', 422),
    ],
)
async def test_a_repeated_key_is_refused(body: str, status: int) -> None:
    async with AsyncClient(transport=ASGITransport(application()), base_url="http://x") as client:
        answer = await client.post("/", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    if status == 422:
        assert "is repeated in one object; keep one of them" in answer.json()["detail"]


def test_no_route_parses_a_body_in_another_way() -> None:
    sources = [*(REPOSITORY / "services").rglob("*.py"), *(REPOSITORY / "shared").rglob("*.py")]
    readers = [
        one for one in sources if "await limited_body(" in one.read_text() or "await json_body(" in one.read_text()
    ]
    assert readers
    for file in readers:
        if file.name != "request_body.py":
            assert "model_validate_json(await" not in file.read_text("utf-8"), file
