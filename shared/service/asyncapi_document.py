"""The AsyncAPI document of a service: FastStream's topics and operations, with every message type of each topic."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from faststream.specification import AsyncAPI
from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema

from shared.city import City
from shared.contracts.department_inbox import INBOX
from shared.contracts.documented import Documented
from shared.contracts.facts import EVENT_TYPES, CaseEvent
from shared.contracts.inputs import DEPARTMENT_MESSAGES, INPUTS
from shared.contracts.resident_messages import ResidentTold
from shared.kafka import topics
from shared.service.city_feed import CITY_REVISED

Messages = Mapping[str, type[BaseModel]]
CARRIED: Mapping[str, Messages] = {
    topics.CITY: {CITY_REVISED: City},
    topics.INPUTS: INPUTS,
    topics.OUTBOXES: DEPARTMENT_MESSAGES,
    topics.inbox("{code}"): INBOX,
    topics.RESIDENTS: {ResidentTold.type: ResidentTold},
    topics.EVENTS: dict.fromkeys(EVENT_TYPES, CaseEvent),
}
"""The message types of each topic, by `ce_type`. Topics that are missing here carry dead letters and their replays:
unchanged records of these topics."""
SCHEMAS = "#/components/schemas/"


class MessageHeaders(Documented):
    """The headers of a message: the attributes of CloudEvents 1.0 in binary mode, as UTF-8 text."""

    ce_type: str
    """The type of the message. Readers must skip unknown types, because later releases add types."""
    ce_id: str | None = None
    """The message's id; a repeated message has the same id. Chorus always sets it."""
    ce_source: str | None = None
    """The sender of the message, such as `chorus/router`. Chorus always sets it."""
    ce_specversion: str | None = None
    """The version of CloudEvents, `1.0`. Chorus always sets it."""
    ce_time: str | None = None
    """When the input that caused the message was recorded: RFC 3339, UTC, milliseconds. Chorus always sets it."""
    ce_subject: str | None = None
    """The inquiry's id; `city` for a revision of the city. Chorus always sets it."""
    ce_recordedtime: str | None = None
    """The same time as `ce_time`. Chorus always sets it."""
    ce_sequence: str | None = None
    """Increases with each message about the same inquiry, or with each revision of the city; absent in inputs."""
    ce_causationid: str | None = None
    """The id of the input that caused the message; absent when no input did."""
    ce_digest: str | None = None
    """The SHA-256 of an input's value as its sender wrote it, in hexadecimal; absent in all other messages."""
    content_type: str | None = Field(None, alias="content-type")
    """The media type of the value, `application/json`. Chorus always sets it."""


class DeadLetterHeaders(Documented):
    """The headers of a dead letter: those of the failed record, and its origin."""

    ce_type: str | None = None
    """The type of the failed record; absent when the record has none."""
    dl_service: str | None = None
    """The service that could not handle the record; absent in a replay."""
    dl_topic: str
    """The topic of the record."""
    dl_partition: str
    """The partition of the record, a decimal number."""
    dl_offset: str
    """The offset of the record, a decimal number."""
    dl_timestamp: str
    """The timestamp of the record, in milliseconds since 1970."""
    dl_attempts: str | None = None
    """How many times the service tried to handle the record; absent in a replay."""
    dl_kind: str | None = None
    """`permanent` for an invalid record, `exhausted` after the last attempt, `parked` behind another; absent in a replay."""
    dl_reason: str | None = None
    """Why the service could not handle the record, at most 2,000 characters; absent in a replay."""
    dl_cut: str | None = None
    """The size in bytes of a record that was too large for a dead letter, which then has no key or value; else absent."""


def asyncapi_document(specification: AsyncAPI, published_types: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The document as JSON. `published_types` names the types that a service publishes, by topic; default: all types."""
    document: dict[str, Any] = specification.to_specification().to_jsonable()
    for channel in document["channels"].values():
        channel["messages"] = _channel_messages(channel["address"])
    for operation in document["operations"].values():
        where = operation["channel"]["$ref"]
        channel = document["channels"][_key(where)]
        some = published_types.get(channel["address"], ()) if operation["action"] == "send" else ()
        operation["messages"] = [{"$ref": f"{where}/messages/{name}"} for name in some or channel["messages"]]
    models: set[type[BaseModel]] = {MessageHeaders, DeadLetterHeaders}
    models.update(*(CARRIED.get(channel["address"], {}).values() for channel in document["channels"].values()))
    in_order = sorted(models, key=lambda model: model.__name__)
    _, schemas = models_json_schema([(model, "validation") for model in in_order], ref_template=SCHEMAS + "{model}")
    document["components"] = {"schemas": schemas["$defs"]}
    return document


def _key(reference: str) -> str:
    return unquote(reference.removeprefix("#/channels/")).replace("~1", "/").replace("~0", "~")


def _channel_messages(topic: str) -> dict[str, Any]:
    if topic not in CARRIED:
        return {
            "record": {
                "name": "record",
                "title": "A record of another topic",
                "headers": {"$ref": SCHEMAS + DeadLetterHeaders.__name__},
                "payload": {"type": "string", "format": "binary", "description": "The value of the record, unchanged."},
            }
        }
    return {kind: _message(kind, model) for kind, model in CARRIED[topic].items()}


def _message(kind: str, model: type[BaseModel]) -> dict[str, Any]:
    type_header = {"const": kind, "type": "string", "description": f"Always `{kind}`."}
    own = {"type": "object", "properties": {"ce_type": type_header}, "required": ["ce_type"]}
    return {
        "name": kind,
        "title": kind,
        "contentType": "application/json",
        "headers": {"allOf": [{"$ref": SCHEMAS + MessageHeaders.__name__}, own]},
        "payload": {"$ref": SCHEMAS + model.__name__},
    }
