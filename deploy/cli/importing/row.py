"""One row of a file, and the faults that a row of any file format can have."""

import base64
import re
from dataclasses import dataclass, field
from typing import Any

from deploy.cli.importing.encodings import shown
from deploy.cli.importing.raw_rows import ROW_MAX, RawRow

KEPT_MAX = 64 * 1024
ESCAPED = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True)
class Row:
    """One row: its cells by column, why it could not be read, if it could not, and its position in the file.

    `original` is the text of a line of JSONL. `content` is the row's bytes where its cells do not say them exactly.
    """

    line: int
    cells: dict[str, Any] = field(default_factory=dict)
    unreadable: str | None = None
    original: str = ""
    first_byte: int = 0
    size: int = 0
    content: bytes | None = None

    @property
    def content_base64(self) -> str:
        """The bytes as text, empty where the cells are exact or the row is too long to be repeated."""
        return base64.b64encode(self.content).decode("ascii") if self.content else ""


def text(record: RawRow, encoding: str) -> str:
    """Bytes that are no character of the encoding become half surrogate pairs."""
    return record.content.decode(codec(encoding), "surrogateescape")


def codec(encoding: str) -> str:
    return "utf-8" if encoding.startswith("utf-16") else encoding


def row_of(record: RawRow, cells: dict[str, Any], why: str | None, original: str = "", *, exact: bool) -> Row:
    content = None if exact or record.size > KEPT_MAX else record.content
    return Row(record.line, cells, why, original, record.start, record.size, content)


def too_long(record: RawRow) -> Row:
    where = f"line {record.line}" if record.line == record.last_line else f"lines {record.line} to {record.last_line}"
    if record.open_line is not None:
        return row_of(record, {}, open_quote(record), exact=False)
    why = f"the row in {where} has {record.size:,} bytes; a row may have at most {ROW_MAX:,}"
    return row_of(record, {}, why, exact=False)


def broken(record: RawRow, encoding: str) -> str | None:
    """Why the bytes of a row are not text, None where they are."""
    try:
        record.content.decode(codec(encoding))
    except UnicodeDecodeError as error:
        signs = " ".join(f"0x{byte:02x}" for byte in error.object[error.start : error.end])
        if error.end == len(error.object) and ("end of data" in error.reason or "incomplete" in error.reason):
            return f"the file ends in the middle of a character ({signs}), so this row is cut off; fetch the file again"
        return f"{signs} is no character of {shown(encoding)}; write the row again"
    return None


def open_quote(record: RawRow) -> str:
    upto = (
        f"; lines {record.line:,} to {record.last_line:,} were read as one row"
        if record.last_line > record.line
        else ""
    )
    return f"the quote that opens in line {record.open_line} is not closed before the end of the file{upto}; close it"
