"""AsyncAPI documents: each topic lists its message types, each message names its `ce_type`."""

import re
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from shared.kafka import topics
from shared.service.asyncapi_document import CARRIED
from tests.contract.test_flow import APPS, made
from tests.contract.test_golden import OTHERS, read

RAW = {made_of(name) for name in APPS for made_of in (topics.dead_letters, topics.replays)}


def document_of(name: str) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        return made(name, Path(folder)).asyncapi()


@pytest.fixture(scope="module", params=sorted(APPS))
def document(request: pytest.FixtureRequest) -> Any:
    return document_of(request.param)


def resolved(document: Any, reference: str) -> Any:
    node = document
    for step in reference.removeprefix("#/").split("/"):
        node = node[unquote(step).replace("~1", "/").replace("~0", "~")]
    return node


def test_every_topic_lists_its_message_types(document: Any) -> None:
    for channel in document["channels"].values():
        if channel["address"] in RAW:
            assert list(channel["messages"]) == ["record"]
        else:
            assert set(channel["messages"]) == set(CARRIED[channel["address"]])


def test_every_message_of_the_core_is_listed() -> None:
    for stored in map(read, OTHERS):
        topic = re.sub(r"^departments\.[^.]+\.inbox$", topics.inbox("{code}"), stored["topic"])
        assert stored["headers"]["ce_type"] in CARRIED[topic]


def test_every_message_names_its_type_and_schema(document: Any) -> None:
    for channel in document["channels"].values():
        for kind, message in channel["messages"].items():
            if channel["address"] in RAW:
                assert "ce_type" in resolved(document, message["headers"]["$ref"])["properties"]
                assert message["payload"]["format"] == "binary"
                continue
            common, own = message["headers"]["allOf"]
            assert message["name"] == message["title"] == own["properties"]["ce_type"]["const"] == kind
            assert own["required"] == ["ce_type"]
            assert "ce_type" in resolved(document, common["$ref"])["properties"]
            model = CARRIED[channel["address"]][kind]
            assert resolved(document, message["payload"]["$ref"])["title"] == model.__name__


def test_an_operation_names_messages_of_its_channel(document: Any) -> None:
    for operation in document["operations"].values():
        channel = resolved(document, operation["channel"]["$ref"])
        found = [resolved(document, one["$ref"])["name"] for one in operation["messages"]]
        assert found
        assert {*found} <= {one["name"] for one in channel["messages"].values()}


def test_intake_sends_only_messages_of_residents() -> None:
    document = document_of("intake")
    [sent] = [one for name, one in document["operations"].items() if name.startswith(topics.INPUTS)]
    assert [one["$ref"].rpartition("/")[2] for one in sent["messages"]] == [
        "chorus.inquiry.received",
        "chorus.inquiry.rated",
        "chorus.inquiry.link-requested",
        "chorus.inquiry.added",
        "chorus.inquiry.withdrawn",
        "chorus.hall.reported",
    ]
