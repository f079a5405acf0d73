"""Decodes the core's messages for their readers: events and messages to residents, with their envelope."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from shared.contracts.resident_messages import ResidentTold
from shared.events.case_events import EventBody, event_body
from shared.kafka.failures import InvalidRecord
from shared.kafka.records import Record
from shared.runtime import timestamps


class CoreMessage:
    """A message of the core: an event, or a message to a resident."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Event(CoreMessage):
    """One event of `inquiries.events`.

    `sequence` counts from 1 without gaps for each inquiry. `at` is the time that the entry point stamped. `value` is the
    unchanged JSON, which stores keep, `data` its fields, and `body` the fields that readers use.
    """

    id: str
    type: str
    inquiry_id: str
    sequence: int
    at: datetime
    value: str
    data: Mapping[str, Any]
    body: EventBody


@dataclass(frozen=True, slots=True)
class ResidentMessage(CoreMessage):
    """One message to a resident. `n` is the number of the decision and orders the messages of an inquiry."""

    id: str
    n: int
    place: int
    at: datetime
    told: ResidentTold


def read_event(record: Record) -> Event:
    """Decode an event, of an unknown type too: its readers keep or skip it. Raises InvalidRecord."""
    id_, kind, sequence, at = _envelope(record)
    try:
        data = from_json(record.value or b"")
    except ValueError as error:
        raise InvalidRecord(f"The value is not JSON: {error}") from error
    if not isinstance(data, dict) or not isinstance(data.get("inquiry_id"), str):
        raise InvalidRecord("The value of an event must be a JSON object with inquiry_id.")
    try:
        body = event_body(kind, data)
    except ValueError as error:
        raise InvalidRecord(f"The value is not a {kind}: {error}") from error
    return Event(id_, kind, data["inquiry_id"], sequence, at, (record.value or b"").decode(), data, body)


def read_told(record: Record) -> ResidentMessage | None:
    """Decode a message to a resident; None for another type, which a later release may write. Raises InvalidRecord."""
    id_, kind, n, at = _envelope(record)
    if kind != ResidentTold.type:
        return None
    try:
        told = ResidentTold.model_validate_json(record.value or b"")
    except ValidationError as error:
        raise InvalidRecord(f"The value is not a {kind}: {error}") from error
    return ResidentMessage(id_, n, record.offset, at, told)


def _envelope(record: Record) -> tuple[str, str, int, datetime]:
    id_, kind, sequence, at = (record.header(f"ce_{name}") for name in ("id", "type", "sequence", "recordedtime"))
    if not id_ or not kind or not sequence or not at:
        raise InvalidRecord("The headers ce_id, ce_type, ce_sequence and ce_recordedtime are required.")
    try:
        return id_, kind, int(sequence), timestamps.from_text(at)
    except ValueError as error:
        raise InvalidRecord(
            f"ce_sequence {sequence!r} must be a whole number and ce_recordedtime {at!r} an RFC 3339 time."
        ) from error
