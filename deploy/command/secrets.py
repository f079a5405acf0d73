"""`chorus secrets`: the files from which the containers read what nobody else may know."""

import os
import secrets as randomness
from pathlib import Path
from typing import Annotated

import typer

from deploy.command.console import FAILED, USAGE, Failure, emit, say
from deploy.local.stackfile import replace

FOLDER = Path("deploy/secrets")
# What each is for, and what follows from its rotation.
SECRETS = {
    "query-code": ("residents' query codes are made from it", "no code that was given out before works any more"),
    "operator-token": ("the bearer token of desk and imports", "the old token works until the services are restarted"),
    "grafana-password": (
        "the first password of Grafana's admin",
        "a Grafana that was started before keeps the old one",
    ),
}


def secrets(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where the files go.")] = FOLDER,
    rotate: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help=f"Make this one anew: {', '.join(SECRETS)}.")
    ] = None,
    owner: Annotated[
        int | None, typer.Option(metavar="UID", help="The user the containers run as; only root can give files away.")
    ] = None,
) -> None:
    """Make the secrets that are missing, each in a file that its owner alone can read; never show one."""
    asked = set(rotate or ())
    if unknown := sorted(asked - SECRETS.keys()):
        raise Failure(USAGE, f"There is no secret {unknown[0]!r}: name one of {', '.join(SECRETS)}.")
    missing = {name for name in SECRETS if not (folder / name).exists()}
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in missing | asked:
            _write(folder / name, owner)
    except OSError as error:
        raise Failure(FAILED, f"{error.filename!r} cannot be written: {error.strerror}.") from error
    rotated = asked - missing
    for name, (purpose, consequence) in SECRETS.items():
        was = (
            "made"
            if name in missing
            else f"made anew: {consequence}"
            if name in rotated
            else "was there, left as it is"
        )
        say(f"{folder / name} ({purpose}): {was}")
    emit(
        {
            "folder": str(folder.absolute()),
            "made": sorted(missing),
            "rotated": sorted(rotated),
            "existing": sorted(SECRETS.keys() - missing - rotated),
        }
    )


def _write(file: Path, owner: int | None) -> None:
    replace(file, randomness.token_hex(32) + "\n", mode=0o600)
    if owner is not None:
        os.chown(file, owner, owner)
