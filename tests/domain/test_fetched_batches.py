"""Fetched batches: limits of decompression, and records that cannot be read."""

import struct
import tracemalloc
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from shared.kafka.decompression import (
    DECOMPRESSED_ALWAYS,
    DECOMPRESSED_MAX,
    RATIO_MAX,
    CannotDecompress,
    decompress,
    limit_of,
)
from shared.kafka.fetched_batches import BATCH_RECORDS_MAX, FetchedBatches
from shared.kafka.records import Record, record_of
from tests.batches import CODECS, batch, bomb, compressed, record

PLACE = TopicPartition("departments.water.outbox", 0)
LOGGED_MS = 1_773_633_600_000
MIB = 1_048_576


def reading(content: bytes, at: int = 0) -> Any:
    """The records of a fetch, as aiokafka's consumer reads them."""
    return fetcher.PartitionRecords(PLACE, fetcher.MemoryRecords(content), [], at, None, None, True, 1)


def records(content: bytes, at: int = 0) -> list[Record]:
    return [record_of(raw) for raw in reading(content, at)]


def of(codec: str, *rows: bytes, base: int = 0) -> bytes:
    number = CODECS.get(codec, 0)
    content = b"".join(rows)
    return batch(compressed(codec, content) if number else content, len(rows), number, base, LOGGED_MS)


def test_aiokafka_reads_every_fetch_through_this_module() -> None:
    assert fetcher.MemoryRecords is FetchedBatches
    assert "MemoryRecords" in fetcher.Fetcher._proc_fetch_request.__code__.co_names


@pytest.mark.parametrize("codec", ["none", *CODECS])
def test_records_of_every_codec_are_read(codec: str) -> None:
    rows = [record(n, b"value %d" % n, b"key", [(b"ce_type", b"a"), (b"none", None)]) for n in range(3)]
    found = records(of(codec, *rows, base=40))
    assert found == [
        Record(PLACE.topic, 0, 40 + n, LOGGED_MS, b"key", b"value %d" % n, (("ce_type", b"a"), ("none", None)))
        for n in range(3)
    ]


def test_a_batch_of_aiokafkas_own_builder_is_read() -> None:
    builder = DefaultRecordBatchBuilder(2, CODECS["zstd"], 0, -1, -1, -1, 1_000_000)
    for n in range(2):
        builder.append(n, 5_000 + n, b"k", b"v" * n, [])
    assert [(one.offset, one.timestamp_ms, one.value) for one in records(bytes(builder.build()))] == [
        (0, 5_000, b""),
        (1, 5_001, b"v"),
    ]


def test_reading_from_the_middle_of_a_batch_begins_there() -> None:
    content = of("gzip", *[record(n) for n in range(4)], base=10)
    assert [one.offset for one in records(content, at=12)] == [12, 13]


# ── limits ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("codec", "mib"), [("gzip", 300), ("snappy", 24), ("lz4", 300), ("zstd", 300)])
def test_a_decompression_bomb_is_one_unreadable_record_and_its_memory_is_limited(codec: str, mib: int) -> None:
    content = batch(bomb(codec, mib), 1, CODECS[codec], 7)
    tracemalloc.start()
    [one] = records(content, at=7)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (one.offset, one.value, one.key, one.headers) == (7, None, None, ())
    assert one.unreadable is not None
    assert f"of {codec} do not decompress into at most {limit_of(len(content) - 61)} bytes" in one.unreadable
    assert peak < 2 * DECOMPRESSED_MAX + 5 * len(content)


def test_a_batch_with_a_bomb_is_one_unreadable_record_and_other_batches_are_read() -> None:
    content = bomb("zstd", 300)
    fetched = of("zstd", record(0), record(1)) + batch(content, 9, CODECS["zstd"], 2) + of("none", record(0), base=11)
    found = records(fetched)
    assert [(one.offset, one.unreadable is None) for one in found] == [(0, True), (1, True), (10, False), (11, True)]
    assert [one.offset for one in records(fetched, at=5)] == [10, 11]


def test_a_batch_may_decompress_to_100_times_its_size_and_a_small_one_to_2_mib() -> None:
    assert [limit_of(one) for one in (0, 20_000, 40_000, 1_000_000)] == [
        DECOMPRESSED_ALWAYS,
        DECOMPRESSED_ALWAYS,
        RATIO_MAX * 40_000,
        DECOMPRESSED_MAX,
    ]


