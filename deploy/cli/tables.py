"""Tables for a person, on the stream that carries words."""

import sys
from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Column, Table

from deploy.cli.console import options
from deploy.terminal import visible

NARROWEST = 100


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under their columns, each cell on one line; text in brackets stays text."""
    # Chinese has no spaces: without "fold", rich would cut a long text off instead of wrapping it.
    table = Table(*(Column(one, overflow="fold") for one in columns), box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(*("" if one is None else _plain(one) for one in row))
    stream = sys.stderr if options.as_json else sys.stdout
    # A pipe has no width: wide enough there that a script finds each row on one line.
    Console(file=stream, width=None if stream.isatty() else 2 * NARROWEST, highlight=False, markup=False).print(table)


def _plain(value: object) -> str:
    return visible(", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value))
