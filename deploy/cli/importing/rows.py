"""What stands in a file of messages: its encoding, its form, its columns, its rows one at a time."""

import csv
import gzip
import io
import json
import zlib
from codecs import getincrementaldecoder
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, BinaryIO, Literal, cast

Form = Literal["csv", "jsonl"]
ENCODINGS = ("utf-8-sig", "gb18030")
GZIP = b"\x1f\x8b"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
CHUNK = 1 << 20
BROKEN_GZIP = (EOFError, gzip.BadGzipFile, zlib.error)


class FileProblem(Exception):
    """The whole file cannot be used; the words say why and what to do."""


@dataclass(frozen=True)
class Row:
    """One row: where it begins, its cells by column, and why it could not be read, if it could not."""

    line: int
    cells: dict[str, Any] = field(default_factory=dict)
    unreadable: str | None = None
    original: str = ""


@dataclass(frozen=True)
class Table:
    """A file that was looked at once: how it is written and which columns it has."""

    path: Path
    encoding: str
    form: Form
    delimiter: str
    columns: tuple[str, ...]

    @contextmanager
    def rows(self) -> Iterator[tuple[Iterator[Row], BinaryIO]]:
        """Its rows, read as they are asked for, and the open file, whose position tells the progress."""
        with opened(self.path) as (raw, content):
            text = io.TextIOWrapper(cast(IO[bytes], content), self.encoding, newline="")
            yield (_objects(text) if self.form == "jsonl" else _records(text, self.delimiter)), raw


def look(path: Path) -> Table:
    """Find out how a file is written; raises FileProblem with a sentence when it cannot be used."""
    try:
        encoding = _encoding(path)
        form = _form(path, encoding)
        return _csv_table(path, encoding) if form == "csv" else _jsonl_table(path, encoding)
    except FileNotFoundError as error:
        raise FileProblem(f"There is no file {str(path)!r}: check the name.") from error
    except IsADirectoryError as error:
        raise FileProblem(f"{str(path)!r} is a folder: name a CSV or JSONL file in it.") from error
    except BROKEN_GZIP as error:
        raise FileProblem(f"{str(path)!r} is a damaged gzip file ({error}): make or fetch it again.") from error
    except OSError as error:
        raise FileProblem(f"{str(path)!r} cannot be read: {error.strerror}.") from error


@contextmanager
def opened(path: Path) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """The file as it lies there, and its content; gzip is known by its first bytes, whatever the name says."""
    with path.open("rb") as raw:
        packed = raw.read(len(GZIP)) == GZIP
        raw.seek(0)
        yield raw, cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if packed else raw


def _encoding(path: Path) -> str:
    """UTF-8 if every byte of the file is, else GB18030 if every byte is."""
    wrong: UnicodeDecodeError | None = None
    for name in ENCODINGS:
        try:
            size = _decoded(path, name)
        except UnicodeDecodeError as error:
            wrong = wrong or error
            continue
        if not size:
            raise FileProblem(
                f"{str(path)!r} is empty: write a first line with the columns' names, then a row a message."
            )
        return name
    assert wrong is not None
    raise FileProblem(
        f"{str(path)!r} is neither UTF-8 nor GB18030 (0x{wrong.object[wrong.start]:02x} cannot stand where it does): "
        "save it as UTF-8."
    )


def _decoded(path: Path, encoding: str) -> int:
    """How many characters other than white space a file has; raises UnicodeDecodeError when it is not so encoded."""
    decoder = getincrementaldecoder(encoding)("strict")
    size = 0
    with opened(path) as (_, content):
        first = content.read(CHUNK)
        if first[:2] in UTF_16:
            raise FileProblem(f"{str(path)!r} is UTF-16: save it as UTF-8 (in a spreadsheet: 'CSV UTF-8').")
        chunk = first
        while chunk:
            size += len(decoder.decode(chunk).strip())
            chunk = content.read(CHUNK)
        decoder.decode(b"", final=True)
    return size


