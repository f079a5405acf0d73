"""A line of JSONL as a row."""

import json
from typing import Any

from deploy.cli.importing.raw_rows import RawRow
from deploy.cli.importing.row import Row, broken, row_of, text, too_long


def jsonl_row(record: RawRow, encoding: str) -> Row:
    if not record.whole:
        return too_long(record)
    kept = text(record, encoding).strip()
    if why := broken(record, encoding):
        return row_of(record, {}, why, kept, exact=False)
    try:
        given = json.loads(kept)
    except (ValueError, RecursionError) as error:
        return row_of(record, {}, f"the line is not JSON ({error}); write one object a line", kept, exact=False)
    if not isinstance(given, dict):
        why = "the line is JSON but no object; write {…} with the columns' names"
        return row_of(record, {}, why, kept, exact=False)
    return row_of(record, _flattened(given), None, kept, exact=False)


def _flattened(given: dict[str, Any]) -> dict[str, Any]:
    """`{"contact": {"name": …}}` has the column `contact.name`."""
    contact = given.get("contact")
    if not isinstance(contact, dict):
        return given
    rest = {name: value for name, value in given.items() if name != "contact"}
    return rest | {f"contact.{name}": value for name, value in contact.items()}
