"""`chorus department`: who is in the directory, and one more."""

from typing import Annotated, Any

import typer

from deploy.command.console import USAGE, Failure, ask, emit, say, stack
from deploy.command.tables import show_table
from shared.ids import DEPARTMENT_CODE

department = typer.Typer(help="The city's departments.", no_args_is_help=True)


@department.command("list")
def list_departments() -> None:
    """Every department, retired ones included."""
    found = _directory()
    show_table(
        ("code", "中文", "English", "kind", "parent", "e-mail", ""),
        (
            (one["code"], one["name"]["zh"], one["name"]["en"], one["kind"], one["parent"], one["email"], _state(one))
            for one in found
        ),
    )
    emit(found)


@department.command()
def add(
    code: Annotated[str, typer.Argument(help="Like water-supply.")],
    name_zh: Annotated[str, typer.Option(help="Its name in Chinese.")],
    name_en: Annotated[str, typer.Option(help="Its name in English.")],
    parent: Annotated[str | None, typer.Option(metavar="CODE", help="The department above it.")] = None,
    email: Annotated[str | None, typer.Option(help="Where it is told of new parts.")] = None,
) -> None:
    """Add a department while everything runs; one that is there is updated."""
    if not DEPARTMENT_CODE.fullmatch(code):
        raise Failure(USAGE, f"{code!r} is no department code: write 2 to 31 of a-z, 0-9 and -, a letter first.")
    before = next((one for one in _directory() if one["code"] == code), {})
    kept = {name: before[name] for name in ("kind", "areas", "parent", "email") if before.get(name)}
    given = {"parent": parent, "email": email}
    body: dict[str, Any] = kept | {name: value for name, value in given.items() if value is not None}
    body["name"] = {"zh": name_zh, "en": name_en}
    revised = ask("PUT", f"{stack().urls.router}/departments/{code}", operator=True, json=body).json()
    say(f"{code} is {'updated' if before else 'in the directory'}, revision {revised['revision']}.")
    if not before:
        say(
            f"It reads departments.{code}.inbox and writes departments.{code}.outbox: try `chorus inbox {code} follow`."
        )
    emit({"code": code, "added": not before} | revised)


def _directory() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask("GET", f"{stack().urls.router}/departments", operator=True).json()
    return found


def _state(one: dict[str, Any]) -> str:
    return "retired" if one.get("retired") else ""
