"""`chorus case worklist`: the open parts of a department, the one that is due next first."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from deploy.cli import desk_client
from deploy.cli.console import emit, say, stack
from deploy.cli.operations.case import minute
from deploy.cli.tables import show_table


def worklist(
    department: Annotated[
        str | None, typer.Option(metavar="CODE", help="The department; without it, the one of your user.")
    ] = None,
    mark: Annotated[
        str | None,
        typer.Option(
            metavar="MARK",
            help="Only parts with this mark: overdue, due-soon, drafted, sent-back, changed or returned.",
        ),
    ] = None,
) -> None:
    """List the open parts of a department, the one that is due next first."""
    query: desk_client.Query = {"department": department, "mark": mark}
    found = list(desk_client.pages(f"{stack().urls.router}/worklist", "parts", query))
    if found:
        show_table(("part", "due (UTC)", "role", "state", "marks", "area", "subject"), map(_row, found))
    overdue = sum("overdue" in one["marks"] for one in found)
    say(f"{len(found)} open part{'' if len(found) == 1 else 's'}, {overdue} overdue.")
    emit(found)


def _row(one: Mapping[str, Any]) -> tuple[object, ...]:
    about = one["role"], one["state"], one["marks"], one["area"], one["subject"]
    return one["part_id"], minute(one["next_due"]), *about
