"""The page at `/asyncapi`: a service's topics and messages, from its AsyncAPI document, without a script."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from fastapi.responses import HTMLResponse

from shared.runtime.languages import Lang
from shared.web.layout import RENDER, Site

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FieldShown:
    """A field of a message."""

    name: str
    form: str
    required: bool
    description: str


@dataclass(frozen=True, slots=True)
class TopicMessage:
    """A type of message."""

    title: str
    description: str
    fields: Sequence[FieldShown]


@dataclass(frozen=True, slots=True)
class TopicShown:
    """A topic that the service reads or writes."""

    name: str
    reads: bool
    messages: Sequence[TopicMessage]


def topics_page(lang: Lang, document: Schema, site: Site) -> HTMLResponse:
    """The page with a service's topics; topics that it reads come first."""
    title, topics = document["info"]["title"], shown(document)
    return RENDER("topics.html", lang, 200, site, "no-cache", title=title, topics=topics)


def shown(document: Schema) -> list[TopicShown]:
    """Every topic of an AsyncAPI 3 document; topics that the service reads come first."""
    found = []
    for operation in document["operations"].values():
        channel = _resolved(document, operation["channel"])
        messages = [_message(document, one) for one in channel["messages"].values()]
        found.append(TopicShown(channel["address"], operation["action"] == "receive", messages))
    return sorted(found, key=lambda one: (not one.reads, one.name))


def _message(document: Schema, message: Schema) -> TopicMessage:
    payload = _resolved(document, message["payload"])
    required = payload.get("required", ())
    fields = [
        FieldShown(name, form(document, one), name in required, str(one.get("description", "")))
        for name, one in payload.get("properties", {}).items()
    ]
    return TopicMessage(message["title"], str(payload.get("description", "")), fields)


def form(document: Schema, schema: Schema) -> str:
    """The type that a schema describes: `text`, `list of text`, `object Contact`, `one of: zh, en`."""
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
        case None:
            return "anything"
        case kind:
            return str(kind)


def _resolved(document: Schema, schema: Schema) -> Schema:
    """The schema that a chain of references leads to."""
    while "$ref" in schema:
        node: Any = document
        for step in schema["$ref"].removeprefix("#/").split("/"):
            node = node[unquote(step).replace("~1", "/").replace("~0", "~")]
        schema = node
    return schema
