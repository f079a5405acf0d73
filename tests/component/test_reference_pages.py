"""The pages `/docs` (Swagger UI) and `/asyncapi` (topics and messages)."""

from pathlib import Path

import pytest
from httpx import ASGITransport, AsyncClient

from shared.runtime.languages import Lang
from shared.service.service import Service
from shared.web.layout import Site
from shared.web.topics_page import form, shown, topics_page
from tests.contract.test_flow import APPS, made


@pytest.fixture(params=sorted(APPS))
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Service:
    return made(request.param, tmp_path)


async def test_swagger_ui_is_served_without_external_files(service: Service) -> None:
    async with AsyncClient(transport=ASGITransport(service.app), base_url="http://city.example") as client:
        page = await client.get("/docs")
        assert page.status_code == 200
        assert "//" not in page.text.replace("<!doctype html>", "")
        assert "unsafe" not in page.headers["content-security-policy"]
        assert "script-src 'self';" in page.headers["content-security-policy"]
        for path in ("/docs/files/swagger-ui-bundle.js", "/docs/files/swagger-ui.css", "/static/docs.js"):
            assert f'"{path}"' in page.text
            answer = await client.get(path)
            assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")
        other = await client.get("/asyncapi")
        assert "script-src" not in other.headers["content-security-policy"]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_shows_every_topic_message_and_field(service: Service, lang: Lang) -> None:
    document = service.asyncapi()
    page = bytes(topics_page(lang, document, Site()).body).decode()
    assert [one.reads for one in shown(document)] == sorted((one.reads for one in shown(document)), reverse=True)
    for channel in document["channels"].values():
        assert channel["address"] in page
        assert all(message["title"] in page for message in channel["messages"].values())
    assert all(field.name in page for topic in shown(document) for one in topic.messages for field in one.fields)
    assert "<script" not in page
    assert "https://" not in page


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "string", "format": "date-time"}, "time"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "text or null"),
        ({"type": "array", "items": {"type": "string"}}, "list of text"),
        ({"enum": ["zh", "en"]}, "one of: zh, en"),
        ({"const": 1}, "always 1"),
        ({}, "anything"),
        ({"$ref": "#/a~1b"}, "integer"),
    ],
)
def test_a_schema_is_described_in_text(schema: dict[str, object], words: str) -> None:
    assert form({"a/b": {"type": "integer"}}, schema) == words
