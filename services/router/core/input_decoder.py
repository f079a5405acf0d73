"""Decodes and validates a record of `inquiries.inputs`."""

import re

from pydantic import ValidationError

from services.router.domain.decision import Actor, Input, Place
from shared.contracts import ids
from shared.contracts.department_outbox import PartMessage
from shared.contracts.envelope import Payload
from shared.contracts.inputs import INPUTS
from shared.contracts.sources import DEPARTMENT_SOURCE, DESK_DEPARTMENT_SOURCE
from shared.kafka.failures import InvalidRecord
from shared.kafka.records import Record
from shared.runtime import timestamps

SALT = re.compile(r"[0-9a-f]{64}")
ACTOR = re.compile(r"[a-z][a-z-]*(/[a-z][a-z-]*)?")
USER = re.compile(r"[1-9][0-9]{0,17}")


def read_input(record: Record) -> Input:
    """The input in a record. Raises InvalidRecord for anything that an entry point does not write."""
    headers = record.attributes()
    kind, id_, recorded_at = headers.get("ce_type"), headers.get("ce_id"), headers.get("ce_recordedtime")
    actor, salt = headers.get("ce_actor"), headers.get("ce_salt")
    if not kind or not id_ or not recorded_at or not actor or not salt or record.value is None:
        raise InvalidRecord("An input needs ce_type, ce_id, ce_recordedtime, ce_actor, ce_salt and a value.")
    if kind not in INPUTS:
        raise InvalidRecord(f"{kind!r} is not a type of input; ce_type must be one of {', '.join(sorted(INPUTS))}.")
    try:
        payload = INPUTS[kind].model_validate_json(record.value)
    except ValidationError as error:
        raise InvalidRecord(f"The value is not a {kind}: {error}") from error
    inquiry_id = inquiry_of(payload)
    if inquiry_id is None or record.key != inquiry_id.encode():
        raise InvalidRecord(f"The key {record.key!r} is not the inquiry_id of the value, {inquiry_id!r}.")
    return Input(
        id=id_,
        type=kind,
        inquiry_id=inquiry_id,
        payload=payload,
        recorded_at=read_time(recorded_at),
        digest=headers.get("ce_digest") or ids.digest(kind.encode() + b"\n" + record.value),
        salt=read_salt(salt),
        actor=read_actor(actor),
        at=Place(record.partition, record.offset),
        department=read_department(headers.get("ce_source", "")),
        origin=headers.get("ce_causationid"),
        user=read_user(headers.get("ce_user")),
    )


def read_time(text: str) -> str:
    """The time in UTC with milliseconds. Raises InvalidRecord for anything but RFC 3339 with a time zone."""
    try:
        return timestamps.to_text(timestamps.from_text(text))
    except (ValueError, OverflowError) as error:
        raise InvalidRecord(f"ce_recordedtime {text!r} is not RFC 3339 with a time zone: {error}") from error


def read_actor(text: str) -> Actor:
    """The actor. Raises InvalidRecord for anything but `kind` or `kind/role`: events publish it, so it must not be a name."""
    if not ACTOR.fullmatch(text):
        raise InvalidRecord(f"ce_actor {text!r} must be `kind` or `kind/role`, such as 'staff/operator'.")
    return Actor.read(text)


def read_department(source: str) -> str | None:
    """The department that sent the input, from its outbox or through its user at the desk; None for other senders."""
    for prefix in (DEPARTMENT_SOURCE, DESK_DEPARTMENT_SOURCE):
        if source.startswith(prefix):
            return source.removeprefix(prefix)
    return None


def read_user(text: str | None) -> int | None:
    """The number of the staff user. Raises InvalidRecord for anything but a number of at most 18 digits."""
    if text is None:
        return None
    if not USER.fullmatch(text):
        raise InvalidRecord(f"ce_user {text!r} must be the number of a staff user.")
    return int(text)


def read_salt(text: str) -> bytes:
    """The 32 bytes of the salt. Raises InvalidRecord for anything but 64 hexadecimal digits."""
    if not SALT.fullmatch(text):
        raise InvalidRecord("ce_salt must be 64 hexadecimal digits.")
    return bytes.fromhex(text)


def readable(record: Record) -> Input | InvalidRecord:
    """The input in a record, or the error that says what is wrong with it."""
    try:
        return read_input(record)
    except InvalidRecord as error:
        return error


def inquiry_of(payload: Payload) -> str | None:
    if isinstance(payload, PartMessage):
        return ids.inquiry_of(payload.part_id)
    return getattr(payload, "inquiry_id", None)
