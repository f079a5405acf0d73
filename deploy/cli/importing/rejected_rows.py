"""The file of rejected rows: their cells, where they stand, why they were rejected; it can be corrected and imported."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deploy.cli.importing.formulas import BASE64, BYTES, FIRST_BYTE, LINE, ORIGINAL, OWN_COLUMNS, WHY, neutralised
from deploy.cli.importing.private_csv import PrivateCsv
from deploy.cli.importing.row import ESCAPED, Row
from deploy.cli.importing.rows import Table
from deploy.cli.importing.sending import Settled


class RejectedRows(PrivateCsv):
    """Rows in the order of the file."""

    def __init__(self, path: Path, table: Table) -> None:
        self._names: Sequence[str] = [name for name in table.columns if name not in (*OWN_COLUMNS, ORIGINAL)]
        self._keeps_lines = table.form == "jsonl"
        own = [ORIGINAL] if self._keeps_lines else []
        super().__init__(path, [*map(shown, self._names), *own, LINE, WHY, FIRST_BYTE, BYTES, BASE64], "--rejected")

    def add(self, row: Row, why: str) -> None:
        """Write a row; raises Failure when the file cannot be written."""
        cells = [shown(cell(row.cells.get(name))) for name in self._names]
        line = [shown(row.original)] if self._keeps_lines else []
        place = [str(row.first_byte), str(row.size), row.content_base64]
        self.write([*cells, *line, str(row.line), shown(why), *place])


class Results(PrivateCsv):
    """The ticket of each row that was taken, now or by an earlier import."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, (LINE, "ticket", "outcome", "external_id"), "--results")

    def add(self, settled: Settled) -> None:
        """Write a row without the query code: it opens the ticket to anybody who reads it here."""
        ticket = str(settled.answer.get("inquiry_id", ""))
        self.write([str(settled.row.line), ticket, settled.outcome, shown(settled.external_id)])


def shown(text: str) -> str:
    """Text without formulas; a byte that does not decode becomes `\\x` and its number."""
    return neutralised(ESCAPED.sub(lambda one: f"\\x{ord(one[0]) - 0xDC00:02x}", text))


def cell(value: Any) -> str:
    """A value as it would stand in a CSV file."""
    if isinstance(value, list):
        return ";".join(map(str, value))
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
