"""How the dead-letter routes answer."""

from base64 import b64encode
from datetime import datetime
from typing import Any, Literal

from services.router.dead_letters.replay import ReplayOutcome
from shared.contracts.documented import Documented
from shared.kafka.records import Record
from shared.store.mongo import Document

Status = Literal["open", "replayed", "discarded", "expired"]


class HistoryEntry(Documented):
    """What somebody decided of a letter."""

    what: Literal["replayed", "discarded"]
    """`replayed` or `discarded`."""
    at: str
    """When (RFC 3339, UTC, milliseconds)."""
    by: str | None
    """Who did it; null once the inquiry is erased."""
    why: str | None = None
    """The reason of a discard; null for a replay, and once the inquiry is erased."""
    event_id: str | None = None
    """The id of the command that takes the record; null when there is none."""


class DeadLetterRow(Documented):
    """A dead letter without anybody's words: values that its reason quotes are left out."""

    id: str
    """The id of the dead letter, such as `router-12`: the service and the offset in its topic."""
    service: str
    """The service that could not take the record."""
    at: datetime
    """When the dead letter was written."""
    topic: str | None
    """The topic of the record; null when not known."""
    partition: int | None
    """The partition of the record; null when not known."""
    offset: int | None
    """The offset of the record; null when not known."""
    kind: str
    """`permanent` for an invalid record, `exhausted` after the last attempt, `unknown` when the dead letter does not
    say."""
    reason: str
    """Why the service could not take the record, without the values that the reason quotes."""
    attempts: int
    """How many times the service tried."""
    type: str | None
    """The `ce_type` of the record; null when absent or not plain text."""
    event_id: str | None
    """The `ce_id` of the record; null when absent or too long. A department's is null once the inquiry is erased."""
    inquiry_id: str | None
    """The inquiry of the record; null when not known."""
    copies: list[str]
    """The ids of further dead letters of the same record."""
    status: Status
    """`open`, `replayed`, `discarded`, or `expired` when the record is no longer in its topic."""


class DeadLetterPage(Documented):
    """Letters, oldest first; `next` is what to pass as `after`; `unread`: so many are not in the list yet."""

    letters: list[DeadLetterRow]
    """Dead letters, the oldest first."""
    next: str | None
    """What to pass as `after` for the following page; null on the last."""
    unread: int
    """How many dead letters are not in the list yet."""


class RecordContent(Documented):
    """Bytes: as text where they are UTF-8, else as base64."""

    text: str | None = None
    """The bytes as text; null when they are not UTF-8."""
    base64: str | None = None
    """The bytes in base64 when they are not UTF-8; else null."""


class HeaderShown(RecordContent):
    """One header; neither text nor base64 when it is null."""

    name: str
    """The name of the header."""


class DeadLetterShown(DeadLetterRow):
    """Everything about a dead letter; `found` is false when its record is not in its topic any more, or is erased."""

    history: list[HistoryEntry]
    """What was done with the dead letter, oldest first."""
    found: bool
    """Whether the record is still in its topic and its inquiry is not erased."""
    key: RecordContent | None
    """The key of the record; null when there is none."""
    value: RecordContent | None
    """The value of the record; null when there is none."""
    headers: list[HeaderShown]
    """The headers of the record."""


class DeadLetterDiscarded(DeadLetterRow):
    """A letter that was discarded; `holds` is its inquiry where that waits for a replay of others still."""

    history: list[HistoryEntry]
    """What was done with the dead letter, oldest first."""
    holds: str | None
    """The inquiry that still waits for a replay of other records; null when none waits."""


class Outcomes(Documented):
    """What became of each letter."""

    outcomes: list[ReplayOutcome]
    """One outcome for each id, in the order in which the dead letters were written."""


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
