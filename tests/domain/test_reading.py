"""Decoding of events: required fields are checked when an event is read."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from shared.kafka import topics
from shared.kafka.failures import InvalidRecord
from shared.service.event_decoders import read_event
from tests.builders import (
    Step,
    a_record,
    accepted,
    assigned,
    contributed,
    link_requested,
    rated,
    received,
    record_of,
    replied,
    returned,
    told,
    withdrawn,
)

AT = "2026-03-16T04:00:00.000Z"
DUE = dict.fromkeys(("accept", "first_reply", "resolve"), AT)
OFFERED: dict[str, Any] = {"inquiry_id": "x", "part_id": "x-p1", "department": "roads", "role": "lead", "due": DUE}


def read(kind: str, value: bytes) -> str:
    headers = {"ce_id": "1", "ce_type": f"chorus.{kind}", "ce_sequence": "1", "ce_recordedtime": AT}
    return read_event(a_record(value, [(name, text.encode()) for name, text in headers.items()])).type


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("part.offered", OFFERED | {"due": 7}),
        ("part.offered", OFFERED | {"due": {"accept": AT}}),
        ("part.offered", OFFERED | {"due": DUE | {"resolve": "soon"}}),
        ("part.offered", {"inquiry_id": "x"}),
        ("part.accepted", {"inquiry_id": "x", "part_id": 7, "department": "roads"}),
        ("inquiry.answered", {"inquiry_id": "x", "parts": "x-p1"}),
        ("inquiry.rated", {"inquiry_id": "x", "solved": "perhaps", "satisfied": "yes"}),
    ],
)
def test_a_known_event_without_what_its_readers_need_is_wrong(kind: str, data: dict[str, Any]) -> None:
    with pytest.raises(InvalidRecord, match=f"The value is not a chorus.{kind}"):
        read(kind, json.dumps(data).encode())


@pytest.mark.parametrize("value", [b"", b"{", b"[" * 50_000, b'{"inquiry_id": "\\ud800"}', b"[]", b'{"inquiry_id": 7}'])
def test_a_value_without_an_inquiry_is_invalid(value: bytes) -> None:
    with pytest.raises(InvalidRecord, match="The value"):
        read("part.offered", value)


def test_an_event_of_a_later_version_is_read_with_any_content() -> None:
    assert read("part.teleported", b'{"inquiry_id": "x", "due": 7}') == "chorus.part.teleported"


@pytest.mark.parametrize(
    "steps",
    [
        (received("路灯"), accepted("lighting"), replied("lighting", "在修"), contributed("lighting", "亮了"), rated()),
        (received("路灯"), link_requested(), accepted("lighting"), link_requested()),
        (received("水管"), returned("water"), assigned("parks"), withdrawn("parks")),
    ],
)
def test_every_event_of_the_core_is_readable(steps: Sequence[Step]) -> None:
    events = [one for one in told(*steps).messages if one.topic == topics.EVENTS]
    assert len(events) > 4
    assert [read_event(record_of(one)).type for one in events] == [one.type for one in events]
