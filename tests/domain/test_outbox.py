"""Outbox messages that departments may write, and the refusals of invalid ones."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.router.core.input_decoder import read_input
from services.router.gate.handlers import checked_against, refusal, stamped
from services.router.gate.outbox_decoder import OutboxRecord, read_outbox
from shared.contracts import ids
from shared.contracts.department_outbox import PartContributed, ReplyEdit
from shared.kafka import topics
from shared.kafka.failures import InvalidRecord
from shared.kafka.records import Record
from shared.service.event_decoders import read_event, read_told
from tests.builders import INQUIRY, a_record, record_of

PART = f"{INQUIRY}-p1"
ACCEPTED = {"part_id": PART}
TYPE = ("ce_type", b"chorus.part.accepted")
OUTBOX = topics.outbox("lighting")


def knock(value: Any, *headers: tuple[str, bytes | None], kind: str = "part.accepted") -> OutboxRecord:
    """A record of lighting's outbox, as decoded by the gate."""
    raw = value if isinstance(value, bytes) or value is None else json.dumps(value).encode()
    given = headers or (("ce_type", f"chorus.{kind}".encode()), ("ce_id", b"our-7"))
    return read_outbox(a_record(raw, given, topic=OUTBOX, offset=42))


def refused(value: Any, *headers: tuple[str, bytes | None], kind: str = "part.accepted") -> tuple[str, str]:
    one = knock(value, *headers, kind=kind)
    assert one.refusal is not None
    return one.refusal.reason, one.refusal.remedy


