"""`chorus dead-letters`: lists, shows, replays and discards messages that services could not process."""

import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import quote

import typer

from deploy.cli import desk_client
from deploy.cli.console import FAILED, PARTIAL, REFUSED, USAGE, Failure, ask, emit, say, say_progress, stack
from deploy.cli.person import By, person
from deploy.cli.tables import show_table
from shared.runtime import timestamps

BATCH = 50
AGO = re.compile(r"(\d{1,6})([mhd])")
UNITS = {"m": "minutes", "h": "hours", "d": "days"}
OUTCOMES = ("replayed", "would-replay", "already", "refused", "unknown")

dead_letters = typer.Typer(help="Dead letters: messages that a service could not process.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="ID", help="The id of the dead letter, as `list` shows it.")]
Ids = Annotated[
    list[str] | None, typer.Argument(metavar="ID", help="Ids of dead letters (default: all that match the filters).")
]
OfService = Annotated[str | None, typer.Option("--service", help="Only dead letters of this service.")]
Reason = Annotated[str | None, typer.Option(help="Only dead letters of this kind, or with this text in their reason.")]
Since = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Only newer dead letters: since 2026-11-22T09:00:00Z, or the last 90m, 24h, 7d."),
]
Status = Annotated[str | None, typer.Option(help="Only dead letters with status open, replayed, discarded or expired.")]


@dead_letters.command("list")
def list_letters(service: OfService = None, reason: Reason = None, since: Since = None, status: Status = None) -> None:
    """List dead letters, oldest first."""
    found = list(letters(filters(service, reason, since, status)))
    if found:
        columns = ("id", "since (UTC)", "kind", "status", "record", "inquiry", "reason")
        show_table(columns, map(_row, found))
    still_open = sum(one["status"] == "open" for one in found)
    hint = " `chorus dead-letters show ID` shows one in full." if found else ""
    say(f"{len(found)} dead letter{'' if len(found) == 1 else 's'}, {still_open} open.{hint}")
    emit(found)


@dead_letters.command()
def show(id_: Id) -> None:
    """Show a dead letter with its record and history. It may contain residents' personal data."""
    found = _letter_call("GET", id_)
    facts = {
        name: value for name, value in found.items() if name not in ("history", "key", "value", "headers", "found")
    }
    show_table(("", ""), ((name.replace("_", " "), value) for name, value in facts.items() if value not in (None, [])))
    for one in found["history"]:
        by = f" by {one['by']}" if one["by"] else ""
        say(f"{one['what']}{by} at {one['at']}" + (f": {one['why']}" if one["why"] else "."))
    if not found["found"]:
        say("The record was deleted from its topic by retention, or erased: its content is not available.")
    else:
        show_table(("header", ""), ((one["name"], content(one)) for one in found["headers"]))
        say(f"key    {content(found['key'])}", f"value  {content(found['value'])}")
    emit(found)


@dead_letters.command()
def replay(
    ids: Ids = None,
    service: OfService = None,
    reason: Reason = None,
    since: Since = None,
    status: Status = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be done.")] = False,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Also replay dead letters that were replayed or discarded before.")
    ] = False,
    by: By = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation before replaying all.")] = False,
) -> None:
    """Send dead letters back to their service. Safe to repeat. Inputs parked behind one follow it in order."""
    given = filters(service, reason, since, status)
    if ids and given:
        raise Failure(USAGE, "Use either ids or filters, not both.")
    chosen = ids or [one["id"] for one in letters({"status": "open"} | given)]
    if chosen and not (ids or given or dry_run or yes):
        _confirm_all(len(chosen))
    outcomes = list(replayed(chosen, {"by": person(by), "anyway": anyway, "dry_run": dry_run}))
    for one in outcomes:
        say(f"{one['id']:16} {one['outcome']:12} {one['how']}")
    counts = Counter(one["outcome"] for one in outcomes)
    figures = {name.replace("-", "_"): counts[name] for name in OUTCOMES}
    say(", ".join(f"{counts[name]} {name}" for name in OUTCOMES if counts[name]) or "No dead letters to replay.")
    emit({"dry_run": dry_run, **figures, "outcomes": outcomes})
    raise typer.Exit(exit_code(counts))


