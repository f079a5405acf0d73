"""A dead letter as a list may show it: where it came from and what is wrong with it, without anybody's words."""

import re
from collections.abc import Mapping
from typing import Any

from shared.contracts import ids
from shared.kafka import topics
from shared.kafka.records import Record
from shared.runtime import timestamps
from shared.store.mongo import Document

REPLAYED = "chorus-replay"
"""The header that counts a letter's replays, so that a failure of the last one is told from a copy of the first."""
SPOKEN_OF = re.compile(rb'"(?:inquiry_id|part_id)"\s*:\s*"(\d{8}-[0-9A-HJKMNP-TV-Z]{8})[-"]')
LOOKED_THROUGH = 65_536
PLAIN = re.compile(r"[A-Za-z0-9._-]{1,100}")
ID_MAX = 256
VALUES_GIVEN = re.compile(r"input_value=.*?(?=, input_type=|$)", re.MULTILINE)
QUOTED = re.compile(r"""(['"]).*['"]""", re.DOTALL)
NUMBER = re.compile(r"\d{5,}")
REASON_SHOWN = 300
ERASED = "The inquiry is erased."
MARKS = ("topic", "partition", "offset", "timestamp", "kind", "reason")


def described(service: str, record: Record) -> Document:
    """What the index keeps of a letter."""
    id_ = f"{service}-{record.offset}"
    told = {name: record.header(f"dl_{name}") for name in MARKS}
    place = f"{told['topic']}-{told['partition']}-{told['offset']}" if told["topic"] else None
    number, attempts = record.header(REPLAYED) or "", record.header("dl_attempts") or ""
    return {
        "_id": id_,
        "service": service,
        "offset": record.offset,
        "copies": [],
        # A topic that was made anew gives the same places to other records, at other times.
        "origin": f"{service}/{place or record.place}@{told['timestamp']}",
        "at": timestamps.from_ms(record.timestamp_ms),
        "order": f"{record.timestamp_ms:015d}-{service}-{record.offset:015d}",
        "topic": told["topic"],
        "place": place,
        "partition": _number(told["partition"] or ""),
        "origin_offset": _number(told["offset"] or ""),
        "kind": told["kind"] or "unknown",
        "reason": without_words(told["reason"] or ""),
        "attempts": _number(attempts) or 0,
        "type": _plain(record.header("ce_type")),
        "event_id": _short(record.header("ce_id")),
        "inquiry_id": inquiry_of(record, told["topic"]),
        "cut": record.value is None and record.header("dl_cut") is not None,
        "status": "open",
        "replays": 0,
        "failed": _number(number) or 0,
        "history": [],
    }


def erased(letter: Mapping[str, Any]) -> Document:
    """What fields of a letter become once its inquiry is erased. The ids of our own messages stay, a department's goes."""
    ours = letter["topic"] in (topics.INPUTS, topics.RESIDENTS, topics.EVENTS)
    return {"reason": ERASED} | ({} if ours else {"type": None, "event_id": None})


def without_words(reason: str) -> str:
    """A reason without the values that it quotes: a resident's words must not stand in a list.

    A quoted value may hold quotes itself, so everything from the first to the last goes.
    """
    silent = NUMBER.sub("…", QUOTED.sub("'…'", VALUES_GIVEN.sub("input_value=…", reason)))
    line = " ".join(silent.split())
    return line if len(line) <= REASON_SHOWN else f"{line[:REASON_SHOWN]}…"


def inquiry_of(record: Record, topic: str | None) -> str | None:
    """The inquiry that a letter speaks of, as far as it can be told; an input's is its key's alone."""
    given = [(record.key or b"").decode(errors="replace")]
    if topic != topics.INPUTS:
        said = SPOKEN_OF.search((record.value or b"")[:LOOKED_THROUGH])
        given += [record.header("ce_subject") or "", said[1].decode() if said else ""]
    return next((one for one in given if ids.INQUIRY_ID.fullmatch(one)), None)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _plain(text: str | None) -> str | None:
    return text if text and PLAIN.fullmatch(text) else None


def _short(text: str | None) -> str | None:
    return text if text and len(text) <= ID_MAX else None