ALL_TYPES = (
    "chorus.part.accepted, chorus.part.asked, chorus.part.contributed, chorus.part.corrected, chorus.part.delegated, "
    "chorus.part.extension-asked, chorus.part.replied, chorus.part.returned, chorus.reply.edit, chorus.reply.go-ahead"
)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "The value is empty."),
        (b"", "The value is empty."),
        (b'{"part_id": "2026', "The value is not a chorus.part.accepted: the body is not JSON: EOF"),
        (b"\xff\xfe\x00", "The value is not a chorus.part.accepted: the body is not JSON"),
        (b"[" * 200_000, "The value is not a chorus.part.accepted: the body"),
        (b'{"a":' * 100_000, "The value is not a chorus.part.accepted: the body is not JSON"),
        ([], "The value is not a chorus.part.accepted: the body [] is not an object; write a JSON object or"),
        ("text", "The value is not a chorus.part.accepted: the body 'text' is not an object; write a JSON object or"),
        ({}, "The value is not a chorus.part.accepted: part_id is missing; add it."),
        ({"part_id": 7}, "The value is not a chorus.part.accepted: part_id 7 is not text"),
        ({"part_id": None}, "The value is not a chorus.part.accepted: part_id None is not text"),
        ({"part_id": PART, "by": "\0"}, "The value is not a chorus.part.accepted: by '\0' contains U+0000"),
        ({"part_id": "7"}, "'7' is no part_id."),
        ({"part_id": INQUIRY}, f"'{INQUIRY}' is no part_id."),
        (b'{"part_id": "\\ud83d"}', "The value is not a chorus.part.accepted: the body is not JSON"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_an_invalid_message_is_refused_with_the_reason(value: Any, reason: str) -> None:
    said, remedy = refused(value)
    assert said.startswith(reason)
    assert "part_id" in remedy
    assert len(said) < 400


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "text is missing; add it"),
        ({"text": ""}, "text '' is empty"),
        ({"text": " \n"}, "text ' \n' is blank; write the department's share of the answer"),
        ({"text": "话" * 20_001}, "text has 20001 characters; write at most 20000"),
        ({"text": "a\0b"}, "text 'a\0b' contains U+0000"),
        ({"text": "x", "final": "maybe"}, "final 'maybe' is neither true nor false"),
        ({"text": "x", "actions": [{"kind": "dug", "at": "2026-03-16"}]}, "actions[0].at"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_each_invalid_field_of_a_contribution_is_reported(fields: dict[str, Any], reason: str) -> None:
    said, remedy = refused(ACCEPTED | fields, kind="part.contributed")
    assert said.startswith(f"The value is not a chorus.part.contributed: {reason}")
    assert remedy == "Write a JSON object with part_id, text and, if you like, by, final, actions."


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ((("ce_id", b"1"),), "The header ce_type is missing."),
        ((("ce_type", None),), "The header ce_type is missing."),
        ((("ce_type", b""),), "The header ce_type is missing."),
        ((("ce_type", b"chorus.part.praised"),), "'chorus.part.praised' is not a type this gate takes."),
        ((("ce_type", b"part.accepted"),), "'part.accepted' is not a type this gate takes."),
        ((("ce_type", b"chorus.case.assign"),), "'chorus.case.assign' is not a type this gate takes."),
        ((("ce_type", b"chorus.inquiry.received"),), "'chorus.inquiry.received' is not a type this gate takes."),
        ((("ce_type", b"\xff"),), "'�' is not a type this gate takes."),
        ((("ce_type", b"x" * 100_000),), f"'{'x' * 100}' is not a type this gate takes."),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_type_that_departments_may_not_use_is_refused(headers: Any, reason: str) -> None:
    said, remedy = refused(ACCEPTED, *headers)
    assert said == reason
    assert remedy.endswith(f"to one of {ALL_TYPES}.")


@pytest.mark.parametrize(
    ("value", "reason", "remedy"),
    [
        ({"opening": "您好："}, "The value is not a chorus.reply.edit: inquiry_id is missing; add it.", "inquiry_id"),
        ({"inquiry_id": PART, "opening": "x"}, f"'{PART}' is no inquiry_id.", "of a reply.draft"),
        ({"inquiry_id": INQUIRY}, "The value is not a chorus.reply.edit: the body", "opening, closing, order"),
        ({"inquiry_id": INQUIRY, "closing": "x" * 1_001}, "The value is not a chorus.reply.edit: closing", "closing"),
    ],
)
def test_an_invalid_edit_of_a_reply_is_refused(value: Any, reason: str, remedy: str) -> None:
    said, how = refused(value, kind="reply.edit")
    assert said.startswith(reason)
    assert remedy in how


def test_an_edit_of_a_reply_belongs_to_its_inquiry() -> None:
    one = knock({"inquiry_id": INQUIRY, "opening": " \u3000", "order": ["roads", "lighting"]}, kind="reply.edit")
    assert one.inquiry_id == INQUIRY
    given = read_input(record_of(stamped(one)))
    assert (given.inquiry_id, given.department) == (INQUIRY, "lighting")
    assert given.payload == ReplyEdit(inquiry_id=INQUIRY, opening="", order=("roads", "lighting"))


def test_unknown_and_invalid_headers_are_ignored() -> None:
    one = knock(ACCEPTED, ("x", b"\xff\xfe"), ("y", None), ("ce_id", b"\xff7"), TYPE)
    assert (one.refusal, one.origin) == (None, "�7")


def test_the_last_of_repeated_headers_counts() -> None:
    assert knock(ACCEPTED, ("ce_type", b"nonsense"), TYPE).refusal is None


@pytest.mark.parametrize(
    ("value", "headers"),
    [
        (f'{{"part_id": "x", "part_id": "{PART}"}}', (TYPE,)),
        (f'{{"part_id": "{PART}", "more": [{{"mood": 1, "mood": 2}}]}}', (TYPE,)),
        (
            f'{{"type": "chorus.part.accepted", "id": "7", "data": {{"part_id": "x", "part_id": "{PART}"}}}}',
            (("content-type", b"application/cloudevents+json"),),
        ),
    ],
    ids=["value", "deep", "structured"],
)
def test_a_repeated_json_key_is_refused(value: str, headers: tuple[tuple[str, bytes], ...]) -> None:
    key = "mood" if "mood" in value else "part_id"
    reason, remedy = refused(value.encode(), *headers)
    assert reason == f"The value is not a chorus.part.accepted: the key '{key}' is repeated."
    assert remedy.startswith("Write a JSON object with part_id")


def test_unknown_fields_are_ignored_and_twenty_thousand_characters_accepted() -> None:
    value = ACCEPTED | {"text": "🚧" * 20_000, "mood": "good"}
    message = knock(value, kind="part.contributed").message
    assert isinstance(message, PartContributed)
    assert len(message.text) == 20_000


def test_the_id_is_derived_from_the_outbox_and_the_departments_own_id() -> None:
    assert knock(ACCEPTED).id == ids.named_id(f"{OUTBOX}/our-7")
    nameless = knock(ACCEPTED, TYPE)
    assert (nameless.origin, nameless.id) == (f"{OUTBOX}-0-42", ids.named_id(f"{OUTBOX}/{OUTBOX}-0-42"))
    elsewhere = read_outbox(a_record(b"{}", [TYPE, ("ce_id", b"our-7")], topic=topics.outbox("roads")))
    assert elsewhere.id != knock(ACCEPTED).id


def test_the_topic_identifies_the_department_and_the_broker_timestamps_the_record() -> None:
    forged = [TYPE, ("ce_id", b"1"), ("ce_source", b"departments/police"), ("ce_recordedtime", b"1999-01-01T00:00:00Z")]
    one = read_outbox(a_record(json.dumps(ACCEPTED).encode(), forged, topic=OUTBOX))
    given = read_input(record_of(stamped(one)))
    assert given is not None
    assert (given.department, given.origin) == ("lighting", "1")
    assert given.recorded_at == "2026-03-16T04:00:00.000Z"
    assert given.inquiry_id == INQUIRY


def test_a_refusal_goes_to_the_senders_inbox_with_the_senders_id() -> None:
    message = refusal(knock(b"{"))
    assert (message.topic, message.key) == (topics.inbox("lighting"), "lighting")
    assert json.loads(message.value)["cause"] == "our-7"
    assert message.id == refusal(knock(b"{")).id


def test_an_unknown_inquiry_is_refused() -> None:
    one = checked_against(set(), {"lighting"}, knock(ACCEPTED))
    assert one.refusal is not None
    assert one.refusal.reason == f"There is no inquiry '{INQUIRY}'."
    assert checked_against({INQUIRY}, {"lighting"}, knock(ACCEPTED)).refusal is None


@given(
    st.one_of(st.none(), st.binary(max_size=60), st.text(max_size=30).map(str.encode)),
    st.lists(st.tuples(st.sampled_from(("ce_type", "ce_id", "x")), st.none() | st.binary(max_size=40)), max_size=4),
)
@settings(max_examples=200, deadline=None)
def test_no_record_makes_the_gate_fail(value: bytes | None, headers: list[tuple[str, bytes | None]]) -> None:
    one = read_outbox(a_record(value, headers, topic=OUTBOX))
    assert (one.message is None) != (one.refusal is None)
    if one.refusal:
        assert refusal(one).topic == topics.inbox("lighting")


# ── the other readers: unreadable is always Wrong, so that it is put aside alone ─


def unreadable(**changed: bytes | None) -> list[tuple[str, bytes | None]]:
    good: dict[str, bytes | None] = {
        "ce_type": b"chorus.part.accepted",
        "ce_id": b"e",
        "ce_sequence": b"1",
        "ce_recordedtime": b"2026-03-16T04:00:00.000Z",
        "ce_actor": b"department",
        "ce_salt": b"0a" * 32,
    }
    return list((good | changed).items())


VALUE = json.dumps({"inquiry_id": INQUIRY, "part_id": PART}).encode()
BAD: list[Any] = [
    (a_record(None, unreadable()), "null value"),
    (a_record(b"", unreadable()), "empty"),
    (a_record(b"\xff", unreadable()), "not UTF-8"),
    (a_record(b"[]", unreadable()), "a list"),
    (a_record(b"{}", unreadable()), "no inquiry"),
    (a_record(b"[" * 200_000, unreadable()), "nested"),
    (a_record(VALUE, unreadable(ce_type=None)), "no type"),
    (a_record(VALUE, unreadable(ce_id=b"")), "no id"),
    (a_record(VALUE, unreadable(ce_recordedtime=None)), "no time"),
]
NUMBERED: list[Any] = [
    (a_record(VALUE, unreadable(ce_sequence=b"one")), "no number"),
    (a_record(VALUE, unreadable(ce_recordedtime=b"yesterday")), "no moment"),
    (a_record(VALUE, unreadable(ce_recordedtime=b"2026-03-16T04:00:00")), "no zone"),
    (a_record(VALUE, unreadable(ce_sequence=b"9" * 5_000)), "a huge number"),
]


@pytest.mark.parametrize("record", [one for one, _ in BAD], ids=[name for _, name in BAD])
def test_an_unreadable_input_is_invalid(record: Record) -> None:
    with pytest.raises(InvalidRecord):
        read_input(record)


@pytest.mark.parametrize("record", [one for one, _ in BAD + NUMBERED], ids=[name for _, name in BAD + NUMBERED])
def test_an_unreadable_event_is_invalid(record: Record) -> None:
    with pytest.raises(InvalidRecord):
        read_event(record)


@pytest.mark.parametrize("record", [one for one, _ in BAD[:6]], ids=[name for _, name in BAD[:6]])
def test_an_unreadable_resident_message_is_invalid(record: Record) -> None:
    told = [*(one for one in record.headers if one[0] != "ce_type"), ("ce_type", b"chorus.resident.told")]
    with pytest.raises(InvalidRecord):
        read_told(a_record(record.value, told, topic=topics.RESIDENTS))


def test_an_input_with_another_inquirys_key_is_invalid() -> None:
    good = a_record(VALUE, unreadable(), key=INQUIRY.encode())
    assert read_input(good) is not None
    with pytest.raises(InvalidRecord, match="is not the inquiry"):
        read_input(a_record(VALUE, unreadable(), key=b"20260316-00000000"))


def test_a_structured_cloudevent_is_accepted_like_a_binary_one() -> None:
    event = {"specversion": "1.0", "type": "chorus.part.contributed", "id": "our-9", "source": "x"}
    whole = json.dumps(event | {"data": {"part_id": PART, "text": "修好了 🚧"}}).encode()
    one = read_outbox(a_record(whole, [("content-type", b"application/cloudevents+json; charset=utf-8")], topic=OUTBOX))
    assert isinstance(one.message, PartContributed)
    assert (one.message.text, one.origin, one.refusal) == ("修好了 🚧", "our-9", None)


@pytest.mark.parametrize("value", [b"", b"[]", b"{", b'{"type": 7, "id": []}', b'{"type": "chorus.part.accepted"}'])
def test_an_invalid_structured_cloudevent_is_refused(value: bytes) -> None:
    one = read_outbox(a_record(value, [("content-type", b"application/cloudevents+json")], topic=OUTBOX))
    assert one.refusal is not None
