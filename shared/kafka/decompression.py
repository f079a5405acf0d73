"""Unpacks the content of a record batch, whatever its codec, into no more memory than its limit allows.

A few kilobytes can be made to unpack to gigabytes. Memory is reserved for what a batch may become, never for what it
claims to become.
"""

import struct
import zlib
from collections.abc import Callable, Mapping

import cramjam

UNPACKED_MAX = 10 * 1_048_576
"""The largest record of any topic, a dead letter, is as large."""
UNPACKED_ANYWAY = 2 * 1_048_576
RATIO_MAX = 100
"""Beyond `UNPACKED_ANYWAY`. Messages are JSON, of which no codec makes less than a fiftieth."""
FIRST_GUESS = 65_536
GZIP = 31
XERIAL = b"\x82SNAPPY\x00"
XERIAL_HEADER = 16


class CannotUnpack(Exception):
    """The content is broken, of an unknown codec, or larger than its limit; says so in a sentence."""


def limit_of(packed_bytes: int) -> int:
    """How many bytes a batch of this size may unpack to."""
    return min(UNPACKED_MAX, max(UNPACKED_ANYWAY, RATIO_MAX * packed_bytes))


def unpack(codec: int, content: bytes) -> bytes:
    """The records of a batch; `codec` as the attributes of the batch have it. Raises CannotUnpack."""
    if not codec:
        return content
    if codec not in CODECS:
        raise CannotUnpack(f"Its codec {codec} is unknown; use gzip, snappy, lz4, zstd or none.")
    name, way = CODECS[codec]
    limit = limit_of(len(content))
    try:
        return way(content, limit)
    except (ValueError, OverflowError, MemoryError, struct.error, zlib.error, cramjam.DecompressionError) as error:
        raise CannotUnpack(
            f"{len(content)} bytes of {name} do not unpack into at most {limit} bytes: {error}."
        ) from error


def _gzip(content: bytes, limit: int) -> bytes:
    member = zlib.decompressobj(wbits=GZIP)
    unpacked = member.decompress(content, limit + 1)
    if len(unpacked) > limit:
        raise ValueError("there is more")
    if not member.eof or member.unused_data:
        raise ValueError("it does not end where its content ends")
    return unpacked


def _snappy(content: bytes, limit: int) -> bytes:
    if not content.startswith(XERIAL):
        return _snappy_block(content, limit)
    unpacked, at = bytearray(), XERIAL_HEADER
    while at < len(content):
        (size,) = struct.unpack_from(">I", content, at)
        at += 4
        unpacked += _snappy_block(content[at : at + size], limit - len(unpacked))
        at += size
    return bytes(unpacked)


def _snappy_block(block: bytes, limit: int) -> bytes:
    size = cramjam.snappy.decompress_raw_len(block)
    if size > limit:
        raise ValueError(f"it announces {size} bytes")
    return bytes(cramjam.snappy.decompress_raw(block))


def _into(way: Callable[[bytes, bytearray], int]) -> Callable[[bytes, int], bytes]:
    """A codec that fails when its output is full. Room for an ordinary batch is tried first: all of it takes longer."""

    def unpacked(content: bytes, limit: int) -> bytes:
        guess = min(limit, max(FIRST_GUESS, 16 * len(content)))
        try:
            return _filled(way, content, guess)
        except cramjam.DecompressionError:
            if guess == limit:
                raise
        return _filled(way, content, limit)

    return unpacked


def _filled(way: Callable[[bytes, bytearray], int], content: bytes, size: int) -> bytes:
    room = bytearray(size)
    return bytes(memoryview(room)[: way(content, room)])


CODECS: Mapping[int, tuple[str, Callable[[bytes, int], bytes]]] = {
    1: ("gzip", _gzip),
    2: ("snappy", _snappy),
    3: ("lz4", _into(cramjam.lz4.decompress_into)),
    4: ("zstd", _into(cramjam.zstd.decompress_into)),
}
