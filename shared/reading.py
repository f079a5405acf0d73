"""Reading what the core wrote: events and what residents are told, with the envelope they came in."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from shared import clock
from shared.events import ResidentTold
from shared.records import Record, Wrong


class News:
    """Something the core wrote: an event, or what a resident is told."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Event(News):
    """One fact of `inquiries.events`; `sequence` is dense from 1 for each inquiry, `at` the time stamped at the door."""

    id: str
    type: str
    inquiry_id: str
    sequence: int
    at: datetime
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told(News):
    """One thing a resident is told; `n` is the decision's number, and orders the pictures of one inquiry."""

    id: str
    n: int
    place: int
    at: datetime
    told: ResidentTold


def read_event(record: Record) -> Event:
    """An event; raises Wrong for anything else. An unknown type is an event like any other: its reader skips it."""
    id_, kind, sequence, at = _envelope(record)
    try:
        data = json.loads(record.value or b"")
    except (ValueError, RecursionError) as error:
        raise Wrong(f"The value is not JSON: {error}") from error
    if not isinstance(data, dict) or not isinstance(data.get("inquiry_id"), str):
        raise Wrong("The value of an event is a JSON object with inquiry_id.")
    return Event(id_, kind, data["inquiry_id"], sequence, at, data)


def read_told(record: Record) -> Told | None:
    """What a resident is told; None for a type of a later version."""
    id_, kind, n, at = _envelope(record)
    if kind != ResidentTold.type:
        return None
    try:
        told = ResidentTold.model_validate_json(record.value or b"")
    except ValidationError as error:
        raise Wrong(f"This is no {kind}: {error}") from error
    return Told(id_, n, record.offset, at, told)


def _envelope(record: Record) -> tuple[str, str, int, datetime]:
    id_, kind, sequence, at = (record.header(f"ce_{name}") for name in ("id", "type", "sequence", "recordedtime"))
    if not id_ or not kind or not sequence or not at:
        raise Wrong("The headers ce_id, ce_type, ce_sequence and ce_recordedtime are needed.")
    try:
        return id_, kind, int(sequence), clock.from_text(at)
    except ValueError as error:
        raise Wrong(f"ce_sequence {sequence!r} or ce_recordedtime {at!r} cannot be read.") from error