@pytest.mark.parametrize("codec", CODECS)
def test_the_limit_is_exact(codec: str) -> None:
    """Snappy never compresses to a hundredth, so only the absolute limit applies to it."""
    limit = DECOMPRESSED_MAX if codec == "snappy" else DECOMPRESSED_ALWAYS
    assert len(decompress(CODECS[codec], compressed(codec, bytes(limit)))) == limit
    with pytest.raises(CannotDecompress):
        decompress(CODECS[codec], compressed(codec, bytes(limit + 1)))


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("spoil", [lambda given: given[:-3], lambda given: b"\xff" + given[1:], lambda given: b""])
def test_broken_or_truncated_content_is_unreadable(codec: str, spoil: Any) -> None:
    content = compressed(codec, record(0, bytes(range(256)) * 40))
    [one] = records(batch(spoil(content), 1, CODECS[codec], 3), at=3)
    assert (one.offset, one.unreadable is not None) == (3, True)


def test_snappy_that_announces_gigabytes_is_refused() -> None:
    for content in (
        b"\xff\xff\xff\xff\x0fx",
        b"\x82SNAPPY\0" + struct.pack(">iii", 1, 1, 6) + b"\xff\xff\xff\xff\x0fx",
    ):
        with pytest.raises(CannotDecompress, match="4294967295"):
            decompress(CODECS["snappy"], content)


def test_an_unknown_codec_is_one_unreadable_record() -> None:
    [one] = records(batch(b"whatever", 2, 6, 5))
    assert (one.offset, one.unreadable) == (
        6,
        "The compression codec 6 is unknown; use gzip, snappy, lz4, zstd or none.",
    )


def test_a_compressed_batch_with_too_many_records_is_not_read() -> None:
    rows = b"".join(record(n, b"") for n in range(BATCH_RECORDS_MAX + 1))
    [one] = records(batch(compressed("zstd", rows), BATCH_RECORDS_MAX + 1, CODECS["zstd"]))
    assert (
        one.unreadable
        == f"The batch has {BATCH_RECORDS_MAX + 1} records; write at most {BATCH_RECORDS_MAX} into one batch."
    )
    assert len(records(batch(rows, BATCH_RECORDS_MAX + 1))) == BATCH_RECORDS_MAX + 1


def test_a_fetch_ends_at_the_limit_and_the_next_one_continues_there() -> None:
    large = bytes(2 * MIB - 100)
    fetched = b"".join(of("zstd", record(0, large), base=n) for n in range(20))
    taken = reading(fetched)
    offsets = [raw.offset for raw in taken]
    assert offsets == list(range(DECOMPRESSED_MAX // len(large) + 1))
    assert taken.next_fetch_offset == offsets[-1] + 1


# ── records that cannot be read ──────────────────────────────────────────────


@pytest.mark.parametrize("codec", ["none", *CODECS])
def test_a_header_name_that_is_not_utf8_makes_only_its_own_record_unreadable(codec: str) -> None:
    rows = [record(0), record(1, headers=[(b"\xff\xfe", b"1")]), record(2, b"third", b"k", [(b"a", b"b")])]
    first, wrong, third = records(of(codec, *rows, base=50))
    assert (first.offset, first.value, first.unreadable) == (50, b"{}", None)
    assert (wrong.offset, wrong.value, wrong.headers) == (51, None, ())
    assert wrong.unreadable == r"The record cannot be read: the header name b'\xff\xfe' is not UTF-8."
    assert third == Record(PLACE.topic, 0, 52, LOGGED_MS, b"k", b"third", (("a", b"b"),))


def test_records_after_an_unreadable_one_keep_their_offsets_and_timestamps() -> None:
    """In a compacted topic offsets are missing; without the broker's timestamp each record has its own."""
    rows = record(0, headers=[(b"\xff", b"")]) + record(4, late_ms=7) + record(9, None, late_ms=-3)
    found = records(batch(rows, 3, base=100))
    assert [(one.offset, one.timestamp_ms, one.value) for one in found[1:]] == [(104, 1_007, b"{}"), (109, 997, None)]


def test_a_batch_that_ends_inside_a_record_is_read_up_to_it() -> None:
    rows = record(0) + record(1)[:-2]
    found = records(batch(rows, 2, base=3))
    assert [(one.offset, one.unreadable is None) for one in found] == [(3, True), (4, False)]
    lengthy = record(0) + b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
    assert [one.offset for one in records(batch(lengthy, 2))] == [0, 1]


def test_a_batch_that_the_fetch_cuts_off_is_left_for_the_next_fetch() -> None:
    whole = of("gzip", record(0))
    for cut in (5, 20, len(whole) - 1):
        fetched = FetchedBatches(whole + whole[:cut])
        assert (fetched.has_next(), fetched.next_batch() is not None) == (True, True)
        assert (fetched.has_next(), fetched.next_batch(), fetched.size_in_bytes()) == (False, None, len(whole) + cut)
    assert not FetchedBatches(None).has_next()
