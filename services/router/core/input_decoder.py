"""Decodes an input from a record of the log."""

from pydantic import ValidationError

from services.router.domain.decision import Input
from shared.contracts import ids
from shared.contracts.envelope import Payload
from shared.contracts.inputs import INPUTS, PartMessage
from shared.contracts.sources import DEPARTMENT_SOURCE
from shared.kafka.failures import InvalidRecord
from shared.kafka.records import Record


def read_input(record: Record) -> Input:
    """An input from the log. Only doors write there, so whatever is not as they write it is wrong."""
    headers = record.attributes()
    kind, id_, recorded_at = headers.get("ce_type"), headers.get("ce_id"), headers.get("ce_recordedtime")
    if not kind or not id_ or not recorded_at or record.value is None:
        raise InvalidRecord("An input needs ce_type, ce_id, ce_recordedtime and a value.")
    if kind not in INPUTS:
        raise InvalidRecord(f"{kind!r} is no type of input.")
    try:
        payload = INPUTS[kind].model_validate_json(record.value)
    except ValidationError as error:
        raise InvalidRecord(f"This is no {kind}: {error}") from error
    inquiry_id = inquiry_of(payload)
    if inquiry_id is None or record.key != inquiry_id.encode():
        raise InvalidRecord(f"The key {record.key!r} is not the inquiry {inquiry_id!r} that the value speaks of.")
    source = headers.get("ce_source", "")
    return Input(
        id=id_,
        type=kind,
        inquiry_id=inquiry_id,
        payload=payload,
        recorded_at=recorded_at,
        digest=headers.get("ce_digest") or ids.digest(kind.encode() + b"\n" + record.value),
        department=source.removeprefix(DEPARTMENT_SOURCE) if source.startswith(DEPARTMENT_SOURCE) else None,
        origin=headers.get("ce_causationid"),
    )


def readable(record: Record) -> Input | InvalidRecord:
    """The input that a record holds, or what is wrong with it."""
    try:
        given = read_input(record)
    except InvalidRecord as wrong:
        return wrong
    return given


def inquiry_of(payload: Payload) -> str | None:
    """The inquiry a payload speaks of."""
    if isinstance(payload, PartMessage):
        return ids.inquiry_of(payload.part_id)
    return getattr(payload, "inquiry_id", None)
