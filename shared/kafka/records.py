"""A record as it lies in its topic."""

from collections.abc import Sequence
from typing import NamedTuple

from aiokafka import ConsumerRecord

from shared.kafka.fetched_batches import Unreadable


class Record(NamedTuple):
    """One record as it lies in its topic; `headers` may hold anything a stranger's client wrote.

    `unreadable` says why nothing of it can be read; a batch that cannot be unpacked is one such record, its last.
    """

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]
    unreadable: str | None = None

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


def record_of(raw: ConsumerRecord[bytes, bytes]) -> Record:
    """A record as aiokafka gives it."""
    value = raw.value
    if isinstance(value, Unreadable):
        return Record(raw.topic, raw.partition, raw.offset, raw.timestamp, None, None, (), value.reason)
    return Record(raw.topic, raw.partition, raw.offset, raw.timestamp, raw.key, value, raw.headers)
