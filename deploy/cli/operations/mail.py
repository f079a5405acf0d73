"""`chorus mail`: lists the mails of the notifier, and sends failed ones again."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Annotated, Any
from urllib.parse import quote

import typer

from deploy.cli import desk_client
from deploy.cli.console import PARTIAL, REFUSED, USAGE, Failure, ask, emit, say, say_progress, stack
from deploy.cli.tables import show_table

mail = typer.Typer(
    help="Mails to residents and departments: what was sent, what waits, what failed.", no_args_is_help=True
)

STATES = ("waiting", "retrying", "sent", "failed", "stopped", "cancelled")
Ids = Annotated[
    list[str] | None, typer.Argument(metavar="ID", help="Ids of failed mails (default: all that can be sent again).")
]
OfState = Annotated[str | None, typer.Option("--state", help=f"Only mails in this state: {', '.join(STATES)}.")]
Failed = Annotated[bool, typer.Option("--failed", help="Only failed mails; the same as --state failed.")]
OfInquiry = Annotated[str | None, typer.Option("--inquiry", metavar="INQUIRY", help="Only mails about this inquiry.")]
Limit = Annotated[int, typer.Option(min=1, help="How many mails at most, the newest.")]


@mail.command("list")
def list_mails(state: OfState = None, failed: Failed = False, inquiry: OfInquiry = None, limit: Limit = 100) -> None:
    """List mails, newest first, with hidden addresses and without their texts."""
    if failed and state not in (None, "failed"):
        raise Failure(USAGE, "Use either --failed or --state, not both.")
    chosen = "failed" if failed else state
    query = {name: value for name, value in (("state", chosen), ("inquiry_id", inquiry)) if value}
    found = [one for one, _ in zip(mails(query), range(limit), strict=False)]
    if found:
        columns = ("id", "noted (UTC)", "inquiry", "news", "to", "state", "attempts")
        show_table(columns, map(_row, found))
    # Below the table: a long reason would leave no room for whole ids, which `retry` needs.
    for one in found:
        if one["error"] and one["state"] in ("failed", "retrying"):
            say(f"{one['id']}: {one['error']}")
    counts = Counter(str(one["state"]) for one in found)
    hint = " `chorus mail retry` sends the failed ones again." if counts["failed"] else ""
    part = f"The newest {limit}: " if len(found) == limit else ""
    say(part + (", ".join(f"{number} {name}" for name, number in counts.items()) or "No mails") + f".{hint}")
    emit(found)


@mail.command()
def retry(ids: Ids = None) -> None:
    """Send failed mails again: these, or all whose text is still stored. Safe to repeat."""
    chosen = ids or [str(one["id"]) for one in mails({"state": "failed"}) if one["retry_until"]]
    outcomes = []
    for number, id_ in enumerate(chosen, start=1):
        outcomes.append(_retry(id_))
        if len(chosen) > 1:
            say_progress(f"{number} of {len(chosen)}")
    for one in outcomes:
        if one["refused"]:
            say(f"{one['id']}: {one['refused']}")
    accepted = sum(not one["refused"] for one in outcomes)
    say(
        f"{accepted} of {len(chosen)} mails will be sent again."
        if chosen
        else "No failed mails that can be sent again."
    )
    emit({"retried": accepted, "refused": len(outcomes) - accepted, "outcomes": outcomes})
    if outcomes and accepted < len(outcomes):
        raise typer.Exit(PARTIAL if accepted else REFUSED)


def mails(query: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """The mails that match `query`, newest first."""
    yield from desk_client.pages(f"{stack().urls.notifier}/mails", "mails", query)


def _retry(id_: str) -> dict[str, Any]:
    url = f"{stack().urls.notifier}/mails/{quote(id_, safe='')}/retry"
    try:
        ask("POST", url, operator=True)
    except Failure as failure:
        if failure.code != REFUSED or desk_client.answered(failure, 401) or desk_client.answered(failure, 429):
            raise
        return {"id": id_, "refused": failure.sentence}
    return {"id": id_, "refused": None}


def _row(one: Mapping[str, Any]) -> tuple[object, ...]:
    at = str(one["noted_at"]).replace("T", " ")[:19]
    to = one["to"] or one.get("channel")
    return (one["id"], at, one["inquiry_id"], one["what"], to, one["state"], one["attempts"])
