"""`chorus import`: a file of messages becomes tickets, the same ones however often it is run."""

import asyncio
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from deploy.cli.console import FAILED, PARTIAL, UNAVAILABLE, USAGE, Failure, emit, operator_token, say, stack
from deploy.cli.importing.mapping import (
    FIELDS,
    ImportedMessage,
    WrongMapping,
    check_columns,
    fields_of,
    message,
    read_map,
)
from deploy.cli.importing.rejected_rows import RejectedRows, beside
from deploy.cli.importing.rows import BROKEN_GZIP, FileProblem, Row, Table, look
from deploy.cli.importing.sending import Sender, Tally, client, send_all

AGAIN = "running it again is safe: what was taken keeps its ticket"
LINES_EVERY_S = 5.0


def import_file(
    file: Annotated[Path, typer.Argument(help="CSV or JSONL, plain or gzip; UTF-8 or GB18030.")],
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="FIELD=COLUMN", help=f"Which column holds a field: {', '.join(FIELDS)}."),
    ] = None,
    channel: Annotated[str, typer.Option(help="The channel of rows that name none.")] = "import",
    rejected: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where rejected rows go: <name>.rejected.csv beside the file.")
    ] = None,
) -> None:
    """Read messages from a file; rows that cannot be taken go to a file of their own, with the reason."""
    table, chosen = _understood(file, mapping or [])
    rejects = RejectedRows(_rejected_file(file, rejected), table)
    running = stack()
    tally = Tally()
    try:
        with rejects:
            asyncio.run(bring_in(table, chosen, channel, running.urls.intake, operator_token(), tally, rejects))
    except Failure as failure:
        emit(tally.document() | {"error": failure.sentence})
        raise Failure(failure.code, f"{failure.sentence}. So far {told(tally)}; {AGAIN}.") from failure
    except KeyboardInterrupt as stopped:
        emit(tally.document())
        raise Failure(FAILED, f"Stopped. So far {told(tally)}; {AGAIN}.") from stopped
    _end(file, tally, rejects)


def _understood(file: Path, mapping: list[str]) -> tuple[Table, dict[str, str]]:
    try:
        chosen = read_map(mapping)
        table = look(file)
        check_columns(table.columns, chosen, open_ended=table.form == "jsonl")
    except WrongMapping as wrong:
        raise Failure(USAGE, str(wrong)) from wrong
    except FileProblem as wrong:
        raise Failure(FAILED, str(wrong)) from wrong
    if ignored := ignored_columns(table, chosen):
        say(f"Ignored: the column{'s' * (len(ignored) > 1)} {', '.join(map(repr, ignored))} of {file.name!r}.")
    return table, chosen


def ignored_columns(table: Table, chosen: dict[str, str]) -> list[str]:
    """The columns that hold no field; those of a file of rejected rows are expected."""
    used = set(fields_of(table.columns, chosen).values())
    return [one for one in table.columns if one and one not in used]


def _rejected_file(file: Path, chosen: Path | None) -> Path:
    path = chosen or beside(file)
    if path.is_dir():
        raise Failure(USAGE, f"--rejected {str(path)!r} is a folder: name a file.")
    if path.exists() and path.samefile(file):
        raise Failure(USAGE, f"--rejected {str(path)!r} is the file to be imported: name another one.")
    return path


async def bring_in(
    table: Table, chosen: dict[str, str], channel: str, intake: str, token: str, tally: Tally, rejects: RejectedRows
) -> None:
    """Send every row of a file; raises Failure when intake is away for long, with `tally` saying what was done."""
    async with client(intake, token) as http:
        await _answers(http, intake)
        with table.rows() as (rows, raw), _progress(table, raw, tally) as moved:

            def told(row: Row, outcome: str, answer: Any) -> None:
                if outcome == "rejected":
                    rejects.add(row, answer)
                moved()

            await send_all(_whole(rows, table), understanding(chosen, channel), Sender(http), tally, told)


def understanding(chosen: dict[str, str], channel: str) -> Callable[[Row], ImportedMessage]:
    """How a row becomes a message; the objects of one file may have different names, each set is looked at once."""

    @lru_cache(maxsize=1_000)
    def fields(columns: tuple[str, ...]) -> dict[str, str]:
        return fields_of(columns, chosen)

    return lambda row: message(row, fields(tuple(row.cells)), channel)


def _whole(rows: Iterator[Row], table: Table) -> Iterator[Row]:
    """The rows; what the file itself hides until it is read is a Failure."""
    try:
        yield from rows
    except (*BROKEN_GZIP, UnicodeDecodeError, OSError) as error:
        raise Failure(FAILED, f"{str(table.path)!r} could not be read to its end ({error})") from error


async def _answers(http: Any, intake: str) -> None:
    """Ask before the first row, so that a stack that does not run is told at once."""
    import httpx

    try:
        await http.get("/healthz", timeout=5.0)
    except httpx.TransportError as error:
        raise Failure(UNAVAILABLE, f"No answer from intake at {intake!r} ({error or type(error).__name__})") from error


@contextmanager
def _progress(table: Table, raw: BinaryIO, tally: Tally) -> Iterator[Callable[[], None]]:
    """A bar by the bytes read on a terminal, a line now and then elsewhere."""
    size = table.path.stat().st_size
    if not sys.stderr.isatty():
        yield _in_lines(tally)
        return
    columns = (
        TextColumn("import"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[words]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("rows", total=size, words="")
        yield lambda: bar.update(task, completed=min(raw.tell(), size), words=told(tally))


def _in_lines(tally: Tally) -> Callable[[], None]:
    last = time.monotonic()

    def moved() -> None:
        nonlocal last
        if time.monotonic() - last >= LINES_EVERY_S:
            last = time.monotonic()
            print(f"import: {told(tally)}", file=sys.stderr, flush=True)

    return moved


def told(tally: Tally) -> str:
    """The figures in words."""
    return f"{tally.read} read, {tally.accepted} accepted, {tally.existing} there before, {tally.rejected} rejected"


def _end(file: Path, tally: Tally, rejects: RejectedRows) -> None:
    if not tally.read:
        emit(tally.document())
        raise Failure(FAILED, f"{str(file)!r} has columns and no rows: there is nothing to import.")
    say(f"{file.name}: {told(tally)}.")
    emit(tally.document())
    if tally.rejected:
        raise Failure(
            PARTIAL,
            f"{tally.rejected} of {tally.read} rows were rejected: {str(rejects.path)!r} says why; "
            "mend them there and import it.",
        )
