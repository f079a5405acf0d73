"""The gate: departments' outboxes come in here, checked and stamped, or go back with a sentence."""

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError, from_json, to_json

from services.router.domain.decision import SOURCE, Refusal
from services.router.domain.directory import Directory
from services.router.handlers.core import DEPARTMENT_SOURCE
from services.router.store import Store
from shared.contracts import ids
from shared.contracts.department_inbox import MessageRefused
from shared.contracts.envelope import Message, Origin
from shared.contracts.inputs import DEPARTMENT_MESSAGES, PartMessage
from shared.http.problems import field_problems
from shared.kafka import topics
from shared.kafka.publisher import Publisher
from shared.kafka.records import Record, dead_letter
from shared.kafka.subscription import Confirm
from shared.runtime import metrics, timestamps
from shared.runtime.logging import log
from shared.service.city_feed import CityFeed

ID_MAX = 256
VALUE_MAX = 1_048_576


STRUCTURED = "application/cloudevents+json"


@dataclass(frozen=True, slots=True)
class Sent:
    """What a department's client sent: CloudEvents' type and id, and the data as JSON."""

    type: str | None
    id: str | None
    data: bytes | None


@dataclass(frozen=True, slots=True)
class Knock:
    """One record of an outbox: what its department means, or why it cannot be let in."""

    record: Record
    department: str
    id: str
    origin: str
    message: PartMessage | None = None
    refusal: Refusal | None = None

    @property
    def digest(self) -> str:
        """Which bytes were sent, as what."""
        return ids.digest((self.record.header("ce_type") or "").encode() + b"\n" + (self.record.value or b""))

    @property
    def inquiry_id(self) -> str | None:
        """The inquiry it speaks of."""
        return ids.inquiry_of(self.message.part_id) if self.message else None


class Unreadable(ValueError):
    """The record cannot be understood; carries the refusal."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.refusal = Refusal(reason, remedy)


@dataclass
class Gate:
    """Lets departments' messages onto the log of their case."""

    store: Store
    publisher: Publisher
    city: CityFeed[Directory]

    async def let_in(self, batch: Sequence[Knock]) -> Confirm:
        """Stamp what is right, send back what is not. Safe to repeat: ids follow from the outbox's records."""
        known = await self.store.known(one.inquiry_id for one in batch if one.inquiry_id)
        members = self.city.current().departments.keys()
        checked = [checked_against(known, members, knock) for knock in batch]
        refused = [one for one in checked if one.refusal is not None]
        answered = [one for one in checked if one.department in members]
        messages = [refusal(one) if one.refusal else stamped(one) for one in answered]
        letters = [
            dead_letter("router", one.record, "permanent", one.refusal.reason, 1) for one in refused if one.refusal
        ]
        for one in checked:
            outcome = "refused" if one.refusal else "let in"
            log.info(
                outcome, extra={"inquiry_id": one.inquiry_id, "department": one.department, "place": one.record.place}
            )

        async def confirm() -> None:
            await self.publisher.publish(messages)
            if letters:
                await self.publisher.publish_raw({topics.dead_letters("router"): letters})
                metrics.DEAD_LETTERS.labels("router", "permanent").inc(len(letters))

        return confirm


def checked_against(known: Set[str], members: Set[str], knock: Knock) -> Knock:
    """Refuse what names an inquiry that nobody has decided on, and the outbox of nobody in the directory."""
    if knock.department not in members:
        return replace(knock, refusal=Refusal(f"{knock.department!r} is not in the directory.", "Add the department."))
    if knock.refusal is None and knock.inquiry_id not in known:
        reason = f"There is no inquiry {knock.inquiry_id!r}."
        return replace(knock, refusal=Refusal(reason, "Use the part_id of a part.offered in your inbox."))
    return knock


def stamped(knock: Knock) -> Message:
    """The input that a department's message becomes: its own words, our id, the broker's time, the topic's identity."""
    assert knock.message is not None
    assert knock.inquiry_id is not None
    source = DEPARTMENT_SOURCE + knock.department
    origin = Origin(source, knock.inquiry_id, recorded_at(knock), knock.origin, knock.digest)
    value = knock.message.model_dump_json().encode()
    return Message(topics.INPUTS, knock.inquiry_id, knock.id, knock.message.type, origin, value)


