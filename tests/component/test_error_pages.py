"""Errors: a person gets a page in their language, a program the problem document."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from shared.contracts.fields import Contact
from shared.http import problems
from shared.http.problems import Problem
from shared.kafka.failures import DependencyUnavailable
from shared.store.mongo import StoreUnavailable
from shared.web.error_pages import error_pages
from shared.web.layout import Site

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
FAILURES = {
    "limited": Problem(429, "Too many.", headers={"Retry-After": "7"}),
    "staff": Problem(401, "A token is needed.", headers={"WWW-Authenticate": "Bearer"}),
    "store": StoreUnavailable("gone"),
    "city": DependencyUnavailable("city", "No city."),
    "broken": RuntimeError("a secret"),
}


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    problems.install(app, error_pages(Site(intake="https://city.example", hall="")))

    @app.get("/number/{number}")
    async def number(number: int) -> int:
        return number

    @app.get("/fails/{how}")
    async def fails(how: str) -> None:
        if how == "model":
            Contact.model_validate({"name": 7})
        raise FAILURES[how]

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://city.example") as client:
        yield client


@pytest.mark.parametrize(
    ("method", "path", "status", "zh", "en"),
    [
        ("GET", "/nothing", 404, "页面不存在", "Page not found"),
        ("POST", "/number/1", 405, "无法这样访问", "This does not work here"),
        ("GET", "/number/one", 422, "网址有误", "The address is not valid"),
        ("GET", "/fails/model", 422, "网址有误", "The address is not valid"),
        ("GET", "/fails/limited", 429, "", "Too many attempts"),
        ("GET", "/fails/staff", 401, "仅限工作人员", "For staff only"),
        ("GET", "/fails/store", 503, "", "The service is temporarily unavailable"),
        ("GET", "/fails/city", 503, "", "The service is temporarily unavailable"),
        ("GET", "/fails/broken", 500, "", "Something went wrong"),
    ],
)
async def test_a_person_sees_a_page_and_a_program_a_document(
    http: httpx.AsyncClient, method: str, path: str, status: int, zh: str, en: str
) -> None:
    document = await http.request(method, path, headers={"Accept": "application/json"})
    assert (document.status_code, document.headers["content-type"]) == (status, "application/problem+json")
    for languages, tag, text in (("zh-CN", "zh-CN", zh), ("en-GB", "en", en)):
        page = await http.request(method, path, headers={"Accept": BROWSER, "Accept-Language": languages})
        assert (page.status_code, page.headers["content-type"]) == (status, "text/html; charset=utf-8")
        assert (page.headers["content-language"], page.headers["cache-control"]) == (tag, "no-store")
        assert text in page.text
        assert "secret" not in page.text
        assert 'href="https://city.example/?lang=' in page.text
        for name in ("retry-after", "www-authenticate", "allow"):
            assert page.headers.get(name) == document.headers.get(name)


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (BROWSER, "text/html"),
        ("text/html", "text/html"),
        ("TEXT/HTML ; charset=utf-8", "text/html"),
        ("application/json, text/html", "text/html"),
        ("application/json, text/html;q=0.5", "application/problem+json"),
        ("text/html;q=0", "application/problem+json"),
        ("text/html;q=much", "application/problem+json"),
        ("application/problem+json", "application/problem+json"),
        ("*/*", "application/problem+json"),
        ("", "application/problem+json"),
        ("," * 5_000 + "text/html", "application/problem+json"),
    ],
)
async def test_the_accept_header_decides(http: httpx.AsyncClient, accept: str, kind: str) -> None:
    answer = await http.get("/nothing", headers={"Accept": accept})
    assert answer.headers["content-type"].partition(";")[0] == kind


async def test_the_chosen_language_wins_and_can_be_changed(http: httpx.AsyncClient) -> None:
    page = await http.get("/nothing?lang=en", headers={"Accept": BROWSER, "Accept-Language": "zh"})
    assert "Page not found" in page.text
    assert 'href="?lang=zh"' in page.text


async def test_the_address_is_not_on_the_page(http: httpx.AsyncClient) -> None:
    page = await http.get("/no%E2%80%AEthing%3Cscript%3E", headers={"Accept": BROWSER})
    assert page.status_code == 404
    assert "thing" not in page.text.replace("nothing", "")
