"""`chorus dead-letters`: what services have put aside is looked at, replayed, or discarded with a reason."""

import getpass
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import quote

import typer

from deploy.cli import desk_client
from deploy.cli.console import FAILED, PARTLY, REFUSED, USAGE, Failure, ask, emit, say, say_progress, stack
from deploy.cli.tables import show_table
from shared.runtime import timestamps

BATCH = 50
AGO = re.compile(r"(\d{1,6})([mhd])")
UNITS = {"m": "minutes", "h": "hours", "d": "days"}
OUTCOMES = ("replayed", "would-replay", "already", "refused", "unknown")

dead_letters = typer.Typer(help="Messages that a service has put aside.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="ID", help="The id of the letter, as `list` shows it.")]
Ids = Annotated[list[str] | None, typer.Argument(metavar="ID", help="Letters; else what the filters leave.")]
OfService = Annotated[str | None, typer.Option("--service", help="Only of this service.")]
Reason = Annotated[str | None, typer.Option(help="Only of this kind, or whose reason holds these words.")]
Since = Annotated[
    str | None, typer.Option(metavar="MOMENT", help="Only later ones: 2026-11-22T09:00:00Z, 90m, 24h, 7d.")
]
Status = Annotated[str | None, typer.Option(help="Only open, replayed, discarded or expired ones.")]
By = Annotated[str | None, typer.Option(metavar="NAME", help="Who says so, for the record; else who is logged in.")]


@dead_letters.command("list")
def list_letters(service: OfService = None, reason: Reason = None, since: Since = None, status: Status = None) -> None:
    """Every dead letter, oldest first."""
    found = list(letters(filters(service, reason, since, status)))
    if found:
        columns = ("id", "put aside (UTC)", "kind", "status", "from", "inquiry", "reason")
        show_table(columns, map(_row, found))
    still_open = sum(one["status"] == "open" for one in found)
    hint = " `chorus dead-letters show ID` shows all of one." if found else ""
    say(f"{len(found)} dead letter{'' if len(found) == 1 else 's'}, {still_open} open.{hint}")
    emit(found)


@dead_letters.command()
def show(id_: Id) -> None:
    """All of one letter: every byte, and what was decided of it. It may hold residents' words."""
    found = _letter_call("GET", id_)
    facts = {
        name: value for name, value in found.items() if name not in ("history", "key", "value", "headers", "found")
    }
    show_table(("", ""), ((name.replace("_", " "), value) for name, value in facts.items() if value not in (None, [])))
    for one in found["history"]:
        by = f" by {one['by']}" if one["by"] else ""
        say(f"{one['what']}{by} at {one['at']}" + (f": {one['why']}" if one["why"] else "."))
    if not found["found"]:
        say("Its record is not in its topic any more, or is erased: nothing else is known of it.")
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
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    anyway: Annotated[bool, typer.Option("--anyway", help="Also what was replayed or discarded before.")] = False,
    by: By = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before replaying all.")] = False,
) -> None:
    """Have services try letters again; safe to repeat. What is parked with one of them goes on too, in its order."""
    given = filters(service, reason, since, status)
    if ids and given:
        raise Failure(USAGE, "Name letters by their ids or by filters, not both.")
    chosen = ids or [one["id"] for one in letters({"status": "open"} | given)]
    if chosen and not (ids or given or dry_run or yes):
        _ask_for_all(len(chosen))
    outcomes = list(replayed(chosen, {"by": by or somebody(), "anyway": anyway, "dry_run": dry_run}))
    for one in outcomes:
        say(f"{one['id']:16} {one['outcome']:12} {one['how']}")
    counts = Counter(one["outcome"] for one in outcomes)
    told = {name.replace("-", "_"): counts[name] for name in OUTCOMES}
    say(", ".join(f"{counts[name]} {name}" for name in OUTCOMES if counts[name]) or "There is nothing to be replayed.")
    emit({"dry_run": dry_run, **told, "outcomes": outcomes})
    raise typer.Exit(exit_code(counts))


