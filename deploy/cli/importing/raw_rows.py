"""Cuts a file into its rows, by their bytes: how far a row reaches is known before anything of it is kept."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from deploy.cli.importing.content import Content

ROW_MAX = 1 << 20
"""Bytes of a row; a message has at most 20,000 characters."""
PIECE = 1 << 16
QUOTE = b'"'


@dataclass(frozen=True)
class RawRow:
    """One row of the file: its lines from 1, its first byte from 0, its size in bytes.

    `content` is all of it, or its beginning where it is longer than ROW_MAX. `open_line` is the line of a quote that
    is not closed before the end of the file. `signs` counts the delimiters of a row without quotes.
    """

    line: int
    last_line: int
    start: int
    size: int
    content: bytes
    whole: bool
    signs: int
    open_line: int | None = None


class _At(Enum):
    START = auto()
    PLAIN = auto()
    QUOTED = auto()
    CLOSING = auto()


class _Quotes:
    """Where CSV text is: in a quoted cell, in another one, between two."""

    def __init__(self, delimiter: bytes) -> None:
        self._delimiter = delimiter
        self._opening = delimiter + QUOTE
        self._at = _At.START
        self.opened = 0

    @property
    def open(self) -> bool:
        return self._at is _At.QUOTED

    def read(self, piece: bytes, line: int) -> None:
        """Go on through one line or a part of it; `line` is its number."""
        place, end = 0, len(piece)
        while place < end:
            if self._at is _At.QUOTED:
                place = piece.find(QUOTE, place) + 1
                if not place:
                    return
                self._at = _At.CLOSING
            elif self._at is _At.CLOSING and piece[place : place + 1] == QUOTE:
                self._at, place = _At.QUOTED, place + 1
            elif self._at is _At.START and piece[place : place + 1] == QUOTE:
                self._at, place, self.opened = _At.QUOTED, place + 1, line
            else:
                # A quote opens a cell only behind a delimiter, so all cells without one are passed over at once.
                place = piece.find(self._opening, place) + 1
                if not place:
                    self._at = _At.START if piece.endswith(self._delimiter) else _At.PLAIN
                    return
                self._at = _At.START


def raw_rows(content: Content, delimiter: bytes | None) -> Iterator[RawRow]:
    """The rows of CSV with this delimiter; without one, of lines."""
    line, start = 1, content.start
    while True:
        record = _next(content, delimiter, line, start)
        if record is None:
            return
        yield record
        line, start = record.last_line + 1, record.start + record.size


def _next(content: Content, delimiter: bytes | None, line: int, start: int) -> RawRow | None:
    quotes = _Quotes(delimiter) if delimiter else None
    kept, length, size, signs, last_line = bytearray(), 0, 0, 0, line
    ended = at_line_end = False
    while not ended and (piece := content.stream.readline(PIECE)):
        length += len(piece)
        size += content.width(piece)
        if len(kept) < ROW_MAX:
            kept += piece
        if quotes is not None and delimiter is not None:
            quotes.read(piece, last_line)
            signs += piece.count(delimiter)
        at_line_end = piece.endswith(b"\n")
        if at_line_end:
            ended = quotes is None or not quotes.open
            last_line += not ended
    if not length:
        return None
    open_line = quotes.opened if quotes is not None and quotes.open else None
    last_line -= at_line_end and not ended
    return RawRow(line, last_line, start, size, bytes(kept), length <= ROW_MAX, signs, open_line)
