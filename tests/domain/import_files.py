"""Files of messages, written and read as a test of imports wants them."""

from pathlib import Path
from typing import Any

from deploy.cli.importing.headers import fields_of
from deploy.cli.importing.mapping import ImportedMessage, message
from deploy.cli.importing.row import Row
from deploy.cli.importing.rows import Table


def written(folder: Path, content: str | bytes, name: str = "letters.csv", encoding: str = "utf-8") -> Path:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return file


def rows_of(table: Table) -> list[Row]:
    with table.rows() as (rows, _):
        return list(rows)


def a_row(**cells: Any) -> Row:
    return Row(2, {"subject": "s", "body": "b"} | cells)


def meant(row: Row, channel: str = "import") -> ImportedMessage:
    return message(row, fields_of(tuple(row.cells), {}), channel)
