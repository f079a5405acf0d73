"""Reading what the core wrote: events and what residents are told, with the envelope they came in."""

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
    """Something the core wrote: an event, or what a resident is told."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Event(CoreMessage):
    """One fact of `inquiries.events`; `sequence` is dense from 1 for each inquiry, `at` the time stamped at the door.

    `value` is as it was sent, which stores keep, `data` its fields; `body` is what readers use of them.
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
    """One thing a resident is told; `n` is the decision's number, and orders the pictures of one inquiry."""

    id: str
    n: int
    place: int
    at: datetime
    told: ResidentTold


def read_event(record: Record) -> Event:
    """Raises InvalidRecord for anything but an event. An event of an unknown type is read too: its readers keep or skip it."""
    id_, kind, sequence, at = _envelope(record)
    try:
        data = from_json(record.value or b"")
    except ValueError as error:
        raise InvalidRecord(f"The value is not JSON: {error}") from error
    if not isinstance(data, dict) or not isinstance(data.get("inquiry_id"), str):
        raise InvalidRecord("The value of an event is a JSON object with inquiry_id.")
    try:
        body = event_body(kind, data)
    except ValueError as error:
        raise InvalidRecord(f"This is no {kind}: {error}") from error
    return Event(id_, kind, data["inquiry_id"], sequence, at, (record.value or b"").decode(), data, body)


def read_told(record: Record) -> ResidentMessage | None:
    """What a resident is told; None for a type of a later version."""
    id_, kind, n, at = _envelope(record)
    if kind != ResidentTold.type:
        return None
    try:
        told = ResidentTold.model_validate_json(record.value or b"")
    except ValidationError as error:
        raise InvalidRecord(f"This is no {kind}: {error}") from error
    return ResidentMessage(id_, n, record.offset, at, told)


def _envelope(record: Record) -> tuple[str, str, int, datetime]:
    id_, kind, sequence, at = (record.header(f"ce_{name}") for name in ("id", "type", "sequence", "recordedtime"))
    if not id_ or not kind or not sequence or not at:
        raise InvalidRecord("The headers ce_id, ce_type, ce_sequence and ce_recordedtime are needed.")
    try:
        return id_, kind, int(sequence), timestamps.from_text(at)
    except ValueError as error:
        raise InvalidRecord(f"ce_sequence {sequence!r} or ce_recordedtime {at!r} cannot be read.") from error
