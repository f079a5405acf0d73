"""Reading what the core wrote: events and what residents are told, with the envelope they came in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ValidationError, field_validator
from pydantic_core import from_json

from shared.clocks.deadlines import CLOCKS
from shared.contracts.envelope import PREFIX
from shared.contracts.resident_messages import ResidentTold
from shared.kafka.failures import InvalidRecord
from shared.kafka.records import Record
from shared.runtime import timestamps


class CoreMessage:
    """Something the core wrote: an event, or what a resident is told."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Event(CoreMessage):
    """One fact of `inquiries.events`; `sequence` is dense from 1 for each inquiry, `at` the time stamped at the door."""

    id: str
    type: str
    inquiry_id: str
    sequence: int
    at: datetime
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ResidentMessage(CoreMessage):
    """One thing a resident is told; `n` is the decision's number, and orders the pictures of one inquiry."""

    id: str
    n: int
    place: int
    at: datetime
    told: ResidentTold


class OfPart(BaseModel):
    """What every event of a part says."""

    part_id: str
    department: str


class Offered(OfPart):
    """A part with the times at which its clocks run out, RFC 3339."""

    role: str
    due: Mapping[str, str]

    @field_validator("due")
    @classmethod
    def _has_every_clock(cls, due: Mapping[str, str]) -> Mapping[str, str]:
        if missing := [name for name in CLOCKS if name not in due]:
            raise ValueError(f"has no time for {', '.join(missing)}")
        for name in CLOCKS:
            timestamps.from_text(due[name])
        return due


class Answered(BaseModel):
    """Which parts an answer is made of."""

    parts: tuple[str, ...]


class Rated(BaseModel):
    """The resident's word, without words."""

    solved: bool
    satisfied: str


FORMS: Mapping[str, type[BaseModel]] = {
    PREFIX + "part.offered": Offered,
    **{PREFIX + f"part.{what}": OfPart for what in ("accepted", "contributed", "returned", "withdrawn")},
    PREFIX + "inquiry.replied": OfPart,
    PREFIX + "inquiry.answered": Answered,
    PREFIX + "inquiry.rated": Rated,
}
"""What readers count on in an event: one that is kept without it would fail them again and again."""


def read_event(record: Record) -> Event:
    """An event; raises Wrong for anything else. An unknown type is an event like any other: its reader skips it."""
    id_, kind, sequence, at = _envelope(record)
    try:
        data = from_json(record.value or b"")
    except ValueError as error:
        raise InvalidRecord(f"The value is not JSON: {error}") from error
    if not isinstance(data, dict) or not isinstance(data.get("inquiry_id"), str):
        raise InvalidRecord("The value of an event is a JSON object with inquiry_id.")
    if (form := FORMS.get(kind)) is not None:
        try:
            form.model_validate(data)
        except ValidationError as error:
            raise InvalidRecord(f"This is no {kind}: {error}") from error
    return Event(id_, kind, data["inquiry_id"], sequence, at, data)


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
