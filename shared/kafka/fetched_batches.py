"""The batches of a fetch, read so that no batch can stop a consumer. Replaces aiokafka's `MemoryRecords`.

aiokafka decompresses a whole batch without a limit, and at a record that it cannot read it fails again on every attempt.
Here a batch decompresses within limits, a fetch ends once it has become large, and what cannot be read becomes one record
whose value is `Unreadable`: the consumer sends it to the dead letters and continues after it.
"""

import struct
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Self

from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.legacy_records import LegacyRecordBatch

from shared.kafka.decompression import DECOMPRESSED_MAX, CannotDecompress, decompress

BATCH_RECORDS_MAX = 10_000
"""The default of librdkafka; a compressed batch could contain millions."""
LENGTH = struct.Struct(">i")
LENGTH_AT, LENGTH_END = 8, 12
MAGIC_AT, COUNT_AT, HEADER_END = 16, 57, 61
SHORTEST = 26
"""The size of the shortest record in the oldest format."""
ATTRIBUTES = struct.Struct(">h")
ATTRIBUTES_AT, OLD_ATTRIBUTES_AT = 21, 17
CODEC = 7
FIRST_MAGIC = 2


class Unreadable(bytes):
    """Replaces the value of a record that cannot be read: no bytes, and a sentence with the reason."""

    reason: str

    def __new__(cls, reason: str) -> Self:
        made = super().__new__(cls)
        made.reason = reason
        return made


class BatchRecord(NamedTuple):
    """A record of a batch, with the attributes that aiokafka's consumer reads."""

    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    checksum: None = None


class FetchedBatches:
    """The fetched batches of one partition. They end early once they have decompressed as much as one batch may."""

    def __init__(self, content: bytes | None) -> None:
        self._content = content or b""
        self._at = 0
        self._end = self._next_end()
        self._decompressed_bytes = self._records = 0

    def size_in_bytes(self) -> int:
        """The size of the fetched bytes."""
        return len(self._content)

    def has_next(self) -> bool:
        """Whether a complete batch follows, and the batches before it are within the limits of a fetch."""
        return (
            self._end is not None and self._decompressed_bytes < DECOMPRESSED_MAX and self._records < BATCH_RECORDS_MAX
        )

    def next_batch(self) -> "FetchedBatch | None":
        """The next batch, or None. Raises CorruptRecordException for a batch without a complete header."""
        if (end := self._end) is None:
            return None
        content = self._content[self._at : end]
        if len(content) < SHORTEST or (content[MAGIC_AT] >= FIRST_MAGIC and len(content) < HEADER_END):
            raise CorruptRecordException(f"A batch of {end - self._at} bytes has no complete header")
        self._at = end
        self._end = self._next_end()
        return FetchedBatch(content, self._count)

    def _next_end(self) -> int | None:
        """Where the next batch ends; None when the fetch has cut it off, or when there is none."""
        if len(self._content) - self._at < LENGTH_END:
            return None
        (length,) = LENGTH.unpack_from(self._content, self._at + LENGTH_AT)
        end: int = self._at + LENGTH_END + length
        return end if end <= len(self._content) else None

    def _count(self, decompressed_bytes: int, records: int) -> None:
        self._decompressed_bytes += decompressed_bytes
        self._records += records


