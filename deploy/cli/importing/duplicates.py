"""Which rows of one file say the same message; kept on disk, so that a file of any length can be read."""

import hashlib
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from deploy.cli.importing.mapping import ImportedMessage, Unusable
from deploy.cli.importing.row import Row

TABLE = "CREATE TABLE seen (id BLOB PRIMARY KEY, line INTEGER, times INTEGER) WITHOUT ROWID"
SEE = "INSERT INTO seen VALUES (?, ?, 1) ON CONFLICT (id) DO UPDATE SET times = times + 1 RETURNING line, times"
SHOWN = 10


@dataclass
class Repeats:
    """What was found twice in a file: pairs of lines, the first few of them, and how many."""

    count: int = 0
    pairs: list[tuple[int, int]] = field(default_factory=list)

    def add(self, first: int, line: int) -> None:
        """Remember a row that repeats an earlier one."""
        self.count += 1
        if len(self.pairs) < SHOWN:
            self.pairs.append((first, line))

    def in_words(self) -> str:
        """`3 and 7, 3 and 9`."""
        more = f" and {self.count - len(self.pairs):,} more" if self.count > len(self.pairs) else ""
        return ", ".join(f"{first:,} and {line:,}" for first, line in self.pairs) + more


class Duplicates:
    """Looks at the messages of a file in their order; identical ones are taken with `keep`, else rejected."""

    def __init__(self, *, keep: bool) -> None:
        self.identical = Repeats()
        self._keep = keep
        # A temporary database, which SQLite puts on disk when it grows and removes at its end.
        self._seen = sqlite3.connect("", isolation_level=None)
        self._seen.execute("PRAGMA journal_mode = OFF")
        self._seen.execute(TABLE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._seen.close()

    def look(self, row: Row, message: ImportedMessage) -> ImportedMessage:
        """The message to be sent for the row; raises Unusable for one that repeats an earlier row of the file."""
        first, times = self._times(row, message)
        if times == 1:
            return message
        if message.key is None:
            raise Unusable(
                f"line {row.line:,} has the external_id {message.external_id[:60]!r} of line {first:,}, which counts; "
                "give each message an external_id of its own"
            )
        self.identical.add(first, row.line)
        if self._keep:
            return message.repeated(times)
        raise Unusable(
            f"line {row.line:,} is identical to line {first:,}, which counts; leave one of them out, "
            "or import both with --keep-duplicates"
        )

    def _times(self, row: Row, message: ImportedMessage) -> tuple[int, int]:
        name = message.key or f"{message.body['channel']}/{message.external_id}"
        id_ = hashlib.sha256(f"{message.key is None}/{name}".encode()).digest()
        with closing(self._seen.execute(SEE, (id_, row.line))) as found:
            first, times = found.fetchone()
        return int(first), int(times)
