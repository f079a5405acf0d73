"""Direct routes: matched before all others, with the same responses and documentation."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request, Response
from pydantic import TypeAdapter
from starlette.routing import Match

from shared.http import problems
from shared.http.direct_routes import DirectRoute, header, header_parameter, install_direct_routes
from shared.http.problems import Problem
from shared.http.security_headers import EVERY_ANSWER

SHORT: TypeAdapter[str | None] = TypeAdapter(str | None)


async def echo(request: Request) -> Response:
    body = await request.body()
    if body == b"defect":
        raise RuntimeError("the words of a resident")
    if body == b"wrong":
        raise Problem(409, "This is wrong.")
    return Response(body + (header(request, "mark", SHORT) or "").encode())


def made(*, fronted: bool) -> FastAPI:
    app, router = FastAPI(), APIRouter()
    problems.install(app)
    described = {"parameters": [header_parameter("mark", SHORT)]}
    router.add_api_route("/echo", echo, methods=["POST"], route_class_override=DirectRoute, openapi_extra=described)
    app.include_router(router)
    if fronted:
        install_direct_routes(app)
    return app


@pytest.fixture(params=[True, False], ids=["in front", "where it stands"])
async def http(request: pytest.FixtureRequest) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(made(fronted=request.param), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://city.example") as client:
        yield client


async def test_a_direct_route_has_safe_headers(http: httpx.AsyncClient) -> None:
    answer = await http.post("/echo", content=b"a", headers={"Mark": "!"})
    assert (answer.status_code, answer.text) == (200, "a!")
    assert {name: answer.headers[name] for name in EVERY_ANSWER} == EVERY_ANSWER


@pytest.mark.parametrize(("body", "status"), [(b"wrong", 409), (b"defect", 500)])
async def test_an_error_of_a_direct_route_is_a_problem(http: httpx.AsyncClient, body: bytes, status: int) -> None:
    answer = await http.post("/echo", content=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, problems.MEDIA_TYPE)
    assert "resident" not in answer.text


async def test_another_method_returns_the_allowed_one(http: httpx.AsyncClient) -> None:
    answer = await http.get("/echo")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_a_direct_route_is_matched_first_and_documented_once() -> None:
    app = made(fronted=True)
    scope = {"type": "http", "method": "POST", "path": "/echo"}
    assert app.routes[0].matches(scope)[0] is Match.FULL
    assert app.openapi() == made(fronted=False).openapi()
    [described] = app.openapi()["paths"]["/echo"]["post"]["parameters"]
    assert (described["name"], described["in"], described["required"]) == ("mark", "header", False)
