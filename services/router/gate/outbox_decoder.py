"""Decodes and validates a record of a department's outbox."""

from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError, from_json, to_json

from services.router.domain.decision import Refusal
from shared.contracts import ids
from shared.contracts.department_outbox import OutboxMessage, PartMessage
from shared.contracts.inputs import DEPARTMENT_MESSAGES
from shared.contracts.json_keys import repeated_key
from shared.http.problems import field_problems
from shared.kafka import topics
from shared.kafka.records import Record

ID_MAX = 256
VALUE_MAX = 1_048_576
READABLE = f"Write values of at most {VALUE_MAX} bytes, and header names in UTF-8."

STRUCTURED = "application/cloudevents+json"


@dataclass(frozen=True, slots=True)
class SentMessage:
    """The CloudEvents type and id, and the data as JSON, before validation."""

    type: str | None
    id: str | None
    data: bytes | None


@dataclass(frozen=True, slots=True)
class OutboxRecord:
    """A record of an outbox: either `message` is set, or `refusal`.

    `id` is the id of the input that it becomes; `origin` is the `ce_id` of the record, or its position without one.
    """

    record: Record
    department: str
    id: str
    origin: str
    message: OutboxMessage | None = None
    refusal: Refusal | None = None

    @property
    def digest(self) -> str:
        """The SHA-256 of the type and the value, in hexadecimal: it tells a repeat from another message with this id."""
        return ids.digest((self.record.header("ce_type") or "").encode() + b"\n" + (self.record.value or b""))

    @property
    def inquiry_id(self) -> str | None:
        """The inquiry of the message; None for a refusal."""
        if isinstance(self.message, PartMessage):
            return ids.inquiry_of(self.message.part_id)
        return self.message.inquiry_id if self.message else None


class InvalidOutboxRecord(ValueError):
    """The record is not a valid message; `refusal` is what the department receives."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.refusal = Refusal("invalid", reason, remedy)


def read_outbox(record: Record) -> OutboxRecord:
    """The message in a record, or a refusal. Never raises an error for an invalid record."""
    department = topics.department_of(record.topic)
    sent = attributes(record)
    given = sent.id
    origin = given if given and len(given) <= ID_MAX else record.place
    id_ = ids.named_id(f"{record.topic}/{origin}")
    if record.unreadable:
        return OutboxRecord(record, department, id_, origin, refusal=Refusal("invalid", record.unreadable, READABLE))
    try:
        message = understood(sent)
        refuse_repeated_keys(record.value or b"", sent.type or "")
        return OutboxRecord(record, department, id_, origin, message=message)
    except InvalidOutboxRecord as unreadable:
        return OutboxRecord(record, department, id_, origin, refusal=unreadable.refusal)


def attributes(record: Record) -> SentMessage:
    """What was sent, in binary mode (headers) or structured mode (one JSON object) of the CloudEvents Kafka binding."""
    binary = SentMessage(record.header("ce_type"), record.header("ce_id"), record.value)
    if not (record.header("content-type") or "").lower().startswith(STRUCTURED) or len(record.value or b"") > VALUE_MAX:
        return binary
    try:
        event = from_json(record.value or b"")
    except ValueError:
        return binary
    if not isinstance(event, dict):
        return binary
    kind, id_ = (event.get(name) if isinstance(event.get(name), str) else None for name in ("type", "id"))
    return SentMessage(kind, id_, to_json(event["data"]) if "data" in event else None)


def understood(sent: SentMessage) -> OutboxMessage:
    """The validated message. Raises InvalidOutboxRecord with the reason and the remedy."""
    kind = sent.type
    known = ", ".join(sorted(DEPARTMENT_MESSAGES))
    if not kind:
        raise InvalidOutboxRecord("The header ce_type is missing.", f"Set it to one of {known}.")
    if kind not in DEPARTMENT_MESSAGES:
        raise InvalidOutboxRecord(f"{kind[:100]!r} is not a type this gate takes.", f"Set ce_type to one of {known}.")
    if len(sent.data or b"") > VALUE_MAX:
        raise InvalidOutboxRecord(f"The value has {len(sent.data or b'')} bytes.", f"Write at most {VALUE_MAX} bytes.")
    if not sent.data:
        raise InvalidOutboxRecord("The value is empty.", "Write a JSON object with at least part_id.")
    try:
        message = DEPARTMENT_MESSAGES[kind].model_validate_json(sent.data)
        message.model_dump_json()
    except PydanticSerializationError as error:
        raise InvalidOutboxRecord(f"The value cannot be written again: {error}", remedy_for(kind)) from error
    except ValidationError as error:
        sentences = "; ".join(problem.detail for problem in field_problems(error)[:5])
        raise InvalidOutboxRecord(f"The value is not a {kind}: {sentences}.", remedy_for(kind)) from error
    if not isinstance(message, PartMessage):
        if not ids.INQUIRY_ID.fullmatch(message.inquiry_id):
            raise InvalidOutboxRecord(
                f"{message.inquiry_id[:100]!r} is no inquiry_id.", "Use the inquiry_id of a reply.draft in your inbox."
            )
        return message
    if ids.inquiry_of(message.part_id) is None:
        raise InvalidOutboxRecord(
            f"{message.part_id[:100]!r} is no part_id.", "Use the part_id of a part.offered in your inbox."
        )
    return message


def refuse_repeated_keys(value: bytes, kind: str) -> None:
    """Raise InvalidOutboxRecord for a value, envelope included, in which an object has a key twice."""
    if (key := repeated_key(value)) is not None:
        raise InvalidOutboxRecord(f"The value is not a {kind}: the key {key[:100]!r} is repeated.", remedy_for(kind))


def remedy_for(kind: str) -> str:
    """The remedy for an invalid value: the fields that a message of this type has."""
    fields = DEPARTMENT_MESSAGES[kind].model_fields
    needed = [name for name, field in fields.items() if field.is_required()]
    others = [name for name in fields if name not in needed]
    return f"Write a JSON object with {', '.join(needed)}" + (
        f" and, if you like, {', '.join(others)}." if others else "."
    )
