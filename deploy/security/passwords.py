"""The folder with a password for each of Kafka's users: a file each, named after its user, readable by its owner alone."""

import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from deploy.security.files import replace_file
from shared.contracts.sources import SERVICES

ADMIN = "admin"
BROKER = "broker"
CONTROLLER = "controller"
OPERATORS = (ADMIN, BROKER, CONTROLLER)
SUPER_USERS = ";".join(f"User:{user}" for user in OPERATORS)
DEPARTMENT = "departments."


def department_user(code: str) -> str:
    """A department's user: no code has a dot, so that none can be named like a service or an operator."""
    return f"{DEPARTMENT}{code}"


@dataclass(frozen=True)
class Passwords:
    """Passwords are made once and kept; `owner` is the user and group that new files are given to, which only root can do."""

    folder: Path
    owner: int | None = None

    def file(self, user: str) -> Path:
        """Where this user's password is, if it was made."""
        return self.folder / user

    def known(self, user: str) -> bool:
        """Whether this user has a password."""
        return self.file(user).exists()

    def of(self, user: str) -> str:
        """The user's password, made when there is none; raises OSError when the folder does not allow it."""
        return self.file(user).read_text("utf-8").strip() if self.known(user) else self.renewed(user)

    def renewed(self, user: str) -> str:
        """A new password for the user, in its file before anybody else knows it."""
        made = secrets.token_hex(32)
        self.keep(user, made)
        return made

    def keep(self, user: str, password: str) -> None:
        """Put this password into the user's file."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(self.file(user), password + "\n", mode=0o600)
        if self.owner is not None:
            os.chown(self.file(user), self.owner, self.owner)

    def made(self, users: Iterable[str] = (*OPERATORS, *SERVICES)) -> list[str]:
        """Make what is missing of these; returns whose were."""
        missing = [user for user in users if not self.known(user)]
        for user in missing:
            self.renewed(user)
        return missing

    def forget(self, user: str) -> None:
        """Remove the user's password, if there is one."""
        self.file(user).unlink(missing_ok=True)
