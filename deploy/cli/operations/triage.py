"""`chorus triage`: lists inquiries that no rule could assign or that departments returned, and assigns them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer

from deploy.cli import desk_client
from deploy.cli.console import emit, say, stack
from deploy.cli.person import By, person
from deploy.cli.tables import show_table

WORDS_SHOWN = 200

triage = typer.Typer(help="Inquiries that wait for manual assignment.", no_args_is_help=True)


@triage.command("list")
def list_triage() -> None:
    """List the inquiries in triage, oldest first: why each one waits, and what the department says."""
    found = list(desk_client.pages(f"{stack().urls.router}/triage", "inquiries", {}))
    if found:
        show_table(
            ("inquiry", "age", "area", "subject", "waits because", "the department says", "suggests"), _rows(found)
        )
    say(f"{len(found)} in triage." + (" Assign with `chorus triage assign INQUIRY --lead CODE`." if found else ""))
    emit(found)


def _rows(found: Sequence[Mapping[str, Any]]) -> Iterator[Sequence[object]]:
    """A line for each inquiry, and one more for each further part that waits."""
    for one in found:
        first: tuple[object, ...] = (one["inquiry_id"], age(one["age_s"]), one["area"], one["subject"])
        for reason in one["reasons"] or [{}]:
            yield *first, why(reason), _short(reason.get("words")), reason.get("suggest")
            first = ("", "", "", "")


def _short(words: str | None) -> str | None:
    """The beginning of long words; `chorus case show` and `--json` have all of them."""
    return f"{words[:WORDS_SHOWN]}…" if words and len(words) > WORDS_SHOWN else words


def why(reason: Mapping[str, Any]) -> str:
    """Why an inquiry or a part waits, in words."""
    part, department = str(reason.get("part_id") or "").rpartition("-")[2], reason.get("department")
    by = f", by {reason['by']}" if reason.get("by") else ""
    match reason.get("reason"):
        case "no-rule":
            return "no rule matched"
        case "unknown-department":
            return f"the resident chose {', '.join(reason.get('named') or ())}, not all of them active departments"
        case "returned":
            return f"{part} returned by {department}: {reason.get('returned_for')}{by}"
        case "arbitration":
            until = f", until {reason['until']}" if reason.get("until") else ""
            return f"arbitration: {part} returned by {department}: {reason.get('returned_for')}{by}{until}"
        case "department-retired":
            return (
                f"{part} taken back: {department} is retired{by}" if department else "reopened: a department is retired"
            )
        case "no-department":
            return f"{part} withdrawn from {department}, the last department{by}"
        case "reopened":
            return "reopened for the last time: choose who leads now, or close it"
        case other:
            return f"{other or ''}"


def age(seconds: int) -> str:
    """An age in the largest unit that leaves two figures or more, such as `90 min`, `26 h` or `3 d`."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


@triage.command()
def assign(
    inquiry: Annotated[str, typer.Argument(help="The number of the inquiry.")],
    lead: Annotated[str, typer.Option(metavar="CODE", help="The department that leads.")],
    co: Annotated[list[str] | None, typer.Option(metavar="CODE", help="A co-handling department; repeatable.")] = None,
    by: By = None,
) -> None:
    """Assign an inquiry in triage to departments."""
    desk_client.command(inquiry, {"type": "assign", "lead": lead, "co_handlers": co or [], "by": person(by)})


@triage.command()
def withdraw(
    inquiry: Annotated[str, typer.Argument(help="The number of the inquiry.")],
    part: Annotated[str, typer.Argument(help="The part_id.")],
    why: Annotated[str, typer.Option("--why", help="The reason, for the department's inbox.")],
    by: By = None,
) -> None:
    """Withdraw a part from its department; the joint reply is composed without it."""
    desk_client.command(inquiry, {"type": "withdraw-part", "part_id": part, "why": why, "by": person(by)})
