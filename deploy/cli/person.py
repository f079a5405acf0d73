"""Who acts: the name that a command stamps on what it sends, `--by` or the login name of the operating system."""

import getpass
from typing import Annotated

import typer

from deploy.failure import USAGE, Failure
from shared.contracts.fields import is_blank

NAME_MAX = 100

By = Annotated[str | None, typer.Option("--by", metavar="NAME", help="Your name (default: your login name).")]


def person(by: str | None) -> str:
    """The given name, else the login name. Raises Failure 2 for a name that is blank or too long."""
    if by is None:
        return login_name()[:NAME_MAX]
    if is_blank(by):
        raise Failure(USAGE, "--by is blank: write your name, or leave it out.")
    if len(by) > NAME_MAX:
        raise Failure(USAGE, f"--by has {len(by)} characters: write at most {NAME_MAX}.")
    return by


def login_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "operator"
