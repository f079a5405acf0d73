"""A record as it lies in its topic, the three ways in which it can fail, and the letter that it becomes then."""

from collections.abc import Sequence
from typing import NamedTuple

from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordTooLargeError,
    TopicAuthorizationFailedError,
)

from shared.kafka import topics
from shared.kafka.publisher import RECORD_BYTES_MAX, RawRecord, size_of
from shared.store.mongo import StoreAway

FORBIDDEN = (TopicAuthorizationFailedError, GroupAuthorizationFailedError, ClusterAuthorizationFailedError)
TOO_LARGE = (MessageSizeTooLargeError, RecordTooLargeError)


class InvalidRecord(Exception):
    """The record itself is wrong, and would be wrong again: it goes to the dead letters at once."""


class DependencyUnavailable(Exception):
    """Something this work needs is not there yet; it is waited for, in place."""

    def __init__(self, dependency: str, sentence: str) -> None:
        super().__init__(sentence)
        self.dependency = dependency


class Record(NamedTuple):
    """One record as it lies in its topic; `headers` may hold anything a stranger's client wrote."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]

    def attributes(self) -> dict[str, str]:
        """All headers that are not null as text, undecodable bytes replaced; the last of several counts."""
        return {name: str(value, "utf-8", "replace") for name, value in self.headers if value is not None}

    def header(self, name: str) -> str | None:
        """A header as text, undecodable bytes replaced; None when absent or null. The last of several counts."""
        for key, value in reversed(self.headers):
            if key == name and value is not None:
                return str(value, "utf-8", "replace")
        return None

    @property
    def place(self) -> str:
        """Where the record lies, for people and as its identity."""
        return f"{self.topic}-{self.partition}-{self.offset}"


def dependency(error: BaseException) -> str | None:
    """Which dependency is away when `error` says so; None when the error speaks of the record."""
    if isinstance(error, DependencyUnavailable):
        return error.dependency
    if isinstance(error, StoreAway):
        return "mongodb"
    if isinstance(error, FORBIDDEN):
        return "kafka-rights"
    if isinstance(error, KafkaError) and not isinstance(error, TOO_LARGE):
        return "kafka"
    return None


def dead_letter(service: str, record: Record, kind: str, reason: str, attempts: int) -> RawRecord:
    """The record as it was, with where it came from and why it is here; a replayed one came from where it first lay."""
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
    if size_of(letter) < RECORD_BYTES_MAX:
        return letter
    # Larger than any topic takes: what is left of it says where it lies.
    return None, None, [*marks, ("dl_cut", str(size_of(letter)).encode())]


def original(replayed: Record) -> Record:
    """The record that a dead letter was made of, by its `dl_` headers; the letter itself when they do not tell."""
    where = {name: replayed.header(f"dl_{name}") or "" for name in ("topic", "partition", "offset", "timestamp")}
    numbers = [where[name] for name in ("partition", "offset", "timestamp")]
    if not where["topic"] or not all(number.isascii() and number.isdigit() for number in numbers):
        return replayed
    partition, offset, timestamp_ms = map(int, numbers)
    headers = [(name, value) for name, value in replayed.headers if not name.startswith("dl_")]
    return Record(where["topic"], partition, offset, timestamp_ms, replayed.key, replayed.value, headers)