def refusal(knock: Knock) -> Message:
    """Word to the department that its message was not taken."""
    assert knock.refusal is not None
    told = MessageRefused(cause=knock.origin, reason=knock.refusal.reason, remedy=knock.refusal.remedy)
    return Message(
        topic=topics.inbox(knock.department),
        key=knock.department,
        id=ids.derived_id(knock.id, f"{MessageRefused.type}/{knock.digest}"),
        type=MessageRefused.type,
        origin=Origin(SOURCE, knock.inquiry_id or knock.department, recorded_at(knock), knock.id),
        value=told.model_dump_json().encode(),
        sequence=0,
    )


def recorded_at(knock: Knock) -> str:
    """When the broker took the record: nobody can back-date it."""
    return timestamps.to_text(timestamps.from_ms(knock.record.timestamp_ms))


def read_outbox(record: Record) -> Knock:
    """What an outbox's record says; whatever cannot be understood is a refusal, never an error."""
    department = topics.department_of(record.topic)
    sent = attributes(record)
    given = sent.id
    origin = given if given and len(given) <= ID_MAX else record.place
    id_ = ids.named_id(f"{record.topic}/{origin}")
    try:
        return Knock(record, department, id_, origin, message=understood(sent))
    except Unreadable as unreadable:
        return Knock(record, department, id_, origin, refusal=unreadable.refusal)


def attributes(record: Record) -> Sent:
    """What was sent, in either mode of CloudEvents' Kafka binding: as headers, or the whole event as one JSON object."""
    binary = Sent(record.header("ce_type"), record.header("ce_id"), record.value)
    if not (record.header("content-type") or "").lower().startswith(STRUCTURED) or len(record.value or b"") > VALUE_MAX:
        return binary
    try:
        event = from_json(record.value or b"")
    except ValueError:
        return binary
    if not isinstance(event, dict):
        return binary
    kind, id_ = (event.get(name) if isinstance(event.get(name), str) else None for name in ("type", "id"))
    return Sent(kind, id_, to_json(event["data"]) if "data" in event else None)


def understood(sent: Sent) -> PartMessage:
    """The message that was sent; raises Unreadable with what would be right."""
    kind = sent.type
    known = ", ".join(sorted(DEPARTMENT_MESSAGES))
    if not kind:
        raise Unreadable("The header ce_type is missing.", f"Set it to one of {known}.")
    if kind not in DEPARTMENT_MESSAGES:
        raise Unreadable(f"{kind[:100]!r} is not a type this gate takes.", f"Set ce_type to one of {known}.")
    if len(sent.data or b"") > VALUE_MAX:
        raise Unreadable(f"The value has {len(sent.data or b'')} bytes.", f"Write at most {VALUE_MAX} bytes.")
    if not sent.data:
        raise Unreadable("The value is empty.", "Write a JSON object with at least part_id.")
    try:
        message = DEPARTMENT_MESSAGES[kind].model_validate_json(sent.data)
        message.model_dump_json()
    except PydanticSerializationError as error:
        raise Unreadable(f"The value cannot be written again: {error}", remedy_for(kind)) from error
    except ValidationError as error:
        sentences = "; ".join(problem.detail for problem in field_problems(error)[:5])
        raise Unreadable(f"The value is not a {kind}: {sentences}.", remedy_for(kind)) from error
    if ids.inquiry_of(message.part_id) is None:
        raise Unreadable(
            f"{message.part_id[:100]!r} is no part_id.", "Use the part_id of a part.offered in your inbox."
        )
    return message


def remedy_for(kind: str) -> str:
    """The fields that a message of this type takes."""
    fields = DEPARTMENT_MESSAGES[kind].model_fields
    needed = [name for name, field in fields.items() if field.is_required()]
    others = [name for name in fields if name not in needed]
    return f"Write a JSON object with {', '.join(needed)}" + (
        f" and, if you like, {', '.join(others)}." if others else "."
    )
