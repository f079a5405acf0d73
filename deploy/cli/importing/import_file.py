"""`chorus import`: a file of messages becomes tickets, the same ones however often it is run."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Annotated

import httpx
import typer

from deploy.cli.console import (
    FAILED,
    PARTIAL,
    UNAVAILABLE,
    USAGE,
    Failure,
    emit,
    operator_token,
    say,
    say_progress,
    stack,
)
from deploy.cli.importing.content import BROKEN_GZIP, FileProblem
from deploy.cli.importing.duplicates import Duplicates
from deploy.cli.importing.encodings import named, shown
from deploy.cli.importing.formulas import ORIGINAL, OWN_COLUMNS
from deploy.cli.importing.headers import (
    FIELDS,
    NOT_TAKEN,
    WrongMapping,
    check_columns,
    fields_of,
    listed,
    plain,
    read_map,
)
from deploy.cli.importing.mapping import ImportedMessage, message
from deploy.cli.importing.private_csv import beside
from deploy.cli.importing.progress import progress, told
from deploy.cli.importing.rejected_rows import RejectedRows, Results
from deploy.cli.importing.row import Row
from deploy.cli.importing.rows import Table, look
from deploy.cli.importing.sending import Sender, Sending, Settled, Tally, client, send_all

LONG_BYTES = 64 << 20
AGAIN = "running it again is safe: what was taken keeps its ticket"


def import_file(
    file: Annotated[Path, typer.Argument(help="CSV or JSONL, plain or gzip; UTF-8, GB18030, Big5 or UTF-16.")],
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="FIELD=COLUMN", help=f"Which column holds a field: {', '.join(FIELDS)}."),
    ] = None,
    channel: Annotated[str, typer.Option(help="The channel of rows that name none.")] = "import",
    rejected: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where rejected rows go: <name>.rejected.csv beside the file.")
    ] = None,
    results: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where ticket numbers go: <name>.results.csv beside the file.")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(metavar="NAME", help="utf-8, gb18030, big5 or utf-16; else found out from the file.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Import nothing; only say what would be rejected.")] = False,
    keep_duplicates: Annotated[
        bool, typer.Option("--keep-duplicates", help="Import identical rows each as a message of its own.")
    ] = False,
) -> None:
    """Read messages from a file; rejected rows go to a separate file, each with the reason."""
    table, chosen = _understood(file, mapping or [], encoding)
    rejects = RejectedRows(_output(file, rejected, "rejected"), table)
    tickets = Results(_output(file, results, "results"))
    if rejects.path == tickets.path:
        raise Failure(USAGE, f"--rejected and --results both name {str(rejects.path)!r}: name two files.")
    intake = None if check else (stack().urls.intake, operator_token())
    with ExitStack() as open_files:
        duplicates = open_files.enter_context(Duplicates(keep=keep_duplicates))
        job = _Job(
            table, chosen, channel, duplicates, open_files.enter_context(rejects), open_files.enter_context(tickets)
        )
        _run(job, intake)
    _end(job, check=check)


@dataclass
class _Job:
    """One import: what is read, how it is understood, where it is written down."""

    table: Table
    chosen: dict[str, str]
    channel: str
    duplicates: Duplicates
    rejects: RejectedRows
    tickets: Results
    tally: Tally = field(default_factory=Tally)


def _understood(file: Path, mapping: list[str], encoding: str | None) -> tuple[Table, dict[str, str]]:
    if file.is_file() and file.stat().st_size > LONG_BYTES:
        say_progress(f"import: {file.name!r} is read once to find out its encoding")
    try:
        chosen = read_map(mapping)
        table = look(file, named(encoding) if encoding else None)
        check_columns(table.columns, chosen, open_ended=table.form == "jsonl")
    except FileProblem as wrong:
        raise Failure(FAILED, str(wrong)) from wrong
    except (WrongMapping, ValueError) as wrong:
        raise Failure(USAGE, str(wrong)) from wrong
    if table.encoding != "utf-8" and encoding is None:
        say(f"{file.name!r} is read as {shown(table.encoding)}.")
    ignored, late = ignored_columns(table, chosen)
    if ignored:
        say(f"Ignored: the column{'s' * (len(ignored) > 1)} {listed(ignored)} of {file.name!r}.")
    if late:
        say(f"Not imported: {listed(late)}; a ticket counts from the moment at which it is registered here.")
    return table, chosen


def ignored_columns(table: Table, chosen: dict[str, str]) -> tuple[list[str], list[str]]:
    """The columns that hold no field, and those of times; what a file of rejected rows adds is expected."""
    used = {*fields_of(table.columns, chosen).values(), *OWN_COLUMNS, ORIGINAL}
    left = [one for one in table.columns if one and one not in used]
    return [one for one in left if plain(one) not in NOT_TAKEN], [one for one in left if plain(one) in NOT_TAKEN]


def _output(file: Path, chosen: Path | None, kind: str) -> Path:
    path = chosen or beside(file, kind)
    if path.is_dir():
        raise Failure(USAGE, f"--{kind} {str(path)!r} is a folder: name a file.")
    if path.exists() and path.samefile(file):
        raise Failure(USAGE, f"--{kind} {str(path)!r} is the file to be imported: name another one.")
    return path


def _run(job: _Job, intake: tuple[str, str] | None) -> None:
    try:
        asyncio.run(bring_in(job, intake))
    except Failure as failure:
        emit(job.tally.document() | {"error": failure.sentence})
        raise Failure(failure.code, f"{failure.sentence}. So far {told(job.tally)}; {AGAIN}.") from failure
    except KeyboardInterrupt as stopped:
        emit(job.tally.document())
        raise Failure(FAILED, f"Stopped. So far {told(job.tally)}; {AGAIN}.") from stopped


async def bring_in(job: _Job, intake: tuple[str, str] | None) -> None:
    """Send every row of a file to intake, given with the token, or only check it without.

    Raises Failure when intake is away for long, with the tally saying what was done.
    """
    async with AsyncExitStack() as connected:
        sender = await _sender(connected, *intake) if intake else _checker()
        with job.table.rows() as (rows, raw), progress(job.table.path, raw, job.tally) as moved:

            def written(settled: Settled) -> None:
                if settled.outcome == "rejected":
                    job.rejects.add(settled.row, settled.why)
                elif settled.answer:
                    job.tickets.add(settled)
                moved()

            def understood(row: Row) -> ImportedMessage:
                return job.duplicates.look(row, meaning(row))

            meaning = understanding(job.chosen, job.channel)
            await send_all(_whole(rows, job.table), understood, sender, job.tally, written)


def understanding(chosen: dict[str, str], channel: str) -> Callable[[Row], ImportedMessage]:
    """How a row becomes a message; the objects of one file may have different names, each set is looked at once."""

    @lru_cache(maxsize=100)
    def fields(columns: tuple[str, ...]) -> dict[str, str]:
        return fields_of(columns, chosen)

    return lambda row: message(row, fields(tuple(row.cells)), channel)


def _whole(rows: Iterator[Row], table: Table) -> Iterator[Row]:
    """The rows; what the file itself hides until it is read is a Failure."""
    try:
        yield from rows
    except (*BROKEN_GZIP, OSError) as error:
        raise Failure(FAILED, f"{str(table.path)!r} could not be read to its end ({error})") from error


def _checker() -> Sending:
    from deploy.cli.importing.checking import Checker

    return Checker()


async def _sender(connected: AsyncExitStack, intake: str, token: str) -> Sending:
    """Check the connection before the first row, so that a stopped stack fails at once."""
    http = await connected.enter_async_context(client(intake, token))
    try:
        await http.get("/healthz", timeout=5.0)
    except httpx.TransportError as error:
        raise Failure(UNAVAILABLE, f"No answer from intake at {intake!r} ({error or type(error).__name__})") from error
    return Sender(http)


def _end(job: _Job, *, check: bool) -> None:
    tally, file = job.tally, job.table.path
    if not tally.read:
        emit(tally.document())
        raise Failure(FAILED, f"{str(file)!r} has columns and no rows: there is nothing to import.")
    say(f"{file.name}: {told(tally)}." + (" Nothing was imported: --check only looks." if check else ""))
    if job.duplicates.identical.count:
        say(f"Identical rows: lines {job.duplicates.identical.in_words()}.")
    if job.tickets.written:
        say(f"The ticket of each row is in {str(job.tickets.path)!r}.")
    emit(tally.document())
    if tally.rejected:
        raise Failure(
            PARTIAL,
            f"{tally.rejected:,} of {tally.read:,} rows {'would be' if check else 'were'} rejected: "
            f"{str(job.rejects.path)!r} says why; correct them there and import it.",
        )
