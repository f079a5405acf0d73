"""The bodies of answers about dead letters."""

from base64 import b64encode
from datetime import datetime
from typing import Any, Literal

from services.router.dead_letters.replay import ReplayOutcome
from shared.contracts.documented import Documented
from shared.kafka.records import Record
from shared.store.mongo import Document

Status = Literal["open", "replayed", "discarded", "expired"]


class HistoryEntry(Documented):
    """A replay or a discard of a dead letter."""

    what: Literal["replayed", "discarded"]
    """`replayed` or `discarded`."""
    at: str
    """When it was done (RFC 3339, UTC, milliseconds)."""
    by: str | None
    """Who did it; null after the inquiry is erased."""
    user: int | None = None
    """The number of the staff user who did it; null in entries of earlier releases."""
    why: str | None = None
    """The reason of a discard; null for a replay, and after the inquiry is erased."""
    event_id: str | None = None
    """The id of the command `replay`; null when the record went into a replay topic, and for a discard."""


class DeadLetterRow(Documented):
    """A dead letter in the list. It shows no words: quoted values are left out of the reason."""

    id: str
    """The id of the dead letter, such as `router-12`: the service and the offset in its topic."""
    service: str
    """The service that could not process the record."""
    at: datetime
    """When the dead letter was written."""
    topic: str | None
    """The topic that the record came from; null when the dead letter does not say."""
    partition: int | None
    """The partition that the record came from; null when the dead letter does not say."""
    offset: int | None
    """The offset of the record in that partition; null when the dead letter does not say."""
    kind: str
    """`permanent` for an invalid record, `exhausted` after the last attempt, `unknown` when the dead letter does not
    say."""
    reason: str
    """Why the service could not process the record, without quoted values."""
    attempts: int
    """How many times the service tried."""
    type: str | None
    """The `ce_type` of the record; null when absent or not plain text."""
    event_id: str | None
    """The `ce_id` of the record; null when absent or too long. A department's is null after the inquiry is erased."""
    inquiry_id: str | None
    """The inquiry of the record; null when not known."""
    copies: list[str]
    """The ids of further dead letters of the same record."""
    status: Status
    """`open`, `replayed`, `discarded`, or `expired` when the record is no longer in its topic."""


class DeadLetterPage(Documented):
    """A page of the list of dead letters."""

    letters: list[DeadLetterRow]
    """Dead letters, the oldest first."""
    next: str | None
    """The value of `after` for the next page; null on the last page."""
    unread: int
    """How many dead letters the desk has not read from their topics yet."""
    open: int
    """How many dead letters are open, those of other pages and filters included."""


class RecordContent(Documented):
    """Bytes, as text when they are UTF-8, else in base64."""

    text: str | None = None
    """The bytes as text; null when they are not UTF-8."""
    base64: str | None = None
    """The bytes in base64 when they are not UTF-8; else null."""


class HeaderShown(RecordContent):
    """A header of the record; `text` and `base64` are both null when its value is null."""

    name: str
    """The name of the header."""


class DeadLetterShown(DeadLetterRow):
    """A dead letter with its record and history."""

    history: list[HistoryEntry]
    """Replays and discards of the dead letter, oldest first."""
    found: bool
    """False when the record has expired from its topic or its inquiry is erased; key, value and headers are then absent."""
    key: RecordContent | None
    """The key of the record; null when there is none."""
    value: RecordContent | None
    """The value of the record; null when there is none."""
    headers: list[HeaderShown]
    """The headers of the record."""


class DeadLetterDiscarded(DeadLetterRow):
    """A dead letter after it was discarded."""

    history: list[HistoryEntry]
    """Replays and discards of the dead letter, oldest first."""
    holds: str | None
    """The inquiry, when it still waits for a replay of other parked records; else null."""


class Outcomes(Documented):
    """The outcome of a replay for each dead letter."""

    outcomes: list[ReplayOutcome]
    """One outcome for each id: unknown ids first, then dead letters in the order in which they were written."""


def row(letter: Document) -> DeadLetterRow:
    return DeadLetterRow(**row_fields(letter))


def row_fields(letter: Document) -> dict[str, Any]:
    """The fields of `DeadLetterRow` from a document of the index."""
    fields = set(DeadLetterRow.model_fields) - {"id", "offset"}
    return {name: letter[name] for name in fields} | {"id": letter["_id"], "offset": letter["origin_offset"]}


def content_fields(record: Record | None) -> dict[str, Any]:
    """The fields of `DeadLetterShown` that come from the record; None means that it was not found or is erased."""
    if record is None:
        return {"found": False, "key": None, "value": None, "headers": []}
    headers = [HeaderShown(name=name, **(_encoded(value) or {})) for name, value in record.headers]
    return {"found": True, "key": _encoded(record.key), "value": _encoded(record.value), "headers": headers}


def _encoded(value: bytes | None) -> dict[str, str] | None:
    """The fields of `RecordContent`."""
    if value is None:
        return None
    try:
        return {"text": bytes(value).decode()}
    except UnicodeDecodeError:
        return {"base64": b64encode(value).decode()}
