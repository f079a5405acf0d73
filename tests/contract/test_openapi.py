"""OpenAPI documents are valid, and every operation documents its errors."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Match

from tests.contract.test_flow import APPS, made

METHODS = {"get", "put", "post", "delete", "patch"}


def documents() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        return {name: made(name, Path(folder)).app.openapi() for name in APPS}


DOCUMENTS = documents()
OPERATIONS = [
    pytest.param(path, operation, id=f"{name}: {method.upper()} {path}")
    for name, document in DOCUMENTS.items()
    for path, operations in document["paths"].items()
    for method, operation in operations.items()
    if method in METHODS and operation.get("tags") != ["operations"]
]


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for one in node.values():
            yield from references(one)
    elif isinstance(node, list):
        for one in node:
            yield from references(one)


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_the_document_is_valid(name: str) -> None:
    document = DOCUMENTS[name]
    assert document["openapi"].startswith("3.")
    assert document["info"]["title"] == f"Chorus {name}"
    for reference in references(document):
        node = document
        for step in reference.removeprefix("#/").split("/"):
            node = node[step.replace("~1", "/").replace("~0", "~")]
    ids = [operation["operationId"] for operations in document["paths"].values() for operation in operations.values()]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(
    ("name", "path", "method"),
    [
        ("intake", "/inquiries", "post"),
        ("intake", "/inquiries/{inquiry_id}", "get"),
        ("intake", "/inquiries/{inquiry_id}/rating", "post"),
        ("router", "/city", "post"),
        ("router", "/departments/{code}", "put"),
        ("router", "/departments", "get"),
        ("router", "/cases", "get"),
        ("router", "/cases/{inquiry_id}", "get"),
        ("router", "/cases/{inquiry_id}/commands", "post"),
        ("router", "/commands/{event_id}", "get"),
        ("router", "/decisions", "get"),
        ("notifier", "/hall", "get"),
        ("notifier", "/hall/feed.json", "get"),
        ("notifier", "/hall/{inquiry_id}", "get"),
        ("notifier", "/mails", "get"),
        ("notifier", "/mails/{id}/retry", "post"),
        ("notifier", "/mail/stop", "post"),
        ("scorer", "/scoreboard", "get"),
        ("scorer", "/inquiries/{inquiry_id}/clocks", "get"),
    ],
)
def test_the_documented_routes_exist(name: str, path: str, method: str) -> None:
    assert method in DOCUMENTS[name]["paths"][path]


def test_the_route_for_messages_is_matched_first(tmp_path: Path) -> None:
    first = made("intake", tmp_path).app.routes[0]
    assert first.matches({"type": "http", "method": "POST", "path": "/inquiries"})[0] is Match.FULL


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/asyncapi.json"])
def test_every_service_has_the_operational_routes(name: str, path: str) -> None:
    assert "get" in DOCUMENTS[name]["paths"][path]


@pytest.mark.parametrize(("path", "operation"), OPERATIONS)
def test_an_operation_documents_its_errors(path: str, operation: Any) -> None:
    expected = {"503"}
    if "{" in path:
        expected |= {"404"}
    if operation.get("security"):
        expected |= {"401"}
    if operation.get("parameters") or operation.get("requestBody"):
        expected |= {"422"}
    assert expected <= set(operation["responses"]), expected - set(operation["responses"])


@pytest.mark.parametrize(("path", "operation"), OPERATIONS)
def test_the_documented_error_schema_is_the_real_one(path: str, operation: Any) -> None:
    for status, response in operation["responses"].items():
        if status >= "400":
            assert "HTTPValidationError" not in str(response), f"{status} is documented as FastAPI's own form"
            assert "ProblemDetails" in str(response), status


@pytest.mark.parametrize(("path", "operation"), OPERATIONS)
def test_an_operation_has_a_summary(path: str, operation: Any) -> None:
    assert operation["summary"]
    assert operation["summary"] != operation["operationId"].split("_")[0].title()
