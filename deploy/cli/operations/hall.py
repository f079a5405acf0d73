"""`chorus hall`: what waits for publication, and the decisions about what the hall shows.

The list comes from the notifier, which masks; the decisions are commands at the desk.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import quote

import typer

from deploy.cli import desk_client
from deploy.cli.console import FAILED, PARTIAL, REFUSED, USAGE, Failure, ask, emit, options, say, say_progress, stack
from deploy.cli.operations.case import indented
from deploy.cli.tables import show_table

hall = typer.Typer(help="What the public hall shows: review, publish, hide, redact.", no_args_is_help=True)

Inquiry = Annotated[str, typer.Argument(help="The number of the inquiry.")]
Hash = Annotated[
    str | None,
    typer.Option("--sha256", metavar="HASH", help="The version that you have read, or the beginning of its hash."),
]
HASH_SHOWN = 12
FULL_HASH = re.compile(r"[0-9a-fA-F]{64}")


@hall.command("list")
def list_hall(
    waiting: Annotated[bool, typer.Option("--waiting", help="Only what waits for a decision, with its text.")] = False,
) -> None:
    """List the masked versions of public inquiries. ＊＊＊ marks the personal data that was found and hidden."""
    found = list(entries("waiting" if waiting else None))
    if waiting and not options.as_json:
        for one in found:
            say(*_text_of(one))
    elif found:
        columns = ("inquiry", "state", "answered (UTC)", "hidden places", "version", "subject")
        show_table(columns, map(_row, found))
    count = sum(one["state"] == "waiting" for one in found)
    say(f"{len(found)} listed, {count} waiting." + (" Publish with `chorus hall publish INQUIRY`." if count else ""))
    emit(found)


@hall.command()
def publish(
    inquiries: Annotated[list[str] | None, typer.Argument(metavar="INQUIRY", help="Numbers of inquiries.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Everything that waits now.")] = False,
    sha256: Hash = None,
    why: Annotated[
        str | None, typer.Option("--why", help="The reason; needed to publish again what was hidden.")
    ] = None,
) -> None:
    """Publish the newest masked version of these inquiries. Exit code 4: refused, 5: partly."""
    if all_ == bool(inquiries):
        raise Failure(USAGE, "Name inquiries, or write --all for everything that waits.")
    if sha256 is not None and len(inquiries or ()) != 1:
        raise Failure(USAGE, "--sha256 names the version of one inquiry: name exactly one.")
    if sha256 is not None and inquiries and FULL_HASH.fullmatch(sha256):
        # Whoever has the whole hash needs no list, which takes the operator's token.
        chosen: list[Any] = [{"inquiry_id": inquiries[0], "sha256": sha256.lower()}]
    else:
        chosen = list(entries("waiting")) if all_ else [_entry(one) for one in inquiries or ()]
    outcomes = []
    for number, one in enumerate(chosen, start=1):
        body = {"type": "publish", "text_hash": _named(one, sha256)} | ({"why": why} if why else {})
        outcomes.append(desk_client.send(one["inquiry_id"], body) | {"sha256": one["sha256"]})
        if len(chosen) > 1:
            say_progress(f"{number} of {len(chosen)}")
    _summary(chosen, outcomes)


def _summary(chosen: Sequence[Mapping[str, Any]], outcomes: Sequence[Mapping[str, Any]]) -> None:
    published = sum(one["status"] == "applied" for one in outcomes)
    for entry, outcome in zip(chosen, outcomes, strict=True):
        if outcome["status"] != "applied":
            say(f"{entry['inquiry_id']}: {outcome.get('reason') or 'the router has not decided it yet.'}")
    say(f"{published} of {len(chosen)} published." if chosen else "Nothing waits.")
    emit({"published": published, "refused": len(chosen) - published, "outcomes": list(outcomes)})
    if published < len(chosen):
        raise typer.Exit(PARTIAL if published else REFUSED)


@hall.command()
def hide(
    inquiry: Inquiry,
    why: Annotated[str, typer.Option("--why", metavar="WORDS", help="The reason; it is in the history of the case.")],
) -> None:
    """Take an inquiry out of the hall, its pages and its feed, or keep it out."""
    try:
        seen: dict[str, Any] = {"text_hash": _entry(inquiry)["sha256"]}
    except Failure as failure:
        # Hiding must work without the notifier too; the command then names no version.
        say_progress(failure.sentence)
        seen = {}
    desk_client.command(inquiry, {"type": "hide", "why": why} | seen)


@hall.command()
def redact(
    inquiry: Inquiry,
    find: Annotated[str, typer.Option("--find", metavar="WORDS", help="The words to hide, exactly as they are shown.")],
    sha256: Hash = None,
    why: Annotated[str | None, typer.Option("--why", help="The reason.")] = None,
) -> None:
    """Hide more words of an inquiry wherever they occur, in the hall or before it is published."""
    one = _entry(inquiry)
    if find not in "\n".join(_texts(one)):
        raise Failure(FAILED, f"The newest version of {inquiry!r} does not have the words {find!r}.")
    if one["shown_sha256"] not in (None, one["sha256"]):
        say(f"The hall shows an older version of {inquiry}; publish or hide it too.")
    body = {"type": "redact", "text_hash": _named(one, sha256), "find": find} | ({"why": why} if why else {})
    desk_client.command(inquiry, body)


def entries(state: str | None) -> Any:
    """The newest masked version of each inquiry, in this state."""
    return desk_client.pages(f"{stack().urls.notifier}/publications", "entries", {"state": state} if state else {})


def _entry(inquiry: str) -> dict[str, Any]:
    url = f"{stack().urls.notifier}/publications/{quote(inquiry, safe='')}"
    found: dict[str, Any] = ask("GET", url, operator=True).json()
    return found


def _named(one: Mapping[str, Any], sha256: str | None) -> str:
    """The hash of the version; raises Failure 4 when the newest one is another than was read."""
    newest = str(one["sha256"])
    if sha256 is not None and not newest.startswith(sha256.lower()):
        raise Failure(
            REFUSED, f"The newest version of {one['inquiry_id']!r} is {newest[:HASH_SHOWN]}…, not {sha256!r}: read it."
        )
    return newest


def _texts(one: Mapping[str, Any]) -> list[str]:
    rest = [part["text"] for part in (*one["paragraphs"], *one["changes"])]
    return [one["subject"], one["body"], one["opening"] or "", *rest, one["closing"] or ""]


def _text_of(one: Mapping[str, Any]) -> list[str]:
    places = sum(one["found"].values())
    lines = [f"{one['inquiry_id']}  {one['answered_at'].replace('T', ' ')[:16]}  SHA-256 {one['sha256']}"]
    lines += [f"  {places} places hidden. {one['subject']}", *indented(one["body"])]
    lines += indented(one["opening"]) if one["opening"] else []
    for part in one["paragraphs"]:
        lines += [f"{part['name']}{' (retracted)' if part['retracted'] else ''}:", *indented(part["text"])]
    lines += indented(one["closing"]) if one["closing"] else []
    for change in one["changes"]:
        lines += [f"{change['what']} {change['department']}:", *indented(change["text"])]
    return lines


def _row(one: Mapping[str, Any]) -> tuple[object, ...]:
    state = one["state"]
    if state == "waiting" and one["shown_sha256"]:
        state = "waiting (an older version is shown)"
    at = str(one["answered_at"]).replace("T", " ")[:16]
    return one["inquiry_id"], state, at, sum(one["found"].values()), one["sha256"][:HASH_SHOWN], one["subject"]
