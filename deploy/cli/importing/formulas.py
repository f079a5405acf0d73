"""Keeps a spreadsheet from running a cell that a stranger wrote, and takes that back when the file is imported."""

import re
from collections.abc import Sequence

LINE, WHY, ORIGINAL, FIRST_BYTE, BYTES, BASE64 = "line", "why", "original", "first_byte", "bytes", "original_base64"
OWN_COLUMNS = (LINE, WHY, FIRST_BYTE, BYTES, BASE64)
"""The columns that every file of rejected rows has beside those of the imported file."""
FORMULA = re.compile(r"'*[=+\-@\t\r]")
MARKED = re.compile(r"'+[=+\-@\t\r]")


def neutralised(cell: str) -> str:
    """A cell that would be a formula with an apostrophe before it; one that looks so already gets another."""
    return f"'{cell}" if FORMULA.match(cell) else cell


def restored(cell: str) -> str:
    """The cell as it was before `neutralised`."""
    return cell[1:] if MARKED.match(cell) else cell


def is_neutralised(columns: Sequence[str]) -> bool:
    """Whether a file with these columns is one of rejected rows."""
    return set(OWN_COLUMNS) <= set(columns)