def _form(path: Path, encoding: str) -> Form:
    """By the name, and where that says nothing by the first character: an object begins with a brace."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if {".jsonl", ".ndjson"} & set(suffixes):
        return "jsonl"
    if ".csv" in suffixes or ".tsv" in suffixes:
        return "csv"
    with opened(path) as (_, content):
        first = io.TextIOWrapper(cast(IO[bytes], content), encoding).read(CHUNK).lstrip()[:1]
    if first == "[":
        raise FileProblem(f"{str(path)!r} is one JSON array: write JSONL, one object a line.")
    return "jsonl" if first == "{" else "csv"


# ── CSV ──────────────────────────────────────────────────────────────────────


def _csv_table(path: Path, encoding: str) -> Table:
    with opened(path) as (_, content):
        text = io.TextIOWrapper(cast(IO[bytes], content), encoding, newline="")
        head = text.read(64 * 1024)
    delimiter = _delimiter(next((line for line in head.splitlines() if line.strip()), ""))
    try:
        names = next(cells for cells in csv.reader(io.StringIO(head, newline=""), delimiter=delimiter) if any(cells))
    except (csv.Error, StopIteration) as error:
        raise FileProblem(
            f"The first line of {str(path)!r} cannot be read as columns ({error}): name them there."
        ) from error
    columns = tuple(name.strip() for name in names)
    if twice := sorted({name for name in columns if name and columns.count(name) > 1}):
        raise FileProblem(
            f"{str(path)!r} has the column {twice[0]!r} more than once: give each column a name of its own."
        )
    return Table(path, encoding, "csv", delimiter, columns)


def _delimiter(line: str) -> str:
    """A comma, unless the line of names has none and has tabs or semicolons."""
    return next((sign for sign in (",", "\t", ";") if sign in line), ",")


def _records(text: io.TextIOWrapper, delimiter: str) -> Iterator[Row]:
    """Strict reading, so that a quote that is never closed is told instead of swallowing the rest in silence."""
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    columns: Sequence[str] | None = None
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(line, unreadable=_csv_sentence(error, line))
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if columns is None:
            columns = [name.strip() for name in cells]
            continue
        yield _record(line, columns, cells)


def _record(line: int, columns: Sequence[str], cells: Sequence[str]) -> Row:
    row = dict(zip(columns, cells, strict=False))
    if len(cells) > len(columns):
        rest = ", ".join(cells[len(columns) :])[:60]
        why = (
            f"the row has {len(cells)} cells and there are {len(columns)} columns; "
            f"quote a cell that holds a comma (left over: {rest!r})"
        )
        return Row(line, row, unreadable=why)
    return Row(line, row)


def _csv_sentence(error: csv.Error, line: int) -> str:
    if "unexpected end" in str(error) or "field limit" in str(error):
        return f"a quote opened in line {line} or after it is not closed; close it"
    return f"the row is not CSV ({error}); double the quotes inside a quoted cell"


# ── JSONL ────────────────────────────────────────────────────────────────────


def _jsonl_table(path: Path, encoding: str) -> Table:
    """The columns are the first readable object's names; further ones are found while reading."""
    table = Table(path, encoding, "jsonl", "", ())
    with table.rows() as (rows, _):
        first = next((row for row in rows if row.cells), None)
    return Table(path, encoding, "jsonl", "", tuple(first.cells) if first else ())


def _objects(text: io.TextIOWrapper) -> Iterator[Row]:
    for line, content in enumerate(text, 1):
        if content.strip():
            yield _object(line, content)


def _object(line: int, content: str) -> Row:
    kept = content.strip()
    try:
        given = json.loads(kept)
    except (ValueError, RecursionError) as error:
        return Row(line, unreadable=f"the line is not JSON ({error}); write one object a line", original=kept)
    if not isinstance(given, dict):
        return Row(line, unreadable="the line is JSON but no object; write {…} with the columns' names", original=kept)
    return Row(line, _flattened(given), original=kept)


def _flattened(given: dict[str, Any]) -> dict[str, Any]:
    """`{"contact": {"name": …}}` has the column `contact.name`."""
    contact = given.get("contact")
    if not isinstance(contact, dict):
        return given
    rest = {name: value for name, value in given.items() if name != "contact"}
    return rest | {f"contact.{name}": value for name, value in contact.items()}
