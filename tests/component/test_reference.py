"""The reference pages: every route and every topic of a service is told, in both languages, without anything from elsewhere."""

import json
from pathlib import Path

import pytest

from shared.runtime.languages import Lang
from shared.web import reference_pages
from shared.web.layout import Site
from shared.web.reference import channels, form, operations
from tests.contract.test_flow import APPS, made


@pytest.mark.parametrize("name", sorted(APPS))
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_route_and_topic_of_a_service_stands_on_its_pages(name: str, lang: Lang, tmp_path: Path) -> None:
    service = made(name, tmp_path)
    routes = service.app.openapi()
    page = reference_pages.interface(lang, routes, Site()).body
    told = [f"{method.upper()} {path}" for path, methods in routes["paths"].items() for method in methods]
    assert told
    assert all(one.encode() in bytes(page) for one in told)
    topics = json.loads(service.asyncapi().to_specification().to_json())
    page = bytes(reference_pages.messages(lang, topics, Site()).body)
    addresses = {channel["address"] for channel in topics["channels"].values()}
    assert all(one.encode() in page for one in addresses)
    assert b"<script" not in page
    assert b"https://" not in page


def test_what_a_service_reads_comes_first_with_every_form_its_messages_may_have(tmp_path: Path) -> None:
    found = channels(json.loads(made("router", tmp_path).asyncapi().to_specification().to_json()))
    assert [one.reads for one in found] == sorted((one.reads for one in found), reverse=True)
    inputs = next(one for one in found if one.topic == "inquiries.inputs" and one.reads)
    assert {"InquiryReceived", "PartContributed", "CaseAssign"} <= {title for title, _, _ in inputs.messages}


def test_a_body_is_told_field_by_field(tmp_path: Path) -> None:
    [submit] = [
        one
        for one in operations(made("intake", tmp_path).app.openapi())
        if (one.method, one.path) == ("POST", "/inquiries")
    ]
    by_name = {one.name: one for one in submit.body}
    assert by_name["subject"].required
    assert not by_name["contact"].required
    assert by_name["departments"].form == "list of text"


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "string", "format": "date-time"}, "time"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "text or nothing"),
        ({"enum": ["zh", "en"]}, "one of: zh, en"),
        ({"const": 1}, "always 1"),
        ({}, "anything"),
        ({"$ref": "#/a~1b"}, "integer"),
    ],
)
def test_a_form_is_told_in_words(schema: dict[str, object], words: str) -> None:
    assert form({"a/b": {"type": "integer"}}, schema) == words