@dead_letters.command()
def discard(id_: Id, why: Annotated[str, typer.Option(help="The reason, for the history.")], by: By = None) -> None:
    """Close a dead letter without replaying it; a discarded input of an inquiry is skipped."""
    found = _letter_call("POST", id_, "/discard", {"why": why, "by": person(by)})
    entry = found["history"][-1]
    say(f"{found['id']} was discarded by {entry['by']} at {entry['at']}: {entry['why']}")
    if found["holds"]:
        say(
            f"Inquiry {found['holds']} stays parked because of other dead letters: list them with "
            "`chorus dead-letters list --status open`, and replay one to release it."
        )
    emit(found)


# ── calls to the desk ────────────────────────────────────────────────────────


def letters(query: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """The dead letters that match `query`; waits until the desk has read all dead-letter topics to their end."""
    url = f"{stack().urls.router}/dead-letters"
    while unread := ask("GET", url, operator=True, params={**query, "limit": 1}).json()["unread"]:
        say(f"The desk is still reading dead letters: {unread} to go.")
    yield from desk_client.pages(url, "letters", query)


def replayed(ids: Sequence[str], order: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Replay in batches, which keeps each request short; yields the outcome of each dead letter."""
    for start in range(0, len(ids), BATCH):
        some = {"ids": ids[start : start + BATCH], **order}
        try:
            yield from ask("POST", f"{stack().urls.router}/replays", operator=True, json=some).json()["outcomes"]
        except Failure as failure:
            sentence = f"{failure.sentence} {start} of {len(ids)} dead letters were processed: run the command again."
            raise Failure(failure.code, sentence) from failure
        if len(ids) > BATCH:
            say_progress(f"{min(start + BATCH, len(ids))} of {len(ids)}")


def _letter_call(method: str, id_: str, action: str = "", body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    url = f"{stack().urls.router}/dead-letters/{quote(id_, safe='')}{action}"
    try:
        found: dict[str, Any] = ask(method, url, operator=True, json=body).json()
    except Failure as failure:
        if desk_client.answered(failure, 404):
            sentence = f"Dead letter {id_!r} does not exist: `chorus dead-letters list` shows the ids."
            raise Failure(FAILED, sentence) from failure
        raise
    return found


# ── arguments and output ─────────────────────────────────────────────────────


def filters(service: str | None, reason: str | None, since: str | None, status: str | None) -> dict[str, str]:
    """The given filters as query parameters of the desk."""
    given = {"service": service, "reason": reason, "since": moment(since) if since else None, "status": status}
    return {name: value for name, value in given.items() if value is not None}


def moment(text: str) -> str:
    """Convert a time, or an age like 90m, 24h or 7d, to an RFC 3339 time; raises Failure 2 for other text."""
    try:
        if ago := AGO.fullmatch(text):
            return timestamps.to_text(timestamps.now() - timedelta(**{UNITS[ago[2]]: int(ago[1])}))
        return timestamps.to_text(timestamps.from_text(text))
    except (ValueError, OverflowError) as error:
        sentence = f"--since {text!r} is not a time: use a format like 2026-11-22T09:00:00Z, 90m, 24h or 7d."
        raise Failure(USAGE, sentence) from error


def exit_code(counts: Mapping[str, int]) -> int:
    """0 if all were replayed, 5 if some were, otherwise 4 or 1."""
    failed = counts["refused"] + counts["unknown"]
    done = counts["replayed"] + counts["would-replay"] + counts["already"]
    if not failed:
        return 0
    return PARTIAL if done else REFUSED if counts["refused"] else FAILED


def content(given: Mapping[str, Any] | None) -> str:
    """Bytes as text if they are UTF-8, otherwise as base64."""
    if given is None:
        return "(none)"
    return given["text"] if given["text"] is not None else f"base64 {given['base64']}" if given["base64"] else "(null)"


def _confirm_all(count: int) -> None:
    if not sys.stdin.isatty():
        raise Failure(USAGE, f"This replays all {count} open dead letters: add --yes to confirm, or use filters.")
    if not typer.confirm(f"Replay all {count} open dead letters?", err=True):
        raise Failure(REFUSED, "Nothing was replayed.")


def _row(one: Mapping[str, Any]) -> tuple[object, ...]:
    record = f"{one['topic']}-{one['partition']}-{one['offset']}" if one["topic"] else None
    at = str(one["at"]).replace("T", " ")[:19]
    return one["id"], at, one["kind"], one["status"], record, one["inquiry_id"], one["reason"]
