"""Dead letters: the unchanged record with its origin and the reason, and the way back to that record."""

from shared.kafka import topics
from shared.kafka.publisher import RECORD_BYTES_MAX, RawRecord, size_of
from shared.kafka.records import Record


def dead_letter(
    service: str, record: Record, kind: str, reason: str, attempts: int, most: int = RECORD_BYTES_MAX
) -> RawRecord:
    """The record as it was, with where it came from and why it is here; a replayed one came from where it first lay.

    A dead letter that would have more than `most` bytes has only this origin, not the record.
    """
    if record.topic == topics.replays(service):
        record = original(record)
    origin = {
        "dl_service": service,
        "dl_topic": record.topic,
        "dl_partition": str(record.partition),
        "dl_offset": str(record.offset),
        "dl_timestamp": str(record.timestamp_ms),
        "dl_attempts": str(attempts),
        "dl_kind": kind,
        "dl_reason": reason[:2_000],
    }
    marks: list[tuple[str, bytes | None]] = [(name, text.encode()) for name, text in origin.items()]
    letter = (record.key, record.value, [*record.headers, *marks])
    if size_of(letter) < most:
        return letter
    # Too large: without the record, but with its origin.
    return None, None, [*marks, ("dl_cut", str(size_of(letter)).encode())]


def original(replayed: Record) -> Record:
    """The record of a dead letter, at the place that its `dl_` headers name; the letter itself when they are invalid."""
    where = {name: replayed.header(f"dl_{name}") or "" for name in ("topic", "partition", "offset", "timestamp")}
    numbers = [where[name] for name in ("partition", "offset", "timestamp")]
    if not where["topic"] or not all(number.isascii() and number.isdigit() for number in numbers):
        return replayed
    partition, offset, timestamp_ms = map(int, numbers)
    headers = [(name, value) for name, value in replayed.headers if not name.startswith("dl_")]
    return Record(where["topic"], partition, offset, timestamp_ms, replayed.key, replayed.value, headers)
