"""Whether the files that a run covers have changed since the last successful run on this machine."""

from pathlib import Path

from deploy.local.jars import cache
from tests.compose import digests
from tests.compose.file import REPOSITORY

COVERED = ("docker-compose.yml", "deploy", "tests/compose")
# Generated files, and files of an operator.
PASSED_OVER = ("__pycache__", "secrets")


def file() -> Path:
    """The file with the digest of the last successful run."""
    return cache() / "compose-test.passed"


def covered() -> str:
    """The digest of the covered files."""
    return digests.digest(REPOSITORY, list(COVERED), PASSED_OVER)


def passed() -> bool:
    """Whether a run with exactly these files has passed."""
    return file().is_file() and file().read_text("utf-8").strip() == covered()


def keep() -> None:
    """Record a successful run."""
    file().parent.mkdir(parents=True, exist_ok=True)
    file().write_text(f"{covered()}\n", "utf-8")
