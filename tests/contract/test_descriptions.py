"""Every public field, parameter and body in the OpenAPI and AsyncAPI documents has a description."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.test_asyncapi import document_of
from tests.contract.test_flow import APPS
from tests.contract.test_openapi import DOCUMENTS

FEWEST_FIELDS = 40
SHORTEST = 10


def fields(node: Any, where: str = "#") -> Iterator[tuple[str, Any]]:
    """Every property of every schema in the document, by its path."""
    if isinstance(node, dict):
        if isinstance(properties := node.get("properties"), dict):
            yield from ((f"{where}/properties/{name}", one) for name, one in properties.items())
        for name, one in node.items():
            yield from fields(one, f"{where}/{name}")
    elif isinstance(node, list):
        for at, one in enumerate(node):
            yield from fields(one, f"{where}/{at}")


def parameters(document: Any) -> Iterator[tuple[str, Any]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for one in operation.get("parameters", ()):
                yield f"{method.upper()} {path} {one['name']}", one


def undescribed(found: Iterator[tuple[str, Any]]) -> list[str]:
    return [where for where, one in found if not is_sentence(one.get("description", ""))]


def is_sentence(text: str) -> bool:
    return len(text) > SHORTEST and text.endswith(".") and not text[0].islower()


@pytest.mark.parametrize("name", sorted(APPS))
def test_every_field_and_parameter_of_openapi_is_described(name: str) -> None:
    found = list(fields(DOCUMENTS[name]))
    assert len(found) > FEWEST_FIELDS
    assert undescribed(iter(found)) == []
    assert undescribed(parameters(DOCUMENTS[name])) == []


@pytest.mark.parametrize("name", sorted(APPS))
def test_every_field_of_asyncapi_is_described(name: str) -> None:
    found = list(fields(document_of(name)))
    assert len(found) > FEWEST_FIELDS
    assert undescribed(iter(found)) == []


@pytest.mark.parametrize("name", sorted(APPS))
def test_every_schema_is_described(name: str) -> None:
    for document in (DOCUMENTS[name], document_of(name)):
        schemas = document["components"]["schemas"].items()
        assert [title for title, one in schemas if "properties" in one and not one.get("description")] == []


def test_a_missing_description_is_detected() -> None:
    document = {
        "components": {"schemas": {"A": {"properties": {"b": {"type": "string"}, "c": {"description": "The c of A."}}}}}
    }
    assert undescribed(fields(document)) == ["#/components/schemas/A/properties/b"]
