"""`chorus login` and `chorus logout`: which user the commands after them act as."""

import getpass
import sys
from pathlib import Path
from typing import Any

from deploy.cli.console import FAILED, USAGE, Failure, ask, emit, login_file, say, sendable, stack
from deploy.security.files import replace_file


def login() -> None:
    """Ask for your token, check it at the desk and store it: all commands then act as you.

    $CHORUS_TOKEN_FILE has precedence. The token is read from standard input and not shown.
    """
    token = _asked()
    headers = {"Authorization": f"Bearer {token}"}
    account: dict[str, Any] = ask("GET", f"{stack().urls.router}/me", headers=headers).json()
    file = login_file()
    _store(file, token)
    department = f" of {account['department']}" if account["department"] else ""
    say(f"Logged in as {account['user']} ({account['role']}{department}); the token is in {file}.")
    emit({"user": account["user"], "role": account["role"], "department": account["department"], "file": str(file)})


def logout() -> None:
    """Forget the token that `chorus login` stored. The token itself still works: an operator can revoke it."""
    file = login_file()
    was_there = file.exists()
    file.unlink(missing_ok=True)
    say(f"Removed {file}." if was_there else "You were not logged in.")
    emit({"removed": was_there, "file": str(file)})


def _asked() -> str:
    token = (getpass.getpass("Token: ") if sys.stdin.isatty() else sys.stdin.readline()).strip()
    if not sendable(token):
        raise Failure(USAGE, "No token was given: paste the one that `chorus user add` printed for you.")
    return token


def _store(file: Path, token: str) -> None:
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(file, token + "\n", mode=0o600)
    except OSError as error:
        raise Failure(FAILED, f"Cannot write the token to {str(file)!r}: {error.strerror}.") from error