@dead_letters.command()
def discard(id_: Id, why: Annotated[str, typer.Option(help="The reason, for the record.")], by: By = None) -> None:
    """Decide that nobody shall do anything about a letter; a parked input will be passed over."""
    found = _letter_call("POST", id_, "/discard", {"why": why, "by": by or somebody()})
    said = found["history"][-1]
    say(f"{found['id']} was discarded by {said['by']} at {said['at']}: {said['why']}")
    if found["holds"]:
        say(
            f"Inquiry {found['holds']} stays parked, for other letters of it: "
            "`chorus dead-letters list --status open` shows them, and replaying one releases it."
        )
    emit(found)


# ── what the desk is asked ───────────────────────────────────────────────────


def letters(query: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Letters page by page, once the desk has read all that lie in the topics."""
    url = f"{stack().urls.router}/dead-letters"
    while unread := ask("GET", url, operator=True, params={**query, "limit": 1}).json()["unread"]:
        say(f"The desk reads on: {unread} letters are not in its list yet.")
    yield from desk_client.pages(url, "letters", query)


def replayed(ids: Sequence[str], order: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The outcome of each letter; in short lists, so that each request is answered soon and none is in doubt for long."""
    for start in range(0, len(ids), BATCH):
        some = {"ids": ids[start : start + BATCH], **order}
        try:
            yield from ask("POST", f"{stack().urls.router}/replays", operator=True, json=some).json()["outcomes"]
        except Failure as failure:
            sentence = f"{failure.sentence} {start} of {len(ids)} letters were answered before; repeat the command."
            raise Failure(failure.code, sentence) from failure
        if len(ids) > BATCH:
            say_progress(f"{min(start + BATCH, len(ids))} of {len(ids)}")


def _letter_call(method: str, id_: str, action: str = "", body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    url = f"{stack().urls.router}/dead-letters/{quote(id_, safe='')}{action}"
    try:
        found: dict[str, Any] = ask(method, url, operator=True, json=body).json()
    except Failure as failure:
        if desk_client.answered(failure, 404):
            sentence = f"There is no dead letter {id_!r}: `chorus dead-letters list` shows their ids."
            raise Failure(FAILED, sentence) from failure
        raise
    return found


# ── words ────────────────────────────────────────────────────────────────────


def filters(service: str | None, reason: str | None, since: str | None, status: str | None) -> dict[str, str]:
    """Those filters that were given, as the desk takes them."""
    given = {"service": service, "reason": reason, "since": moment(since) if since else None, "status": status}
    return {name: value for name, value in given.items() if value is not None}


def moment(text: str) -> str:
    """A moment as it is written, or so many minutes, hours or days ago. Raises Failure 2."""
    try:
        if ago := AGO.fullmatch(text):
            return timestamps.to_text(timestamps.now() - timedelta(**{UNITS[ago[2]]: int(ago[1])}))
        return timestamps.to_text(timestamps.from_text(text))
    except (ValueError, OverflowError) as error:
        sentence = f"--since {text!r} is no moment: write one like 2026-11-22T09:00:00Z, or 90m, 24h, 7d."
        raise Failure(USAGE, sentence) from error


def exit_code(counts: Mapping[str, int]) -> int:
    """Done, or partly, or why nothing was."""
    failed, done = (
        counts["refused"] + counts["unknown"],
        counts["replayed"] + counts["would-replay"] + counts["already"],
    )
    if not failed:
        return 0
    return PARTLY if done else REFUSED if counts["refused"] else FAILED


def content(given: Mapping[str, Any] | None) -> str:
    """Bytes for a person: as text, else as base64."""
    if given is None:
        return "(none)"
    return given["text"] if given["text"] is not None else f"base64 {given['base64']}" if given["base64"] else "(null)"


def somebody() -> str:
    """Who is logged in here."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "operator"


def _ask_for_all(count: int) -> None:
    if not sys.stdin.isatty():
        sentence = (
            f"All {count} open letters would be replayed and nobody is here to be asked: add --yes, or filter them."
        )
        raise Failure(USAGE, sentence)
    if not typer.confirm(f"Replay all {count} open letters?", err=True):
        raise Failure(REFUSED, "Nothing was replayed.")


def _row(one: Mapping[str, Any]) -> tuple[object, ...]:
    place = f"{one['topic']}-{one['partition']}-{one['offset']}" if one["topic"] else None
    at = str(one["at"]).replace("T", " ")[:19]
    return one["id"], at, one["kind"], one["status"], place, one["inquiry_id"], one["reason"]