class FetchedBatch:
    """One batch, with the attributes that aiokafka's consumer reads; aiokafka parses the header."""

    def __init__(self, content: bytes, count: Callable[[int, int], None]) -> None:
        self._content, self._count = content, count
        self._old = content[MAGIC_AT] < FIRST_MAGIC
        batch: Any = LegacyRecordBatch(content, content[MAGIC_AT]) if self._old else DefaultRecordBatch(content)
        self._batch = batch
        self.validate_crc = batch.validate_crc
        self.producer_id = batch.producer_id
        self.base_offset = None if self._old else batch.base_offset
        self.next_offset = batch.next_offset
        self.is_control_batch = batch.is_control_batch
        self.is_transactional = batch.is_transactional

    def __next__(self) -> Any:
        """The record of a control batch, which is never compressed."""
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        try:
            batch, content, count = self._decompressed()
        except CannotDecompress as failure:
            yield self._unreadable(self.next_offset - 1, str(failure))
            return
        self._count(len(content), count)
        read = 0
        try:
            for record in batch:
                yield record
                read += 1
        except Exception:
            # Any failure: a record that aiokafka cannot read must not hide the records after it.
            if self._old:
                raise
            yield from self._one_by_one(content[HEADER_END:], read, count)

    def _decompressed(self) -> tuple[Any, bytes, int]:
        """The batch without compression, its bytes, and the number of its records. Raises CannotDecompress."""
        content = self._content
        if self._old:
            if content[OLD_ATTRIBUTES_AT] & CODEC:
                raise CannotDecompress(
                    "The record is compressed in the format of Kafka before 0.11; use a newer client."
                )
            return self._batch, content, 1
        (count,) = LENGTH.unpack_from(content, COUNT_AT)
        codec = self._batch.compression_type
        if not codec:
            return self._batch, content, count
        if count > BATCH_RECORDS_MAX:
            raise CannotDecompress(f"The batch has {count} records; write at most {BATCH_RECORDS_MAX} into one batch.")
        records = decompress(codec, content[HEADER_END:])
        header = bytearray(content[:HEADER_END])
        LENGTH.pack_into(header, LENGTH_AT, HEADER_END - LENGTH_END + len(records))
        ATTRIBUTES.pack_into(header, ATTRIBUTES_AT, self._batch.attributes & ~CODEC)
        plain = bytes(header) + records
        return DefaultRecordBatch(plain), plain, count

    def _one_by_one(self, records: bytes, first: int, count: int) -> Iterator[BatchRecord]:
        """The records from `first` on, each parsed separately by its length, so that an unreadable one hides no others."""
        content = _Content(records)
        for number in range(count):
            try:
                one = _Content(content.take(content.varint()))
            except ValueError as error:
                yield self._unreadable(self.next_offset - 1, f"The batch ends inside a record: {error}.")
                return
            if number >= first:
                yield self._record(one, number)

    def _record(self, content: "_Content", number: int) -> BatchRecord:
        batch, delta = self._batch, number
        try:
            content.take(1)
            late, delta = content.varint(), content.varint()
            key, value = content.bytes(), content.bytes()
            headers = tuple((content.name(), content.bytes()) for _ in range(content.varint()))
            content.end()
        except ValueError as error:
            return self._unreadable(batch.base_offset + delta, f"The record cannot be read: {error}.")
        at = batch.max_timestamp if batch.timestamp_type else batch.first_timestamp + late
        return BatchRecord(batch.base_offset + delta, at, batch.timestamp_type, key, value, headers)

    def _unreadable(self, offset: int, reason: str) -> BatchRecord:
        at = getattr(self._batch, "max_timestamp", 0)
        return BatchRecord(offset, at, 0, None, Unreadable(reason))


class _Content:
    """A cursor over bytes. Every method raises ValueError for invalid content."""

    def __init__(self, content: bytes) -> None:
        self._content, self._at = content, 0

    def take(self, size: int) -> bytes:
        end = self._at + size
        if size < 0 or end > len(self._content):
            raise ValueError(f"{size} bytes should follow, but {len(self._content) - self._at} do")
        taken, self._at = self._content[self._at : end], end
        return taken

    def varint(self) -> int:
        number = 0
        for shift in range(0, 70, 7):
            byte = self.take(1)[0]
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number >> 1 ^ -(number & 1)
        raise ValueError("a number has more than 10 bytes")

    def bytes(self) -> bytes | None:
        size = self.varint()
        return None if size < 0 else self.take(size)

    def name(self) -> str:
        name = self.take(self.varint())
        try:
            return name.decode()
        except UnicodeDecodeError as error:
            raise ValueError(f"the header name {name[:100]!r} is not UTF-8") from error

    def end(self) -> None:
        if left := len(self._content) - self._at:
            raise ValueError(f"{left} bytes follow its last field")


# From now on every consumer of this process reads batches this way. aiokafka has no setting for it.
fetcher.MemoryRecords = FetchedBatches
