"""The reference pages: a service's own OpenAPI and AsyncAPI documents, read out for people, without anything from elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

Schema = Mapping[str, Any]
METHODS = ("get", "post", "put", "delete", "patch")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a body, a message or a question."""

    name: str
    form: str
    required: bool
    says: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """One route: what it takes and how it answers."""

    method: str
    path: str
    summary: str
    secured: bool
    parameters: Sequence[Field]
    body: Sequence[Field]
    answers: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Channel:
    """One topic: whether the service reads or writes it, and the forms of the messages in it."""

    topic: str
    reads: bool
    messages: Sequence[tuple[str, str, Sequence[Field]]]


def operations(document: Schema) -> list[Operation]:
    """Every route of an OpenAPI document."""
    return [
        Operation(
            method=method.upper(),
            path=path,
            summary=operation.get("summary", ""),
            secured=bool(operation.get("security")),
            parameters=[
                Field(f"{one['name']} ({one['in']})", form(document, one["schema"]), one.get("required", False))
                for one in operation.get("parameters", ())
            ],
            body=_body(document, operation),
            answers=[(status, answer.get("description", "")) for status, answer in operation["responses"].items()],
        )
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    ]


def _body(document: Schema, operation: Schema) -> list[Field]:
    content = operation.get("requestBody", {}).get("content", {})
    return [one for media in content.values() for one in fields(document, media.get("schema", {}))]


def channels(document: Schema) -> list[Channel]:
    """Every topic of an AsyncAPI 3 document, those that are read first."""
    reading = {
        operation["channel"]["$ref"].rpartition("/")[2]
        for operation in document.get("operations", {}).values()
        if operation["action"] == "receive"
    }
    found = []
    for name, channel in document["channels"].items():
        messages = [_resolved(document, one) for one in channel["messages"].values()]
        forms = [form_ for message in messages for form_ in _alternatives(document, message["payload"])]
        escaped = name.replace("~", "~0").replace("/", "~1")
        found.append(Channel(channel["address"], name in reading or escaped in reading, forms))
    return sorted(found, key=lambda one: (not one.reads, one.topic))


def _alternatives(document: Schema, schema: Schema) -> list[tuple[str, str, Sequence[Field]]]:
    """The forms a payload may have: a batch is told by its items, a choice by each of its members."""
    whole = _resolved(document, schema)
    if whole.get("type") == "array":
        return _alternatives(document, whole.get("items", {}))
    if members := whole.get("anyOf") or whole.get("oneOf"):
        return [one for member in members for one in _alternatives(document, member)]
    title = str(whole.get("title", "")) or form(document, whole)
    return [(title, _first_sentence(whole), fields(document, whole))]


def fields(document: Schema, schema: Schema) -> list[Field]:
    """The fields of an object; empty for anything else."""
    whole = _resolved(document, schema)
    required = whole.get("required", ())
    return [
        Field(name, form(document, one), name in required, _first_sentence(_resolved(document, one)))
        for name, one in whole.get("properties", {}).items()
    ]


def form(document: Schema, schema: Schema) -> str:
    """A form in words: `text`, `list of text`, `object Contact`, `one of: zh, en`."""
    whole = _resolved(document, schema)
    if members := whole.get("anyOf") or whole.get("oneOf"):
        return " or ".join(dict.fromkeys(form(document, one) for one in members))
    if choices := whole.get("enum"):
        return "one of: " + ", ".join(map(str, choices))
    if "const" in whole:
        return f"always {whole['const']}"
    match whole.get("type"):
        case "array":
            return f"list of {form(document, whole.get('items', {}))}"
        case "object":
            return f"object {whole['title']}" if "title" in whole else "object"
        case "string":
            return "time" if whole.get("format") == "date-time" else "text"
        case "null":
            return "nothing"
        case None:
            return "anything"
        case kind:
            return str(kind)


def _first_sentence(schema: Schema) -> str:
    return str(schema.get("description", "")).strip().split("\n\n")[0]


def _resolved(document: Schema, schema: Schema) -> Schema:
    """The schema itself, behind however many references."""
    while "$ref" in schema:
        node: Any = document
        for step in schema["$ref"].removeprefix("#/").split("/"):
            node = node[unquote(step).replace("~1", "/").replace("~0", "~")]
        schema = node
    return schema
