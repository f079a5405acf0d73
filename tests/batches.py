"""Record batches as a raw client writes them: any codec, any header names, decompression bombs."""

import struct
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence

import cramjam
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.util import calc_crc32c

CHUNK = bytes(1_048_576)
BLOCK = bytes(32_768)
CODECS = {"gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
Headers = Sequence[tuple[bytes, bytes | None]]


def varint(number: int) -> bytes:
    """A number in the encoding of records."""
    left, written = (number << 1) ^ (number >> 63), bytearray()
    while left > 0x7F:
        written.append(0x80 | left & 0x7F)
        left >>= 7
    return bytes([*written, left])


def sized(content: bytes | None) -> bytes:
    return varint(-1) if content is None else varint(len(content)) + content


def record(
    number: int, value: bytes | None = b"{}", key: bytes | None = None, headers: Headers = (), late_ms: int = 0
) -> bytes:
    """The record with this number in its batch."""
    told = b"".join(sized(name) + sized(text) for name, text in headers)
    body = b"\0" + varint(late_ms) + varint(number) + sized(key) + sized(value) + varint(len(headers)) + told
    return varint(len(body)) + body


def batch(records: bytes, count: int, codec: int = 0, base: int = 0, logged_ms: int | None = None) -> bytes:
    """A batch of records that are compressed already; `logged_ms` is the broker's timestamp."""
    attributes = codec | (8 if logged_ms is not None else 0)
    times = 1_000, 1_000 if logged_ms is None else logged_ms
    after = struct.pack(">hiqqqhii", attributes, count - 1, *times, -1, -1, -1, count) + records
    return struct.pack(">qiibI", base, 9 + len(after), 0, 2, calc_crc32c(after)) + after


def compressed(codec: str, content: bytes) -> bytes:
    """The content, compressed with this codec."""
    codecs: Mapping[str, Callable[[bytes], bytes]] = {
        "gzip": lambda given: _gzip(iter([given])),
        "snappy": lambda given: bytes(cramjam.snappy.compress_raw(given)),
        "lz4": lambda given: bytes(cramjam.lz4.compress(given)),
        "zstd": lambda given: bytes(cramjam.zstd.compress(given)),
    }
    return codecs[codec](content)


def bomb(codec: str, mib: int) -> bytes:
    """One record with a value of `mib` MiB of zeros, compressed as a stream to save memory here."""
    start = b"\0" + varint(0) + varint(0) + varint(-1) + varint(mib * len(CHUNK))
    body = len(start) + mib * len(CHUNK) + 1

    def parts() -> Iterator[bytes]:
        yield varint(body) + start
        for _ in range(mib):
            yield CHUNK
        yield varint(0)

    return {"gzip": _gzip, "snappy": _snappy, "lz4": _lz4, "zstd": _zstd}[codec](parts())


def _gzip(parts: Iterator[bytes]) -> bytes:
    compressor = zlib.compressobj(level=9, wbits=31)
    return b"".join([*map(compressor.compress, parts), compressor.flush()])


def _zstd(parts: Iterator[bytes]) -> bytes:
    compressor = cramjam.zstd.Compressor(level=3)
    for part in parts:
        compressor.compress(part)
    return bytes(compressor.finish())


def _lz4(parts: Iterator[bytes]) -> bytes:
    compressor = cramjam.lz4.Compressor(level=9, content_checksum=False, block_linked=False)
    for part in parts:
        compressor.compress(part)
    return bytes(compressor.finish())


def _snappy(parts: Iterator[bytes]) -> bytes:
    """In the blocks of Java clients."""
    blocks = bytearray(b"\x82SNAPPY\0" + struct.pack(">ii", 1, 1))
    for part in parts:
        for at in range(0, len(part), len(BLOCK)):
            block = bytes(cramjam.snappy.compress_raw(part[at : at + len(BLOCK)]))
            blocks += struct.pack(">i", len(block)) + block
    return bytes(blocks)


async def write_batch(kafka: str, topic: str, content: bytes) -> int:
    """Write a batch unchanged into partition 0; returns its first offset. Raises the error of the broker."""
    client = AIOKafkaClient(bootstrap_servers=kafka)
    await client.bootstrap()
    try:
        await client.set_topics([topic])
        (node,) = [one.nodeId for one in client.cluster.brokers()]
        request = ProduceRequest(None, -1, 20_000, [(topic, [(0, content)])])
        answer = await client.send(node, request)
        [(_, [(_, code, offset, *_)])] = answer.topics
        if code:
            raise for_code(code)(f"{len(content)} bytes for {topic}")
        return int(offset)
    finally:
        await client.close()
