"""`chorus timeline`: the facts of an inquiry in order."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from deploy.cli import desk_client
from deploy.cli.console import emit
from deploy.cli.tables import show_table
from shared.contracts.ids import PART_ID

HIDDEN_FIELDS = frozenset(
    ("type", "inquiry_id", "sequence", "at", "prev", "state", "departments", "part_states", "policy_id", "received_at")
)


def timeline(inquiry: Annotated[str, typer.Argument(help="The number of the inquiry.")]) -> None:
    """Show the facts of an inquiry in order."""
    facts = in_order(desk_client.case(inquiry))
    show_facts(facts)
    emit(facts)


def in_order(case: Mapping[str, Any]) -> list[dict[str, Any]]:
    return sorted(case["timeline"], key=lambda fact: int(fact["sequence"]))


def show_facts(facts: Sequence[Mapping[str, Any]]) -> None:
    """Print one line for each fact: its number, time, type, the state after it, and its other fields."""
    show_table(
        ("#", "at (UTC)", "fact", "state", "details"),
        (
            (fact["sequence"], _moment(fact["at"]), _short(fact["type"]), fact["data"].get("state"), details(fact))
            for fact in facts
        ),
    )


def details(fact: Mapping[str, Any]) -> str:
    """The fields without a column of their own, except commitments, which are hashes. `--json` shows all fields."""
    fields = fact["data"].items()
    shown = {
        name: value
        for name, value in fields
        if name not in HIDDEN_FIELDS and (value or value is False) and not committed(value)
    }
    return ", ".join(one for one in (_phrase(name, value) for name, value in shown.items()) if one)


def _phrase(name: str, value: Any) -> str:
    if name == "round" and value == 1:
        return ""
    if name == "actor":
        return f"by {'/'.join(value.values())}"
    if name == "due":
        return f"due {str(value.get('resolve', ''))[:10]}"
    return _part(str(value)) if name == "part_id" else f"{name.replace('_', ' ')} {_short(value)}"


def committed(value: Any) -> bool:
    """Whether a field's value is a commitment, or a list of rows with commitments."""
    rows = value if isinstance(value, list) else [value]
    return any(isinstance(row, dict) and ("sha256" in row or "text" in row or "note" in row) for row in rows)


def _short(value: Any) -> str:
    if isinstance(value, list):
        return "+".join(_part(str(one)) for one in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value).removeprefix("chorus.")


def _part(one: str) -> str:
    """Shorten a part_id to its suffix, such as `p1`; return other text unchanged."""
    return one.rpartition("-")[2] if PART_ID.fullmatch(one) else one


def _moment(at: str) -> str:
    return at.replace("T", " ")[:19]
