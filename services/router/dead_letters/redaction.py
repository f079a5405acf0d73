"""Redacts dead letters for the index: keeps origin, ids and reason, without any text that a person wrote."""

import re
from collections.abc import Mapping
from typing import Any

from shared.contracts import ids
from shared.kafka import topics
from shared.kafka.records import Record
from shared.runtime import timestamps
from shared.store.mongo import Document

REPLAYED = "chorus-replay"
"""The header with the number of a replay, which tells a failed replay from a copy of the first dead letter."""
INQUIRY_IN_VALUE = re.compile(rb'"(?:inquiry_id|part_id)"\s*:\s*"(\d{8}-[0-9A-HJKMNP-TV-Z]{8})[-"]')
VALUE_SEARCHED_BYTES = 65_536
PLAIN = re.compile(r"[A-Za-z0-9._-]{1,100}")
ID_MAX = 256
PYDANTIC_VALUES = re.compile(r"input_value=.*?(?=, input_type=|$)", re.MULTILINE)
QUOTED = re.compile(r"""(['"]).*['"]""", re.DOTALL)
NUMBER = re.compile(r"\d{5,}")
REASON_MAX = 300
ERASED = "The inquiry is erased."
ORIGIN_HEADERS = ("topic", "partition", "offset", "timestamp", "kind", "reason")


def index_entry(service: str, record: Record) -> Document:
    """The document of a dead letter in the index."""
    id_ = f"{service}-{record.offset}"
    origin = {name: record.header(f"dl_{name}") for name in ORIGIN_HEADERS}
    place = f"{origin['topic']}-{origin['partition']}-{origin['offset']}" if origin["topic"] else None
    number, attempts = record.header(REPLAYED) or "", record.header("dl_attempts") or ""
    return {
        "_id": id_,
        "service": service,
        "offset": record.offset,
        "copies": [],
        # The timestamp is part of it because a topic that is created again gives the same offsets to other records.
        "origin": f"{service}/{place or record.place}@{origin['timestamp']}",
        "at": timestamps.from_ms(record.timestamp_ms),
        "order": f"{record.timestamp_ms:015d}-{service}-{record.offset:015d}",
        "topic": origin["topic"],
        "place": place,
        "partition": _number(origin["partition"] or ""),
        "origin_offset": _number(origin["offset"] or ""),
        "kind": origin["kind"] or "unknown",
        "reason": without_words(origin["reason"] or ""),
        "attempts": _number(attempts) or 0,
        "type": _plain(record.header("ce_type")),
        "event_id": _short(record.header("ce_id")),
        "inquiry_id": inquiry_of(record, origin["topic"]),
        "cut": record.value is None and record.header("dl_cut") is not None,
        "status": "open",
        "replays": 0,
        "failed": _number(number) or 0,
        "history": [],
    }


def erased_fields(letter: Mapping[str, Any]) -> Document:
    """The fields that an erasure overwrites. Ids that Chorus made stay; type and id that a department chose do not."""
    ours = letter["topic"] in (topics.INPUTS, topics.RESIDENTS, topics.EVENTS)
    return {"reason": ERASED} | ({} if ours else {"type": None, "event_id": None})


def without_words(reason: str) -> str:
    """A reason without quoted values and long numbers, because a list must not show a resident's words.

    A quoted value may itself contain quotes, so this replaces everything from the first quote to the last.
    """
    redacted = NUMBER.sub("…", QUOTED.sub("'…'", PYDANTIC_VALUES.sub("input_value=…", reason)))
    line = " ".join(redacted.split())
    return line if len(line) <= REASON_MAX else f"{line[:REASON_MAX]}…"


def inquiry_of(record: Record, topic: str | None) -> str | None:
    """The inquiry of a dead letter, from its key, its subject or its value; for an input from its key only."""
    candidates = [(record.key or b"").decode(errors="replace")]
    if topic != topics.INPUTS:
        found = INQUIRY_IN_VALUE.search((record.value or b"")[:VALUE_SEARCHED_BYTES])
        candidates += [record.header("ce_subject") or "", found[1].decode() if found else ""]
    return next((one for one in candidates if ids.INQUIRY_ID.fullmatch(one)), None)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _plain(text: str | None) -> str | None:
    return text if text and PLAIN.fullmatch(text) else None


def _short(text: str | None) -> str | None:
    return text if text and len(text) <= ID_MAX else None
