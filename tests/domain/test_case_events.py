"""Event classes: each has the fields of its event, ignores others, and rejects an event without them."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.envelope import PREFIX
from shared.contracts.facts import EVENT_TYPES
from shared.events.case_events import (
    KNOWN,
    OTHER,
    DueTimes,
    EventBody,
    InquiryAnsweredEvent,
    InquiryErasedEvent,
    InquiryLinkedEvent,
    InquiryPausedEvent,
    InquiryRatedEvent,
    InquiryReopenedEvent,
    InquiryResumedEvent,
    InquirySupplementedEvent,
    PartExtendedEvent,
    PartOfferedEvent,
    event_body,
)
from shared.kafka import topics
from shared.runtime import timestamps
from tests.contract.test_golden import OTHERS, read

GOLDEN_EVENTS = [name for name in OTHERS if name.startswith("event-")]
PART = {"part_id": "x-p1", "department": "roads"}
DUE = dict.fromkeys(("accept", "first_reply", "resolve"), "2026-03-17T04:00:00.000Z")
OFFERED: dict[str, Any] = PART | {"role": "lead", "due": DUE}

moments = st.datetimes(datetime(1970, 1, 1), datetime(9998, 12, 31)).map(
    lambda one: one.replace(microsecond=one.microsecond // 1000 * 1000, tzinfo=UTC)
)
due_times = st.builds(DueTimes, moments, moments, moments)
BODIES: Mapping[type, st.SearchStrategy[Any]] = {
    **{kind: st.builds(kind, st.text(), st.text()) for kind in KNOWN},
    PartOfferedEvent: st.builds(PartOfferedEvent, st.text(), st.text(), st.text(), due_times),
    PartExtendedEvent: st.builds(PartExtendedEvent, st.text(), st.text(), moments),
    InquiryPausedEvent: st.builds(InquiryPausedEvent, st.lists(st.text()).map(tuple)),
    InquiryResumedEvent: st.builds(InquiryResumedEvent, st.lists(st.tuples(st.text(), due_times)).map(tuple)),
    InquiryAnsweredEvent: st.builds(InquiryAnsweredEvent, st.integers(1), st.lists(st.text()).map(tuple)),
    InquirySupplementedEvent: st.builds(InquirySupplementedEvent, st.integers(1), st.lists(st.text()).map(tuple)),
    InquiryErasedEvent: st.builds(InquiryErasedEvent, st.integers(1)),
    InquiryLinkedEvent: st.builds(InquiryLinkedEvent, st.text()),
    InquiryRatedEvent: st.builds(InquiryRatedEvent, st.integers(1), st.booleans(), st.text()),
    InquiryReopenedEvent: st.builds(InquiryReopenedEvent, st.integers(2)),
}


def texts_of(due: DueTimes) -> dict[str, str]:
    return {clock: timestamps.to_text(at) for clock, at in due._asdict().items()}


def within(said: Any, value: Any) -> Any:
    """The fields of the event that the body has, also in lists of objects."""
    if isinstance(said, dict):
        return {field: within(one, value[field]) for field, one in said.items()}
    if isinstance(said, list):
        return [within(one, other) for one, other in zip(said, value, strict=True)]
    return value


def value_of(body: EventBody) -> dict[str, Any]:
    """The fields of a body as they appear in its event."""
    value = asdict(body)
    match body:
        case PartOfferedEvent():
            value["due"] = texts_of(body.due)
        case PartExtendedEvent():
            value["until"] = timestamps.to_text(body.until)
        case InquiryPausedEvent():
            value = {"parts": [{"part_id": one} for one in body.parts]}
        case InquiryResumedEvent():
            value = {"parts": [{"part_id": one, "due": texts_of(due)} for one, due in body.due]}
    written: dict[str, Any] = json.loads(json.dumps(value))
    return written


@pytest.mark.parametrize("name", GOLDEN_EVENTS)
def test_a_body_has_the_fields_of_its_golden_event(name: str) -> None:
    stored = read(name)
    assert stored["topic"] == topics.EVENTS
    type_, value = stored["headers"]["ce_type"], json.loads(stored["value"])
    body = event_body(type_, value)
    assert (type(body) in KNOWN) == (type_ in {one.type for one in KNOWN})
    said = value_of(body)
    assert said == within(said, value)
    assert event_body(type_, said) == body


def test_every_class_has_a_golden_event() -> None:
    assert {one.type for one in KNOWN} <= {read(name)["headers"]["ce_type"] for name in GOLDEN_EVENTS}
    assert {one.type for one in KNOWN} <= set(EVENT_TYPES)


@given(st.one_of(*BODIES.values()), st.dictionaries(st.text("uvw", min_size=1), st.integers()))
def test_a_body_survives_a_round_trip_with_additional_fields(body: Any, unknown: dict[str, int]) -> None:
    assert event_body(body.type, unknown | value_of(body)) == body


def test_an_event_of_an_unknown_type_has_no_fields() -> None:
    assert event_body(PREFIX + "inquiry.unheard-of", {"inquiry_id": "x", "until": 7}) is OTHER
    assert event_body("part.offered", {"part_id": 7}) is OTHER


def test_due_times_with_any_utc_offset_are_converted_to_utc() -> None:
    noon = datetime(2026, 3, 17, 12, 0, tzinfo=timezone(timedelta(hours=8)))
    body = event_body(PREFIX + "part.offered", OFFERED | {"due": DUE | {"accept": noon.isoformat()}})
    assert isinstance(body, PartOfferedEvent)
    assert (body.due.accept, body.due.accept.tzinfo) == (noon, UTC)


@pytest.mark.parametrize(
    ("type_", "value", "why"),
    [
        ("part.offered", OFFERED | {"role": None}, "role None must be text."),
        ("part.offered", OFFERED | {"due": 7}, "due 7 must be an object with a time for each clock."),
        ("part.offered", OFFERED | {"due": {}}, "due.accept is missing; it must be a time like"),
        ("part.offered", OFFERED | {"due": DUE | {"resolve": "soon"}}, "due.resolve 'soon' must be a time like"),
        ("part.offered", OFFERED | {"due": DUE | {"accept": 7}}, "due.accept 7 must be a time like"),
        (
            "part.offered",
            OFFERED | {"due": DUE | {"accept": "2026-03-17T04:00:00"}},
            "due.accept '2026-03-17T04:00:00'",
        ),
        ("part.offered", OFFERED | {"due": DUE | {"accept": "0001-01-01T00:00:00+08:00"}}, "due.accept '0001-01-01T"),
        ("part.accepted", {"part_id": "x-p1"}, "department is missing; it must be text."),
        ("inquiry.answered", {"round": 1, "parts": "x-p1"}, "parts 'x-p1' must be a list of part ids."),
        ("inquiry.answered", {"round": 1, "parts": ["x-p1", 7]}, "parts ['x-p1', 7] must be a list of part ids."),
        ("inquiry.answered", {"round": True, "parts": []}, "round True must be a whole number."),
        ("inquiry.rated", {"round": 1, "solved": "yes", "satisfied": "yes"}, "solved 'yes' must be true or false."),
        ("inquiry.rated", {"round": 1, "solved": True}, "satisfied is missing; it must be text."),
        ("part.returned", PART | {"part_id": ["长"] * 9_999}, "part_id ['长', '长'"),
    ],
)
def test_a_missing_field_is_named_in_the_error(type_: str, value: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=r"must be") as refused:
        event_body(PREFIX + type_, value)
    assert str(refused.value).startswith(why)
    assert len(str(refused.value)) < 200
