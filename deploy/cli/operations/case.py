"""`chorus case`: lists cases, and shows one with its text, parts and timeline."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from deploy.cli import desk_client
from deploy.cli.console import emit, options, say
from deploy.cli.operations.case_filters import CaseDepartment, Due, Lead, PartState, Since, State, Until, Words
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
) -> None:
    """List cases, the message received last first. With a department, `--due` and `--part-state` concern its part."""
    texts = {"department": department, "query": query, "due": due, "lead": lead}
    more = {"part_state": part_state, "since": since, "until": until}
    given: desk_client.Query = {"state": state, **texts, **more}
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
    """Number and state, then the message, the text of each part, and a joint reply that is not released."""
    yield f"{found['inquiry_id']}  {found['state']}, round {found['round']}"
    message = found["inquiry"] or {}
    for name in ("subject", "area", "channel", "received_at", "language"):
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
    reply = found.get("reply")
    if reply and reply["state"] != "released":
        yield f"{reply['reply_id']} version {reply['version']} ({reply['state']}), SHA-256 {reply['sha256']}:"
        yield from indented(reply["text"])
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
    return one["part_id"], one["department"], one["role"], one["state"], due
