"""What a file of messages says: its form, its columns, its rows one at a time."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from deploy.cli.importing.content import BROKEN_GZIP, CHUNK, FileProblem, content_of
from deploy.cli.importing.encodings import encoding_of
from deploy.cli.importing.formulas import is_neutralised, restored
from deploy.cli.importing.json_lines import jsonl_row
from deploy.cli.importing.raw_rows import ROW_MAX, RawRow, raw_rows
from deploy.cli.importing.row import Row, broken, open_quote, row_of, text, too_long

Form = Literal["csv", "jsonl"]
COLUMNS_MAX = 1_000
csv.field_size_limit(2 * ROW_MAX)


@dataclass(frozen=True)
class Table:
    """How a file is written and which columns it has."""

    path: Path
    encoding: str
    form: Form
    delimiter: str
    columns: tuple[str, ...]

    @contextmanager
    def rows(self) -> Iterator[tuple[Iterator[Row], BinaryIO]]:
        """Its rows, read as they are asked for, and the open file, whose position tells the progress."""
        with content_of(self.path, self.encoding) as content:
            found = raw_rows(content, self.delimiter.encode() or None)
            yield (self._objects(found) if self.form == "jsonl" else self._records(found)), content.raw

    def _records(self, found: Iterator[RawRow]) -> Iterator[Row]:
        headed = False
        for record in found:
            if not headed:
                headed = not _blank(record)
            elif (row := _csv_row(record, self)).unreadable or any(cell.strip() for cell in row.cells.values()):
                yield row

    def _objects(self, found: Iterator[RawRow]) -> Iterator[Row]:
        return (jsonl_row(record, self.encoding) for record in found if not _blank(record))


def look(path: Path, encoding: str | None = None) -> Table:
    """Find out how a file is written; raises FileProblem with a sentence when it cannot be used."""
    try:
        found = encoding_of(path, encoding)
        return _csv_table(path, found) if _form(path, found) == "csv" else _jsonl_table(path, found)
    except FileNotFoundError as error:
        raise FileProblem(f"There is no file {str(path)!r}: check the name.") from error
    except IsADirectoryError as error:
        raise FileProblem(f"{str(path)!r} is a folder: name a CSV or JSONL file in it.") from error
    except BROKEN_GZIP as error:
        raise FileProblem(f"{str(path)!r} is a damaged gzip file ({error}): make or fetch it again.") from error
    except OSError as error:
        raise FileProblem(f"{str(path)!r} cannot be read: {error.strerror}.") from error


def _form(path: Path, encoding: str) -> Form:
    """By the name, and where that says nothing by the first character: an object begins with a brace."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if {".jsonl", ".ndjson"} & set(suffixes):
        return "jsonl"
    if ".csv" in suffixes or ".tsv" in suffixes:
        return "csv"
    with content_of(path, encoding) as content:
        first = content.stream.read(CHUNK).lstrip()[:1]
    if first == b"[":
        raise FileProblem(f"{str(path)!r} is one JSON array: write JSONL, one object a line.")
    return "jsonl" if first == b"{" else "csv"


def _blank(record: RawRow) -> bool:
    return record.whole and not record.content.strip(b" \t\r\n,;")


# ── CSV ──────────────────────────────────────────────────────────────────────


def _csv_table(path: Path, encoding: str) -> Table:
    with content_of(path, encoding) as content:
        first = next((line for line in raw_rows(content, None) if line.content.strip()), None)
    delimiter = _delimiter(first.content if first else b"")
    with content_of(path, encoding) as content:
        header = next((one for one in raw_rows(content, delimiter.encode()) if not _blank(one)), None)
    if header is None:
        raise FileProblem(f"{str(path)!r} has no columns: write a first line with their names, then a row a message.")
    if not header.whole or header.signs >= COLUMNS_MAX:
        raise FileProblem(
            f"{str(path)!r} has {header.signs + 1:,} columns in its first line ({header.size:,} bytes); at most "
            f"{COLUMNS_MAX:,} are read: is the line of column names missing, or is {delimiter!r} not what parts them?"
        )
    try:
        (names,) = csv.reader([text(header, encoding)], delimiter=delimiter)
    except (csv.Error, ValueError) as error:
        raise FileProblem(
            f"The first line of {str(path)!r} cannot be read as columns ({error}): name them there."
        ) from error
    columns = tuple(name.strip() for name in names)
    if is_neutralised(columns):
        columns = tuple(map(restored, columns))
    if twice := sorted({name for name in columns if name and columns.count(name) > 1}):
        raise FileProblem(
            f"{str(path)!r} has the column {twice[0]!r} more than once: give each column a name of its own."
        )
    return Table(path, encoding, "csv", delimiter, columns)


def _delimiter(line: bytes) -> str:
    """A comma, unless the line of names has none and has tabs or semicolons."""
    return next((sign for sign in (",", "\t", ";") if sign.encode() in line), ",")


def _csv_row(record: RawRow, table: Table) -> Row:
    if not record.whole:
        return too_long(record)
    cells: list[str] = []
    why = broken(record, table.encoding) or (open_quote(record) if record.open_line is not None else None)
    try:
        cells = next(csv.reader([text(record, table.encoding)], delimiter=table.delimiter, strict=True))
    except (csv.Error, StopIteration) as error:
        why = why or f"the row is not CSV ({error}); double the quotes inside a quoted cell"
    if is_neutralised(table.columns):
        cells = [restored(cell) for cell in cells]
    row = dict(zip(table.columns, cells, strict=False))
    if why is None and len(cells) > len(table.columns):
        why = _too_many(cells, table.columns)
    return row_of(record, row, why, exact=why is None)


def _too_many(cells: Sequence[str], columns: Sequence[str]) -> str:
    rest = ", ".join(cells[len(columns) :])[:60]
    return (
        f"the row has {len(cells):,} cells and there are {len(columns):,} columns; "
        f"quote a cell that holds a comma (left over: {rest!r})"
    )


# ── JSONL ────────────────────────────────────────────────────────────────────


def _jsonl_table(path: Path, encoding: str) -> Table:
    """The columns are the first readable object's names; further ones are found while reading."""
    table = Table(path, encoding, "jsonl", "", ())
    with table.rows() as (rows, _):
        first = next((row for row in rows if row.cells), None)
    columns = tuple(first.cells) if first else ()
    if len(columns) > COLUMNS_MAX:
        raise FileProblem(
            f"{str(path)!r} has {len(columns):,} names in its first object; at most {COLUMNS_MAX:,} are read."
        )
    return Table(path, encoding, "jsonl", "", columns)
