"""How the dead-letter routes answer."""

from base64 import b64encode
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

from services.router.dead_letters.replay import ReplayOutcome
from shared.kafka.records import Record
from shared.store.mongo import Document

Status = Literal["open", "replayed", "discarded", "expired"]


class HistoryEntry(BaseModel):
    """What somebody decided of a letter."""

    what: Literal["replayed", "discarded"]
    at: str
    by: str
    why: str | None = None
    event_id: str | None = None


class DeadLetterRow(BaseModel):
    """A dead letter without anybody's words: values that its reason quotes are left out."""

    id: str
    service: str
    at: datetime
    topic: str | None
    partition: int | None
    offset: int | None
    kind: str
    reason: str
    attempts: int
    type: str | None
    event_id: str | None
    inquiry_id: str | None
    copies: list[str]
    status: Status


class DeadLetterPage(BaseModel):
    """Letters, oldest first; `next` is what to pass as `after`; `unread`: so many are not in the list yet."""

    letters: list[DeadLetterRow]
    next: str | None
    unread: int


class RecordContent(BaseModel):
    """Bytes: as text where they are UTF-8, else as base64."""

    text: str | None = None
    base64: str | None = None


class HeaderShown(RecordContent):
    """One header; neither text nor base64 when it is null."""

    name: str


class DeadLetterShown(DeadLetterRow):
    """Everything about a dead letter; `found` is false when it is not in its topic any more."""

    history: list[HistoryEntry]
    found: bool
    key: RecordContent | None
    value: RecordContent | None
    headers: list[HeaderShown]


class DeadLetterDiscarded(DeadLetterRow):
    """A letter that was discarded; `holds` is its inquiry where that waits for a replay of others still."""

    history: list[HistoryEntry]
    holds: str | None


class Outcomes(BaseModel):
    """What became of each letter."""

    outcomes: list[ReplayOutcome]


def row(letter: Document) -> DeadLetterRow:
    """A letter as the list shows it."""
    return DeadLetterRow(**about(letter))


def about(letter: Document) -> dict[str, Any]:
    """The fields of a row."""
    fields = set(DeadLetterRow.model_fields) - {"id", "offset"}
    return {name: letter[name] for name in fields} | {"id": letter["_id"], "offset": letter["origin_offset"]}


def content(record: Record | None) -> dict[str, Any]:
    """What a letter holds, for the one who asks for it by its id."""
    if record is None:
        return {"found": False, "key": None, "value": None, "headers": []}
    headers = [HeaderShown(name=name, **(told(value) or {})) for name, value in record.headers]
    return {"found": True, "key": told(record.key), "value": told(record.value), "headers": headers}


def told(value: bytes | None) -> dict[str, str] | None:
    """Bytes as `Content`."""
    if value is None:
        return None
    try:
        return {"text": bytes(value).decode()}
    except UnicodeDecodeError:
        return {"base64": b64encode(value).decode()}
