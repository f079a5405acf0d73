"""`chorus triage`: what no rule could assign, and what came back, is given to departments by hand."""

from typing import Annotated

import typer

from deploy.cli import desk_client
from deploy.cli.console import emit, say
from deploy.cli.tables import show_table

triage = typer.Typer(help="Inquiries that wait for a person to assign them.", no_args_is_help=True)


@triage.command("list")
def list_triage() -> None:
    """Every inquiry in triage."""
    found = list(desk_client.cases("triage"))
    if found:
        show_table(
            ("inquiry", "received", "subject", "handled by"),
            ((one["inquiry_id"], one.get("received_at"), one.get("subject"), one.get("departments")) for one in found),
        )
    say(f"{len(found)} in triage." + (" Assign with `chorus triage assign INQUIRY --lead CODE`." if found else ""))
    emit(found)


@triage.command()
def assign(
    inquiry: Annotated[str, typer.Argument(help="The number of the inquiry.")],
    lead: Annotated[str, typer.Option(metavar="CODE", help="The department that leads.")],
    co: Annotated[list[str] | None, typer.Option(metavar="CODE", help="A department that handles it too.")] = None,
) -> None:
    """Give an inquiry, or what came back of it, to departments."""
    desk_client.command(inquiry, {"type": "assign", "lead": lead, "co_handlers": co or []})


@triage.command()
def withdraw(
    inquiry: Annotated[str, typer.Argument(help="The number of the inquiry.")],
    part: Annotated[str, typer.Argument(help="The part that nobody shall answer any more.")],
    why: Annotated[str, typer.Option(help="The reason, for the record.")],
) -> None:
    """Take a part away from its department; the others' answer then stands without it."""
    desk_client.command(inquiry, {"type": "withdraw-part", "part_id": part, "why": why})
