"""Every service: a person at a wrong address or with a wrong method sees a page, a program the problem document."""

import httpx
import pytest

from tests.contract.test_flow import APPS
from tests.contract.test_headers import served

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
TITLES = {
    ("GET", "/nothing"): (404, "页面不存在", "Page not found"),
    ("DELETE", "/healthz"): (405, "无法这样访问", "This does not work here"),
    ("GET", "/static/nothing.css"): (404, "页面不存在", "Page not found"),
    ("GET", "/nothing/%00?lang=%ff&lang=en"): (404, "Page not found", "Page not found"),
}


@pytest.mark.parametrize("name", APPS)
@pytest.mark.parametrize(("method", "path"), TITLES)
async def test_a_wrong_address_is_answered_to_whom_it_is(name: str, method: str, path: str) -> None:
    status, zh, en = TITLES[method, path]
    transport = httpx.ASGITransport(served(APPS[name]))
    async with httpx.AsyncClient(transport=transport, base_url="http://city.example") as http:
        for languages, text in (("zh-CN,zh;q=0.9", zh), ("en", en)):
            page = await http.request(method, path, headers={"Accept": BROWSER, "Accept-Language": languages})
            assert (page.status_code, page.headers["content-type"]) == (status, "text/html; charset=utf-8")
            assert f"<h1>{text}</h1>" in page.text
            assert 'class="help"' in page.text
        document = await http.request(method, path, headers={"Accept": "*/*"})
        assert (document.status_code, document.headers["content-type"]) == (status, "application/problem+json")


@pytest.mark.parametrize("path", ["/cases?sate=triage", "/cases/x", "/dead-letters", "/ledger?after=x"])
async def test_a_person_at_the_desk_sees_that_it_is_for_staff(path: str) -> None:
    transport = httpx.ASGITransport(served(APPS["router"]))
    async with httpx.AsyncClient(transport=transport, base_url="http://city.example") as http:
        page = await http.get(path, headers={"Accept": BROWSER, "Accept-Language": "en"})
        assert (page.status_code, page.headers["www-authenticate"]) == (401, "Bearer")
        assert "<h1>For staff only</h1>" in page.text
        assert (await http.get(path)).headers["content-type"] == "application/problem+json"
