"""`chorus case`: lists cases, and shows one with its text, parts and timeline."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer

from deploy.cli import desk_client
from deploy.cli.console import emit, options, say
from deploy.cli.operations.case_filters import (
    CaseDepartment,
    Due,
    Lead,
    Open,
    PartState,
    Reported,
    Since,
    State,
    Until,
    Words,
)
from deploy.cli.operations.timeline import in_order, show_facts
from deploy.cli.tables import show_table

RETURNED = "chorus.part.returned"

case = typer.Typer(help="Cases: the messages of residents with everything that happened to them.", no_args_is_help=True)


@case.command("list")
def list_cases(
    state: State = None,
    department: CaseDepartment = None,
    query: Words = None,
    due: Due = None,
    lead: Lead = None,
    part_state: PartState = None,
    since: Since = None,
    until: Until = None,
    open_: Open = False,
    reported: Reported = False,
) -> None:
    """List cases, the message received last first. With a department, `--due` and `--part-state` concern its part."""
    texts = {"department": department, "query": query, "due": due, "lead": lead}
    more = {"part_state": part_state, "since": since, "until": until}
    flags = {"open": "true" if open_ else None, "reported": "true" if reported else None}
    given: desk_client.Query = {"state": state, **texts, **more, **flags}
    found = list(desk_client.cases(given))
    if found:
        columns = ("inquiry", "state", "received (UTC)", "due (UTC)", "area", "departments", "subject")
        show_table(columns, map(_row, found))
    say(f"{len(found)} case{'' if len(found) == 1 else 's'}.")
    emit(found)


@case.command()
def show(inquiry: Annotated[str, typer.Argument(help="The number of the inquiry.")]) -> None:
    """Show a case with its text, parts and timeline. It contains the resident's personal data."""
    found = desk_client.case(inquiry)
    if not options.as_json:
        say(*lines(found))
        if found["parts"]:
            show_table(("part", "department", "role", "state", "due (UTC)"), map(_part, found["parts"]))
        show_facts(in_order(found))
    emit(found)


def lines(found: Mapping[str, Any]) -> Iterator[str]:
    """Number and state, then the message, the text of each part, and replies that are not released."""
    yield f"{found['inquiry_id']}  {found['state']}, round {found['round']}"
    if found.get("links"):
        yield f"  {'linked to':12} {', '.join(found['links'])}"
    if erasure := found.get("erasure"):
        yield f"  {'erased at':12} {erasure['erased_at']}; copies may exist until {erasure['backups_until']}"
    message = found["inquiry"] or {}
    for name in ("subject", "area", "channel", "entered_by", "received_at", "language"):
        if message.get(name):
            yield f"  {name.replace('_', ' '):12} {message[name]}"
    contact = [str(one) for one in (message.get("contact") or {}).values() if one]
    if contact:
        secret = " (confidential: do not pass it on)" if message.get("confidential") else ""
        yield f"  {'contact':12} {', '.join(contact)}{secret}"
    if message:
        yield f"  {'in the hall':12} {'yes' if message.get('public') and not message.get('confidential') else 'no'}"
    yield from indented(message.get("body") or "(no text: not registered yet, or erased)")
    for part in found["parts"]:
        if part["text"]:
            yield f"{part['part_id']} {part['department']} ({part['state']}) writes:"
            yield from indented(part["text"])
    for reply in filter(None, (found.get("reply"), *found.get("addenda", ()))):
        if reply["state"] == "released":
            continue
        yield f"{reply['reply_id']} version {reply['version']} ({reply['state']}), SHA-256 {reply['sha256']}:"
        yield from indented(reply["text"])
    yield from _changes(found.get("released") or {})
    yield from _audit(found.get("audit") or ())
    for one in found.get("rounds", ()):
        if rating := one["rating"]:
            solved = "solved" if rating["solved"] else "not solved"
            yield f"the resident rates round {one['round']}: {solved}, satisfied: {rating['satisfied']}, and writes:"
            yield from indented(rating["words"] or "(nothing)")
    for decision in found["decisions"]:
        for index, fact in enumerate(decision["facts"]):
            if fact["type"] == RETURNED:
                reason = decision["words"].get(f"{index}/reason") or fact["reason"]
                yield f"{fact['part_id']} {fact['department']} returned it ({reason}) and writes:"
                yield from indented(decision["words"].get(f"{index}/words") or "(nothing)")
    for part in found["parts"] if not found["decisions"] else ():
        # A user of a department gets no decisions, and reads here why others returned the inquiry before.
        for back in part.get("returned", ()):
            yield f"{back['department']} returned it ({back['reason']}) before {part['part_id']}, and writes:"
            yield from indented(back["words"] or "(nothing)")


def _changes(released: Mapping[str, Any]) -> Iterator[str]:
    """The corrections and retractions of the released reply."""
    for one in released.get("changes", ()):
        said = "before it was corrected" if one["what"] == "corrected" else "the reason why it was retracted"
        yield f"{one['part_id']} {one['department']}, {said} on {one['at'].replace('T', ' ')[:16]}:"
        yield from indented(one["text"])


def _audit(trail: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Who did what to which exact text, one line each."""
    if trail:
        yield "Replies and the hall, who and which text:"
    for one in trail:
        actor = one["actor"].get("role") or one["actor"]["kind"]
        who = f"{actor} {one['user']}" if one["user"] is not None else actor
        name = f" ({one['by']})" if one["by"] else ""
        version = f" version {one['version']}" if one["version"] is not None else ""
        text = f" SHA-256 {one['sha256']}" if one["sha256"] else ""
        words = f": {one['words']}" if one["words"] else ""
        yield f"  {one['at'].replace('T', ' ')[:19]}  {one['type']}{version}  {who}{name}{text}{words}"


def indented(text: str) -> Iterator[str]:
    yield ""
    yield from (f"    {line}" for line in text.replace("\r\n", "\n").split("\n"))
    yield ""


def _row(one: Mapping[str, Any]) -> tuple[object, ...]:
    times = minute(one.get("received_at")), minute(one.get("due_at"))
    about = one.get("area"), one.get("departments"), one.get("subject")
    return one["inquiry_id"], one.get("state"), *times, *about


def minute(time: object) -> str:
    """A time as tables show it; empty for null."""
    return str(time or "").replace("T", " ")[:16]


def _part(one: Mapping[str, Any]) -> tuple[object, ...]:
    due = ", ".join(f"{clock.replace('_', ' ')} {minute(at)}" for clock, at in one["due"].items())
    state = f"{one['state']}, omitted" if one.get("omitted") else one["state"]
    return one["part_id"], one["department"], one["role"], state, due
