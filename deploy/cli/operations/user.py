"""`chorus user`: staff users of the desk and their tokens."""

from typing import Annotated, Any
from urllib.parse import quote

import typer

from deploy.cli.console import ask, emit, say, stack
from deploy.cli.tables import show_table

user = typer.Typer(help="Staff users of the desk and their tokens.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The name of the user, for example li.wei.")]


@user.command()
def add(
    name: Name,
    role: Annotated[
        str,
        typer.Option(metavar="ROLE", help="clerk, coordinator, approver, supervisor, auditor or operator."),
    ],
    department: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="The department of a clerk, who needs one, or of an approver."),
    ] = None,
) -> None:
    """Add a user and print their token, which is shown only now."""
    body = {"name": name, "role": role, "department": department}
    made = ask("POST", _url(), operator=True, json=body).json()
    say(f"Added {made['user']} ({made['role']}{_of(made)}). The token, which is shown only now:", made["token"])
    emit(made)


@user.command("list")
def list_users() -> None:
    """List all users with their tokens."""
    found: list[dict[str, Any]] = ask("GET", _url(), operator=True).json()["users"]
    columns = ("user", "number", "role", "department", "", "token", "created (UTC)", "last used (UTC)", "")
    show_table(columns, (row for one in found for row in _rows(one)))
    emit(found)


@user.command()
def disable(name: Name) -> None:
    """Disable a user: none of their tokens works any longer. Safe to repeat."""
    done = ask("POST", _url(name, "disable"), operator=True).json()
    say(f"Disabled {done['user']}.")
    emit(done)


@user.command()
def token(name: Name) -> None:
    """Make one more token for a user and print it; it is shown only now."""
    made = ask("POST", _url(name, "tokens"), operator=True).json()
    say(f"A new token of {made['user']}, which is shown only now:", made["token"])
    emit(made)


@user.command()
def revoke(
    name: Name, token_id: Annotated[str, typer.Argument(metavar="TOKEN_ID", help="The id that `list` shows.")]
) -> None:
    """Revoke a token of a user. Safe to repeat."""
    done = ask("DELETE", _url(name, "tokens", token_id), operator=True).json()
    say(f"Revoked the token {token_id} of {done['user']}.")
    emit(done)


def _url(*path: str) -> str:
    return "/".join((f"{stack().urls.router}/users", *(quote(one, safe="") for one in path)))


def _of(one: dict[str, Any]) -> str:
    return f" of {one['department']}" if one["department"] else ""


def _rows(one: dict[str, Any]) -> list[tuple[object, ...]]:
    """One row for each token; the first also shows the user."""
    about = (one["user"], one["number"], one["role"], one["department"], "disabled" if one["disabled"] else None)
    tokens = [
        (each["token_id"], _moment(each["created_at"]), _moment(each["last_used_at"]), _token_state(each))
        for each in one["tokens"]
    ]
    first, *others = tokens or [(None, None, None, None)]
    return [(*about, *first), *((*(None,) * len(about), *each) for each in others)]


def _token_state(token_: dict[str, Any]) -> str | None:
    return "revoked" if token_["revoked_at"] else "from the token file" if token_["from_file"] else None


def _moment(at: str | None) -> str | None:
    return at and at.replace("T", " ")[:19]
