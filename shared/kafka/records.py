"""A record of a topic, independent of the client library."""

from collections.abc import Sequence
from typing import NamedTuple

from aiokafka import ConsumerRecord

from shared.kafka.fetched_batches import Unreadable


class Record(NamedTuple):
    """One record of a topic; `headers` may hold anything a stranger's client wrote.

    `unreadable` is the reason why the record cannot be read. A batch that cannot be decompressed is one such record, with the
    offset of its last one.
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
        """All headers that are not null, as text with invalid UTF-8 replaced. Of a repeated header the last one counts."""
        return {name: str(value, "utf-8", "replace") for name, value in self.headers if value is not None}

    def header(self, name: str) -> str | None:
        """A header as text with invalid UTF-8 replaced; None when absent or null. Of a repeated header the last counts."""
        for key, value in reversed(self.headers):
            if key == name and value is not None:
                return str(value, "utf-8", "replace")
        return None

    @property
    def place(self) -> str:
        """`<topic>-<partition>-<offset>`, which identifies the record."""
        return f"{self.topic}-{self.partition}-{self.offset}"


def record_of(raw: ConsumerRecord[bytes, bytes]) -> Record:
    """Convert a record of aiokafka."""
    value = raw.value
    if isinstance(value, Unreadable):
        return Record(raw.topic, raw.partition, raw.offset, raw.timestamp, None, None, (), value.reason)
    return Record(raw.topic, raw.partition, raw.offset, raw.timestamp, raw.key, value, raw.headers)
