"""The passwords of Kafka's users: one file for each user in a folder, named after the user, mode 600."""

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
    """The Kafka user of a department. The prefix keeps a code from naming a service or an operator."""
    return f"{DEPARTMENT}{code}"


@dataclass(frozen=True)
class Passwords:
    """Passwords are created once and kept; `owner` is the uid and gid of new files, which only root can set."""

    folder: Path
    owner: int | None = None

    def file(self, user: str) -> Path:
        """The path of this user's password file, whether it exists or not."""
        return self.folder / user

    def known(self, user: str) -> bool:
        return self.file(user).exists()

    def of(self, user: str) -> str:
        """The user's password, created if missing; raises OSError when the folder is not writable."""
        return self.file(user).read_text("utf-8").strip() if self.known(user) else self.renew(user)

    def renew(self, user: str) -> str:
        """Create a new password for the user and write it to the user's file."""
        created = secrets.token_hex(32)
        self.write(user, created)
        return created

    def write(self, user: str, password: str) -> None:
        """Write this password to the user's file."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(self.file(user), password + "\n", mode=0o600)
        if self.owner is not None:
            os.chown(self.file(user), self.owner, self.owner)

    def create_missing(self, users: Iterable[str] = (*OPERATORS, *SERVICES)) -> list[str]:
        """Create the missing passwords of these users; returns the users that had none."""
        missing = [user for user in users if not self.known(user)]
        for user in missing:
            self.renew(user)
        return missing

    def delete(self, user: str) -> None:
        """Delete the user's password file, if it exists."""
        self.file(user).unlink(missing_ok=True)
