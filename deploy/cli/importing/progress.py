"""How far an import is: a bar on a terminal, a line every few seconds elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from deploy.cli.console import say_progress
from deploy.cli.importing.sending import Tally

LINES_EVERY_S = 5.0


def told(tally: Tally) -> str:
    """The figures in words."""
    return f"{tally.read:,} read, {tally.accepted:,} accepted, {tally.existing:,} there before, {tally.rejected:,} rejected"


@contextmanager
def progress(path: Path, raw: BinaryIO, tally: Tally) -> Iterator[Callable[[], None]]:
    """Yields a function to call after each row. The bytes read of the file give the progress."""
    size = path.stat().st_size
    if not sys.stderr.isatty():
        yield _in_lines(raw, size, tally)
        return
    columns = (
        TextColumn("import"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[words]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("rows", total=size, words="")
        yield lambda: bar.update(task, completed=min(raw.tell(), size), words=told(tally))


def _in_lines(raw: BinaryIO, size: int, tally: Tally) -> Callable[[], None]:
    last = time.monotonic()

    def moved() -> None:
        nonlocal last
        if time.monotonic() - last >= LINES_EVERY_S:
            last = time.monotonic()
            say_progress(f"import: {min(raw.tell(), size) * 100 // max(size, 1)}% of the file; {told(tally)}")

    return moved
