"""The bytes of a file to be imported: unpacked, without the mark of its encoding, UTF-16 as UTF-8."""

import codecs
import gzip
import io
import stat
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

GZIP = b"\x1f\x8b"
UTF_8_MARK = codecs.BOM_UTF8
UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
CHUNK = 1 << 18
BROKEN_GZIP = (EOFError, gzip.BadGzipFile, zlib.error)
CONTINUATION = bytes(range(0x80, 0xC0))
FOUR_BYTES = bytes(range(0xF0, 0xF8))


class FileProblem(Exception):
    """The whole file cannot be used; the words say why and what to do."""


@dataclass(frozen=True)
class Content:
    """What is read from a file: bytes in an encoding whose lines end with a line feed.

    `start` is where they begin in the unpacked file, `width` how many bytes some of them have there.
    """

    stream: BinaryIO
    raw: BinaryIO
    start: int
    width: Callable[[bytes], int]


@contextmanager
def opened(path: Path) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """The file as it is on disk, and its unpacked content; gzip is recognised by its first bytes, not by the file name."""
    if not stat.S_ISREG(path.stat().st_mode) and not path.is_dir():
        raise FileProblem(f"{str(path)!r} is not a file that can be read twice: write it to a file first.")
    with path.open("rb") as raw:
        first = raw.read(4)
        if first in SPREADSHEETS:
            raise FileProblem(
                f"{str(path)!r} is a spreadsheet or an archive: export it as CSV (in a spreadsheet: 'CSV UTF-8')."
            )
        raw.seek(0)
        packed = first[:2] == GZIP
        yield raw, cast(BinaryIO, io.BufferedReader(gzip.GzipFile(fileobj=raw), CHUNK)) if packed else raw


@contextmanager
def content_of(path: Path, encoding: str) -> Iterator[Content]:
    """The file's content in a form that can be cut into lines."""
    with opened(path) as (raw, unpacked):
        if encoding.startswith("utf-16"):
            marked = unpacked.read(2) in UTF_16_MARKS
            unpacked.seek(0)
            yield Content(_buffered(_Utf16(unpacked, encoding)), raw, 2 * marked, utf16_width)
            return
        marked = unpacked.read(3) == UTF_8_MARK
        unpacked.seek(3 * marked)
        first = unpacked.read(CHUNK)
        unpacked.seek(3 * marked)
        old_mac = b"\r" in first and b"\n" not in first
        yield Content(_buffered(_Feeds(unpacked)) if old_mac else unpacked, raw, 3 * marked, len)


def utf16_width(content: bytes) -> int:
    """How many bytes UTF-8 text has in UTF-16, also when a character is cut."""
    four = len(content) - len(content.translate(None, FOUR_BYTES))
    return 2 * (len(content.translate(None, CONTINUATION)) + four)


def _buffered(raw: io.RawIOBase) -> BinaryIO:
    return cast(BinaryIO, io.BufferedReader(raw, CHUNK))


class _Turned(io.RawIOBase):
    """A stream of which each piece is turned into others."""

    def __init__(self, content: BinaryIO) -> None:
        self._content = content
        self._ready = b""
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview[int]") -> int:  # type: ignore[override]
        while not self._ready and not self._ended:
            piece = self._content.read(CHUNK)
            self._ended = not piece
            self._ready = self._turned(piece)
        size = min(len(buffer), len(self._ready))
        buffer[:size], self._ready = self._ready[:size], self._ready[size:]
        return size

    def _turned(self, piece: bytes) -> bytes:
        raise NotImplementedError


class _Feeds(_Turned):
    """Lines that end with a carriage return alone, as an old Macintosh wrote them."""

    def _turned(self, piece: bytes) -> bytes:
        return piece.replace(b"\r", b"\n")


class _Utf16(_Turned):
    """UTF-16 as UTF-8. Half a surrogate pair and half a unit at the end become bytes that are not UTF-8."""

    def __init__(self, content: BinaryIO, encoding: str) -> None:
        super().__init__(content)
        self._decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")

    def _turned(self, piece: bytes) -> bytes:
        try:
            return self._decoder.decode(piece, final=not piece).encode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return b"\xff"
