"""Markers: texts that can be found in any stored form, and the list of fields that may contain text."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from shared.store.mongo import Database

IDS = ("inquiry_id", "part_id", "linked_to")


class Marks:
    """A unique text for each field."""

    def __init__(self) -> None:
        self.by_place: dict[str, str] = {}

    def __call__(self, place: str, text: str | None = None) -> str:
        return self.by_place.setdefault(place, text or f"mark{len(self.by_place):03}q")

    def among(self, data: bytes) -> set[str]:
        """The fields whose markers occur in these bytes."""
        return {place for place, text in self.by_place.items() if text.encode() in data}


# ── which fields may hold words ──────────────────────────────────────────────


def text_fields(model: type[BaseModel], at: str = "") -> Iterator[str]:
    """The paths of a model's fields that may contain text, including nested models."""
    for name, field in model.model_fields.items():
        if name not in IDS:
            yield from dict.fromkeys(_texts_in(field.annotation, f"{at}{name}"))


def _texts_in(annotation: Any, path: str) -> Iterator[str]:
    if annotation in (str, Any):
        yield path
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from text_fields(annotation, f"{path}/")
    elif get_origin(annotation) is not Literal:
        for one in get_args(annotation):
            yield from _texts_in(one, path)


def written_in(value: Any, path: list[str]) -> Iterator[str]:
    """The values of a field in a dumped model, in each entry of a list."""
    if isinstance(value, list):
        for one in value:
            yield from written_in(one, path)
    elif path and isinstance(value, dict):
        yield from written_in(value.get(path[0]), path[1:])
    elif not path and value is not None:
        yield str(value)


# ── where they are stored ────────────────────────────────────────────────────


async def stored(databases: Mapping[str, Database]) -> dict[str, list[Any]]:
    """Every document of every collection."""
    found: dict[str, list[Any]] = {}
    for name, database in databases.items():
        for collection in sorted(await database.list_collection_names()):
            documents = await database[collection].find({}).to_list(None)
            found[f"{name}.{collection}"] = sorted(documents, key=lambda one: str(one["_id"]))
    return found


def everything(node: Any) -> bytes:
    """All keys and values of a document as bytes, raw and hexadecimal."""
    if isinstance(node, Mapping):
        return b"\n".join(everything(one) for pair in node.items() for one in pair)
    if isinstance(node, list | tuple):
        return b"\n".join(map(everything, node))
    if isinstance(node, bytes):
        return bytes(node) + b"\n" + bytes(node).hex().encode()
    return str(node).encode()


def left(documents: Mapping[str, Iterable[Any]], marks: Marks) -> dict[str, set[str]]:
    """By collection, the fields whose markers are found."""
    found = {name: marks.among(everything(list(some))) for name, some in documents.items()}
    return {name: places for name, places in found.items() if places}
