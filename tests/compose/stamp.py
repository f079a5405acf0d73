"""Whether what a run covers has changed since the last run that passed on this machine."""

from pathlib import Path

from deploy.local.jars import cache
from tests.compose import digests
from tests.compose.file import REPOSITORY

COVERED = ("docker-compose.yml", "deploy", "tests/compose")
# Made by programs, or an operator's own.
PASSED_OVER = ("__pycache__", "secrets")


def file() -> Path:
    """Where the digest of the last run that passed is kept."""
    return cache() / "compose-test.passed"


def covered() -> str:
    """The digest of what a run covers."""
    return digests.digest(REPOSITORY, list(COVERED), PASSED_OVER)


def passed() -> bool:
    """Whether a run has passed with these very files."""
    return file().is_file() and file().read_text("utf-8").strip() == covered()


def keep() -> None:
    """A run has passed."""
    file().parent.mkdir(parents=True, exist_ok=True)
    file().write_text(f"{covered()}\n", "utf-8")
