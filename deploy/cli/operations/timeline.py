"""`chorus timeline`: the facts of one inquiry's life, in order."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from deploy.cli import desk_client
from deploy.cli.console import emit
from deploy.cli.tables import show_table
from shared.contracts.ids import PART_ID

QUIET = frozenset(
    ("type", "inquiry_id", "sequence", "at", "prev", "state", "departments", "part_states", "policy_id", "received_at")
)


def timeline(inquiry: Annotated[str, typer.Argument(help="The number of the inquiry.")]) -> None:
    """The facts of an inquiry, by their sequence."""
    facts = in_order(desk_client.case(inquiry))
    show_facts(facts)
    emit(facts)


def in_order(case: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The facts of a case by their sequence."""
    return sorted(case["timeline"], key=lambda fact: int(fact["sequence"]))


def show_facts(facts: Sequence[Mapping[str, Any]]) -> None:
    """One line a fact: its number, when, what, the state after it, and what it says."""
    show_table(
        ("#", "at (UTC)", "fact", "state", "with"),
        (
            (fact["sequence"], _moment(fact["at"]), _short(fact["type"]), fact["data"].get("state"), said(fact))
            for fact in facts
        ),
    )


def said(fact: Mapping[str, Any]) -> str:
    """What a fact says that no other column does, in the fewest words; `--json` shows all of it.

    Commitments to texts say nothing to a person.
    """
    told = {name: value for name, value in fact["data"].items() if name not in QUIET and value and not committed(value)}
    return ", ".join(one for one in (_phrase(name, value) for name, value in told.items()) if one)


def _phrase(name: str, value: Any) -> str:
    if name == "round" and value == 1:
        return ""
    if name == "actor":
        return f"by {'/'.join(value.values())}"
    if name == "due":
        return f"due {str(value.get('resolve', ''))[:10]}"
    return _part(str(value)) if name == "part_id" else f"{name.replace('_', ' ')} {_short(value)}"


def committed(value: Any) -> bool:
    """Whether a field holds commitments: one, or in each of its rows one."""
    rows = value if isinstance(value, list) else [value]
    return any(isinstance(row, dict) and ("sha256" in row or "text" in row or "note" in row) for row in rows)


def _short(value: Any) -> str:
    if isinstance(value, list):
        return "+".join(_part(str(one)) for one in value)
    return str(value).removeprefix("chorus.")


def _part(one: str) -> str:
    """A part by its last piece, `p1`: the inquiry is known; everything else as it is."""
    return one.rpartition("-")[2] if PART_ID.fullmatch(one) else one


def _moment(at: str) -> str:
    return at.replace("T", " ")[:19]
