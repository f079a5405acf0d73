"""Finds Docker Compose: the plugin of the Docker client, a standalone program, or the one from `make compose-tool`."""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from deploy.local.jars import cache

LEAST = (2, 24)
# `docker compose` finds plugins in this folder if DOCKER_CONFIG is its parent.
KEPT = Path("client") / "cli-plugins" / "docker-compose"


def kept() -> Path:
    """The path of the Compose that `make compose-tool` unpacks."""
    return cache() / KEPT


def found() -> list[str] | None:
    """The command for a recent enough Compose."""
    candidates = (["docker", "compose"], ["docker-compose"], [str(kept())])
    return next((one for one in candidates if (version(one) or (0,)) >= LEAST), None)


def version(command: list[str], env: Mapping[str, str] = os.environ) -> tuple[int, ...] | None:
    """Its version, like (2, 26, 1); None if it cannot run."""
    try:
        told = subprocess.run(
            [*command, "version", "--short"], env=dict(env), capture_output=True, text=True, timeout=30, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    numbers = re.match(r"v?(\d+)\.(\d+)\.(\d+)", told.strip())
    return tuple(map(int, numbers.groups())) if numbers else None


def missing() -> str:
    """The message when no Compose is found."""
    least = ".".join(map(str, LEAST))
    return (
        f"Docker Compose {least} or newer is not installed: install it, or on Debian and Ubuntu run `make compose-tool`"
    )


def environment() -> dict[str, str]:
    """The environment in which the Docker client finds Compose."""
    lacking = (version(["docker", "compose"]) or (0,)) < LEAST
    return {**os.environ, "DOCKER_CONFIG": str(kept().parents[1])} if lacking and kept().is_file() else dict(os.environ)
