"""The file of rejected rows: what stood in which line, and why it was not taken; it can be mended and imported."""

import csv
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from deploy.cli.importing.rows import Row, Table
from deploy.failure import FAILED, Failure

LINE, WHY, ORIGINAL = "line", "why", "original"


class RejectedRows:
    """Made when the first row is rejected, so that an import without any leaves nothing behind."""

    def __init__(self, path: Path, table: Table) -> None:
        self.path = path
        self._columns: Sequence[str] = [name for name in table.columns if name not in (LINE, WHY)]
        self._raw = table.form == "jsonl"
        self._file: IO[str] | None = None
        self._writer: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, row: Row, why: str) -> None:
        """Write a row down; raises Failure when the file cannot be written."""
        try:
            self._open().writerow(
                [*(cell(row.cells.get(name)) for name in self._columns), *self._own(row), row.line, why]
            )
        except OSError as error:
            raise Failure(
                FAILED,
                f"The rejected rows cannot be written to {str(self.path)!r} ({error.strerror}): "
                "name a file with --rejected.",
            ) from error

    def _own(self, row: Row) -> list[str]:
        return [row.original] if self._raw else []

    def _open(self) -> Any:
        if self._file is None:
            # With the mark that lets a spreadsheet see that it is UTF-8.
            self._file = self.path.open("w", encoding="utf-8-sig", errors="backslashreplace", newline="")
            self._writer = csv.writer(self._file)
            self._writer.writerow([*self._columns, *([ORIGINAL] if self._raw else []), LINE, WHY])
        return self._writer


def cell(value: Any) -> str:
    """A value as it would stand in a CSV file."""
    if isinstance(value, list):
        return ";".join(map(str, value))
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def beside(source: Path) -> Path:
    """`<name>.rejected.csv` beside the file, else in the current folder."""
    folder = source.parent if os.access(source.parent, os.W_OK) else Path()
    return folder / f"{bare_name(source)}.rejected.csv"


def bare_name(source: Path) -> str:
    """The file's name without what says its form: `messages.csv.gz` is `messages`."""
    name = source.name
    for suffix in (".gz", ".csv", ".tsv", ".jsonl", ".ndjson", ".json"):
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            name = name[: -len(suffix)]
    return name
