"""A CSV file beside an import that its owner alone can read, made when the first row is written."""

import csv
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from deploy.failure import FAILED, Failure


class PrivateCsv:
    """Rows under `columns`; `option` names the path on the command line. Nothing is left behind without a row."""

    def __init__(self, path: Path, columns: Sequence[str], option: str) -> None:
        self.path = path
        self._columns = columns
        self._option = option
        self._file: IO[str] | None = None
        self._writer: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            try:
                self._file.close()
            except OSError as failed:
                raise self._failure(failed) from failed

    @property
    def written(self) -> bool:
        """Whether there is a row."""
        return self._file is not None

    def write(self, row: Sequence[str]) -> None:
        """Write a row; raises Failure when the file cannot be written."""
        try:
            if self._file is None:
                # Open until the end of the import, with the mark that lets a spreadsheet see that it is UTF-8.
                self._file = open(  # noqa: SIM115
                    self.path, "w", encoding="utf-8-sig", errors="backslashreplace", newline="", opener=_owners_alone
                )
                self._writer = csv.writer(self._file)
                self._writer.writerow(self._columns)
            self._writer.writerow(row)
        except OSError as error:
            raise self._failure(error) from error

    def _failure(self, error: OSError) -> Failure:
        sentence = f"{str(self.path)!r} cannot be written ({error.strerror}): name a file with {self._option}."
        return Failure(FAILED, sentence)


def _owners_alone(path: str, flags: int) -> int:
    """Remove an earlier file first: a process that has it open cannot read the new rows."""
    if Path(path).exists() and stat.S_ISREG(os.lstat(path).st_mode):
        os.unlink(path)
    return os.open(path, flags, 0o600)


def beside(source: Path, kind: str) -> Path:
    """`<name>.<kind>.csv` beside the file, else in the current folder."""
    folder = source.parent
    writable = os.access(folder, os.W_OK) and folder.stat().st_mode & 0o222
    return (folder if writable else Path()) / f"{bare_name(source)}.{kind}.csv"


def bare_name(source: Path) -> str:
    """The file's name without what says its form: `messages.csv.gz` is `messages`."""
    name = source.name
    for suffix in (".gz", ".csv", ".tsv", ".jsonl", ".ndjson", ".json"):
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            name = name[: -len(suffix)]
    return name
