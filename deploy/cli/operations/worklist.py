"""`chorus case worklist`: the open parts of a department, or what waits for the decision of the user."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from deploy.cli import desk_client
from deploy.cli.console import USAGE, Failure, ask, emit, say, stack
from deploy.cli.operations.case import minute
from deploy.cli.tables import show_table

DECIDE = {
    "extension": "extend",
    "arbitration": "arbitrate",
    "release": "approve",
    "publication": "publish",
}
"""The command that decides about each kind."""


def worklist(
    department: Annotated[
        str | None, typer.Option(metavar="CODE", help="A department; for a clerk, the one of your user.")
    ] = None,
    mark: Annotated[
        str | None,
        typer.Option(
            metavar="MARK",
            help="Only parts with this mark: overdue, due-soon, drafted, sent-back, changed or returned.",
        ),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            metavar="KIND", help="Only what waits of this kind: extension, arbitration, release or publication."
        ),
    ] = None,
) -> None:
    """List the open parts of a department, the one that is due next first; or, without one, what waits for your decision."""
    if kind is not None and (department is not None or mark is not None):
        raise Failure(USAGE, "--kind is about what waits for your decision: leave out --department and --mark.")
    url = f"{stack().urls.router}/worklist"
    if kind is None:
        given = {"department": department, "mark": mark}
        query = {name: value for name, value in given.items() if value is not None}
        first = ask("GET", url, operator=True, params=query).json()
        if "parts" in first:
            _show_parts(list(desk_client.pages(url, "parts", given)))
            return
        lists = first["lists"]
    else:
        lists = [{"kind": kind, "cases": _all_of(url, kind), "next": None}]
    for one in lists:
        _show_list(one)
    emit(lists)


def _all_of(url: str, kind: str) -> list[dict[str, Any]]:
    """The cases of all pages of one list."""
    found: list[dict[str, Any]] = []
    query = {"kind": kind}
    while True:
        [page] = ask("GET", url, operator=True, params=query).json()["lists"]
        found += page["cases"]
        if page["next"] is None:
            return found
        query = {"kind": kind, "after": page["next"]}


def _show_list(one: Mapping[str, Any]) -> None:
    cases, kind = one["cases"], one["kind"]
    if cases:
        show_table(
            (kind, "received (UTC)", "until (UTC)", "parts", "approvals", "lead", "subject"), map(_waiting, cases)
        )
    more = f" or more; `chorus case worklist --kind {kind}` lists all" if one["next"] else ""
    say(f"{kind}: {len(cases)} waiting{more}." + (f" Decide with `{DECIDE[kind]}`." if cases else ""))


def _waiting(one: Mapping[str, Any]) -> tuple[object, ...]:
    approvals = f"{one['approvals']} of {one['approvers']}" if one["approvers"] is not None else ""
    times = minute(one["received_at"]), minute(one["until"])
    return one["inquiry_id"], *times, ", ".join(one["part_ids"]), approvals, one["lead"], one["subject"]


def _show_parts(found: list[dict[str, Any]]) -> None:
    if found:
        show_table(("part", "due (UTC)", "role", "state", "marks", "area", "subject"), map(_row, found))
    overdue = sum("overdue" in one["marks"] for one in found)
    say(f"{len(found)} open part{'' if len(found) == 1 else 's'}, {overdue} overdue.")
    emit(found)


def _row(one: Mapping[str, Any]) -> tuple[object, ...]:
    about = one["role"], one["state"], one["marks"], one["area"], one["subject"]
    return one["part_id"], minute(one["next_due"]), *about
