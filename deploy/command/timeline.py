"""`chorus timeline`: the facts of one inquiry's life, in order."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from deploy.command import desk
from deploy.command.console import emit
from deploy.command.tables import show_table

QUIET = ("inquiry_id", "state", "departments")


def timeline(inquiry: Annotated[str, typer.Argument(help="The number of the inquiry.")]) -> None:
    """The facts of an inquiry, by their sequence."""
    facts = in_order(desk.case(inquiry))
    show_facts(facts)
    emit(facts)


def in_order(case: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The facts of a case by their sequence."""
    return sorted(case["timeline"], key=lambda fact: int(fact["sequence"]))


def show_facts(facts: Sequence[Mapping[str, Any]]) -> None:
    """One line a fact: its number, when, what, the state after it, and what it says."""
    show_table(
        ("#", "at", "fact", "state", "with"),
        (
            (fact["sequence"], fact["at"], fact["type"].removeprefix("chorus."), fact["data"].get("state"), said(fact))
            for fact in facts
        ),
    )


def said(fact: Mapping[str, Any]) -> str:
    """The fields of a fact that are not on every one."""
    return ", ".join(f"{name} {_short(value)}" for name, value in fact["data"].items() if name not in QUIET and value)


def _short(value: Any) -> str:
    if isinstance(value, list):
        return "+".join(map(str, value))
    if isinstance(value, dict):
        return " ".join(f"{name}={one}" for name, one in value.items())
    return str(value).removeprefix("chorus.")
