"""Decompresses the content of a record batch with any codec of Kafka, within a limit of memory.

A few kilobytes can decompress to gigabytes. Memory is reserved up to the limit, never for the size that a batch announces.
"""

import struct
import zlib
from collections.abc import Callable, Mapping

import cramjam

DECOMPRESSED_MAX = 10 * 1_048_576
"""As large as the largest record of any topic, a dead letter."""
DECOMPRESSED_ALWAYS = 2 * 1_048_576
RATIO_MAX = 100
"""Applies above `DECOMPRESSED_ALWAYS`. Messages are JSON, which no codec compresses to less than a fiftieth."""
FIRST_GUESS = 65_536
GZIP = 31
XERIAL = b"\x82SNAPPY\x00"
XERIAL_HEADER = 16


class CannotDecompress(Exception):
    """The content is broken, has an unknown codec, or is larger than its limit; the message is a sentence."""


def limit_of(compressed_bytes: int) -> int:
    """How many bytes a batch of this compressed size may decompress to."""
    return min(DECOMPRESSED_MAX, max(DECOMPRESSED_ALWAYS, RATIO_MAX * compressed_bytes))


def decompress(codec: int, content: bytes) -> bytes:
    """The records of a batch; `codec` is the number in its attributes. Raises CannotDecompress."""
    if not codec:
        return content
    if codec not in CODECS:
        raise CannotDecompress(f"The compression codec {codec} is unknown; use gzip, snappy, lz4, zstd or none.")
    name, function = CODECS[codec]
    limit = limit_of(len(content))
    try:
        return function(content, limit)
    except (ValueError, OverflowError, MemoryError, struct.error, zlib.error, cramjam.DecompressionError) as error:
        raise CannotDecompress(
            f"{len(content)} bytes of {name} do not decompress into at most {limit} bytes: {error}."
        ) from error


def _gzip(content: bytes, limit: int) -> bytes:
    member = zlib.decompressobj(wbits=GZIP)
    decompressed = member.decompress(content, limit + 1)
    if len(decompressed) > limit:
        raise ValueError("there are more")
    if not member.eof or member.unused_data:
        raise ValueError("the stream ends too early, or bytes follow its end")
    return decompressed


def _snappy(content: bytes, limit: int) -> bytes:
    if not content.startswith(XERIAL):
        return _snappy_block(content, limit)
    decompressed, at = bytearray(), XERIAL_HEADER
    while at < len(content):
        (size,) = struct.unpack_from(">I", content, at)
        at += 4
        decompressed += _snappy_block(content[at : at + size], limit - len(decompressed))
        at += size
    return bytes(decompressed)


def _snappy_block(block: bytes, limit: int) -> bytes:
    size = cramjam.snappy.decompress_raw_len(block)
    if size > limit:
        raise ValueError(f"the header announces {size} bytes")
    return bytes(cramjam.snappy.decompress_raw(block))


def _into(function: Callable[[bytes, bytearray], int]) -> Callable[[bytes, int], bytes]:
    """A codec that fails when its output buffer is full. Tries a small buffer first, because a large one takes longer."""

    def decompressed(content: bytes, limit: int) -> bytes:
        guess = min(limit, max(FIRST_GUESS, 16 * len(content)))
        try:
            return _filled(function, content, guess)
        except cramjam.DecompressionError:
            if guess == limit:
                raise
        return _filled(function, content, limit)

    return decompressed


def _filled(function: Callable[[bytes, bytearray], int], content: bytes, size: int) -> bytes:
    buffer = bytearray(size)
    return bytes(memoryview(buffer)[: function(content, buffer)])


CODECS: Mapping[int, tuple[str, Callable[[bytes, int], bytes]]] = {
    1: ("gzip", _gzip),
    2: ("snappy", _snappy),
    3: ("lz4", _into(cramjam.lz4.decompress_into)),
    4: ("zstd", _into(cramjam.zstd.decompress_into)),
}
