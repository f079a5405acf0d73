"""Every response of every route has safe headers; errors are problem documents without stack traces."""

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from shared.runtime.settings import Settings
from shared.service.service import Service
from tests.backing import Backing
from tests.contract.test_flow import APPS
from tests.contract.test_openapi import DOCUMENTS

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
SECRET = "a secret that is long enough to be one"
BEARER = {"Authorization": f"Bearer {SECRET}"}
EXAMPLES = {"inquiry_id": "20260316-7KQ2M9XD", "code": "lighthouses", "event_id": "nothing", "id": "router-0", "n": "1"}
EXAMPLES |= {"name": "nobody", "token_id": "0a"}
KEPT = ("/docs", "/asyncapi", "/hall", "/scoreboard")
"""Public responses, which browsers may cache with revalidation. All others are `no-store`."""
ACCEPTS = ("text/html", "application/json")
NOWHERE = (
    "/nothing",
    "/nothing/../at/all",
    "/static/nothing.css",
    "/static/..%2f..%2fpages.py",
    "/static/%00",
    "/nothing//",
    "/%ff",
)


class City(dict[str, httpx.AsyncClient]):
    """A client for each service; the store is real, Kafka is not needed."""


@pytest.fixture(scope="module")
async def clients(running: Backing, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[City]:
    secret = tmp_path_factory.mktemp("secrets") / "secret"
    secret.write_text(SECRET)
    settings = Settings(kafka=running.kafka, mongodb=running.mongodb, secret_file=secret, operator_token_file=secret)
    city = City()
    for name, app in APPS.items():
        service = app.make(settings)
        transport = httpx.ASGITransport(service.app, raise_app_exceptions=False)
        city[name] = httpx.AsyncClient(transport=transport, base_url="http://city.example")
    yield city
    for client in city.values():
        await client.aclose()


def routes() -> Iterator[tuple[str, str, frozenset[str]]]:
    """Every path of every service, with its methods."""
    for name, app in APPS.items():
        found: dict[str, set[str]] = {}
        for route in iter_route_contexts(served(app).routes):
            if route.path is not None and route.methods:
                found.setdefault(route.path, set()).update(route.methods)
        yield from ((name, path, frozenset(methods - {"HEAD"})) for path, methods in sorted(found.items()))


def served(app: Any) -> FastAPI:
    secret = Path(__file__)
    service: Service = app.make(Settings(secret_file=secret, operator_token_file=secret))
    return service.app


ROUTES = list(routes())
EVERY_ROUTE = pytest.mark.parametrize(
    ("name", "path", "methods"), ROUTES, ids=[f"{name} {path}" for name, path, _ in ROUTES]
)


def test_routes_exist() -> None:
    found = {(name, path): methods for name, path, methods in ROUTES}
    assert found["intake", "/"] == {"GET", "POST"}
    assert found["router", "/cases/{inquiry_id}/commands"] == {"POST"}
    assert all((name, path) in found for name in APPS for path in ("/docs", "/metrics", "/readyz", "/openapi.json"))


def checked(answer: httpx.Response) -> httpx.Response:
    """Assert what holds for every response."""
    policy, kind = answer.headers["content-security-policy"], answer.headers.get("content-type", "")
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "Traceback" not in answer.text
    assert 'File "' not in answer.text
    if kind.startswith("text/html"):
        scripts = re.findall(r"<script[^>]*>", answer.text.lower())
        assert all(re.fullmatch(r'<script src="/[\w/.-]+">', one) for one in scripts)
        assert (scripts != []) == ("script-src 'self';" in policy) == (answer.url.path == "/docs")
        assert " style=" not in answer.text.lower()
    elif answer.status_code >= 400:
        assert answer.json().keys() >= ({"ready", "reasons"} if "ready" in answer.json() else {"title", "detail"})
    return answer


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.headers["cache-control"] == "no-store"
    body: dict[str, Any] = checked(answer).json()
    assert (body["status"], body["detail"][-1]) == (status, ".")
    return body


@EVERY_ROUTE
@pytest.mark.parametrize("accept", ACCEPTS)
@pytest.mark.parametrize("token", [{}, BEARER], ids=["anybody", "operator"])
async def test_every_response_has_safe_headers(
    clients: City, name: str, path: str, methods: frozenset[str], accept: str, token: dict[str, str]
) -> None:
    for method in sorted(methods):
        headers = {"Accept": accept, "X-Query-Code": "none", **token}
        answer = checked(await clients[name].request(method, path.format(**EXAMPLES), headers=headers))
        assert answer.status_code < 500 or path == "/readyz", answer.text
        if answer.headers["cache-control"] != "no-store":
            assert answer.headers["cache-control"] == "no-cache"
            assert path.startswith(KEPT) or (name, path) == ("notifier", "/")


@EVERY_ROUTE
async def test_operator_routes_reject_requests_without_the_token(
    clients: City, name: str, path: str, methods: frozenset[str]
) -> None:
    """Routes of the desk, and routes that OpenAPI marks as protected; with no token, a wrong one, or another scheme."""
    for method in sorted(methods):
        documented = DOCUMENTS[name]["paths"].get(path, {}).get(method.lower(), {})
        if not (documented.get("security") or (name == "router" and "desk" in documented.get("tags", ()))):
            continue
        for value in (None, "Bearer", "Bearer wrong", f"Basic {SECRET}", f"bearer x{SECRET}", SECRET):
            headers = {"Authorization": value} if value else {}
            answer = await clients[name].request(method, path.format(**EXAMPLES), headers=headers)
            assert problem(answer, answer.status_code)["status"] in (401, 429)
            assert answer.headers.get("www-authenticate", "Bearer") == "Bearer"


def test_operator_routes_are_marked_as_protected() -> None:
    secured = {
        (name, path)
        for name, document in DOCUMENTS.items()
        for path, methods in document["paths"].items()
        for operation in methods.values()
        if operation.get("security")
    }
    open_paths = {(name, path) for name, document in DOCUMENTS.items() for path in document["paths"]} - secured
    operations = {"/healthz", "/readyz", "/asyncapi.json"}
    assert {(name, path) for name, path in open_paths if path not in operations} == {
        ("intake", "/inquiries"),
        ("intake", "/inquiries/{inquiry_id}"),
        ("intake", "/inquiries/{inquiry_id}/rating"),
        ("intake", "/inquiries/{inquiry_id}/additions"),
        ("intake", "/inquiries/{inquiry_id}/withdrawal"),
        ("intake", "/inquiries/{inquiry_id}/hall-report"),
        ("intake", "/inquiries/{inquiry_id}/link-request"),
        ("notifier", "/hall"),
        ("notifier", "/hall/feed.json"),
        ("notifier", "/hall/{inquiry_id}"),
        ("notifier", "/mail/confirm"),
        ("notifier", "/mail/stop"),
        ("notifier", "/mail/resume"),
        ("scorer", "/scoreboard"),
        ("scorer", "/inquiries/{inquiry_id}/clocks"),
    }


@EVERY_ROUTE
async def test_a_wrong_method_returns_the_allowed_methods(
    clients: City, name: str, path: str, methods: frozenset[str]
) -> None:
    for method in set(METHODS) - methods:
        answer = await clients[name].request(method, path.format(**EXAMPLES), headers=BEARER)
        assert method in problem(answer, 405)["detail"]
        assert set(answer.headers["allow"].split(", ")) - {"HEAD"} == methods


@EVERY_ROUTE
async def test_head_is_allowed_wherever_get_is(clients: City, name: str, path: str, methods: frozenset[str]) -> None:
    whole = await clients[name].request("GET", path.format(**EXAMPLES), headers=BEARER)
    head = await clients[name].request("HEAD", path.format(**EXAMPLES), headers=BEARER)
    assert head.status_code == whole.status_code
    assert head.headers.get("content-type") == whole.headers.get("content-type")


@pytest.mark.parametrize("name", sorted(APPS))
@pytest.mark.parametrize("path", NOWHERE)
async def test_an_unknown_path_returns_a_problem(clients: City, name: str, path: str) -> None:
    problem(await clients[name].get(path), 404)


@pytest.mark.parametrize("name", sorted(APPS))
async def test_static_files_are_read_only(clients: City, name: str) -> None:
    answer = await clients[name].post("/static/chorus.css")
    problem(answer, 405)
    assert answer.headers["allow"] == "HEAD, GET"
    assert checked(await clients[name].get("/static/chorus.css")).status_code == 200


@pytest.mark.parametrize("name", sorted(APPS))
async def test_an_internal_error_is_reported_without_its_message(name: str) -> None:
    app = served(APPS[name])

    @app.get("/defect")
    async def defect() -> None:
        raise RuntimeError("the words of a resident")

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://city.example") as client:
        answer = await client.get("/defect")
    assert problem(answer, 500)["detail"] == "Internal error; it has been logged."
    assert "resident" not in answer.text
