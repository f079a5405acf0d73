"""`chorus triage`: lists inquiries that no rule could assign or that departments returned, and assigns them."""

from typing import Annotated

import typer

from deploy.cli import desk_client
from deploy.cli.console import emit, say
from deploy.cli.tables import show_table

triage = typer.Typer(help="Inquiries that wait for manual assignment.", no_args_is_help=True)


@triage.command("list")
def list_triage() -> None:
    """List the inquiries in triage."""
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
    co: Annotated[list[str] | None, typer.Option(metavar="CODE", help="A co-handling department; repeatable.")] = None,
) -> None:
    """Assign an inquiry in triage to departments."""
    desk_client.command(inquiry, {"type": "assign", "lead": lead, "co_handlers": co or []})


@triage.command()
def withdraw(
    inquiry: Annotated[str, typer.Argument(help="The number of the inquiry.")],
    part: Annotated[str, typer.Argument(help="The part_id.")],
    why: Annotated[str, typer.Option(help="The reason, for the department's inbox.")],
) -> None:
    """Withdraw a part from its department; the joint reply is composed without it."""
    desk_client.command(inquiry, {"type": "withdraw-part", "part_id": part, "why": why})
