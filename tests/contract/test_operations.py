"""The documents for operators and departments name only existing commands, options, containers and secrets."""

import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from deploy.cli.cluster.secrets import FILES, SECRETS, WITH_PROVISION
from deploy.cli.main import _command
from tests.compose.file import CONTAINERS, REPOSITORY

PAGES = ("README.md", "docs/operations.md", "docs/departments.md")
OPERATIONS = (REPOSITORY / "docs" / "operations.md").read_text("utf-8")
# Subcommands of `docker compose` that take service names, and its options that take a value.
NAMING = {"build", "exec", "logs", "restart", "run", "start", "stop", "up"}
TAKES_A_WORD = {"-e", "--tail"}
CHORUS = _command()


def written(page: str) -> Iterator[list[str]]:
    """Every command of a page, in code blocks and inline code, split into words."""
    text = (REPOSITORY / page).read_text("utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    for one in (*lines, *inline):
        for part in re.split(r"&&|;|\||<|\$\(", one):
            try:
                yield shlex.split(part, comments=True)
            except ValueError:  # the split above has cut a quotation
                continue


def of_chorus(page: str) -> list[list[str]]:
    """The arguments of every `chorus` command, run directly or with docker compose."""
    found = []
    for words in written(page):
        plain = [word for word in words if not re.fullmatch(r"[A-Z_]+=.*", word)]
        if plain[:4] == ["docker", "compose", "run", "--rm"] and plain[4:]:
            found.append(plain[5:] if plain[4] == "chorus" else [plain[4], *plain[5:]])
        elif plain and re.fullmatch(r"(.*/)?chorus", plain[0]) and plain[1:]:
            found.append(plain[1:])
    return found


def unknown(words: list[str]) -> str | None:
    """The first argument that the command does not know."""
    command: Any = CHORUS
    rest = list(words)
    while hasattr(command, "commands"):
        # `inbox CODE follow`: a group may have arguments of its own.
        del rest[: sum(one.param_type_name == "argument" for one in command.params)]
        if not rest or rest[0] == "…" or rest[0] in {name for one in command.params for name in one.opts}:
            return None
        if rest[0] not in command.commands:
            return rest[0]
        command = command.commands[rest.pop(0)]
    options = {name for parameter in command.params for name in parameter.opts}
    return next((word for word in rest if word.startswith("--") and word.split("=")[0] not in options), None)


@pytest.mark.parametrize("page", PAGES)
def test_every_documented_command_and_option_exists(page: str) -> None:
    commands = of_chorus(page)
    assert len(commands) > 5
    assert [(words, unknown(words)) for words in commands if unknown(words)] == []


def test_an_unknown_command_or_option_is_detected() -> None:
    assert unknown(["department", "dismiss", "parks"]) == "dismiss"
    assert unknown(["department", "retire", "parks", "--because", "x"]) == "--because"
    assert unknown(["departments"]) == "departments"
    assert (unknown(["--version"]), unknown(["--edition"])) == (None, "--edition")
    assert unknown(["department", "retire", "parks", "--reason", "x", "--json"]) is None


def test_every_documented_container_exists() -> None:
    named = set()
    for words in written("docs/operations.md"):
        if words[:2] != ["docker", "compose"] or words[2:3] == [] or words[2] not in NAMING:
            continue
        rest = [word for before, word in pairwise(words[2:]) if before not in TAKES_A_WORD]
        parts = [word for word in rest if not word.startswith("-")]
        named |= set(parts[:1] if words[2] in ("exec", "run") else parts)
    assert {"mongo-1", "kafka", "secrets", "chorus", "intake"} <= named
    assert named - {"SERVICE"} <= CONTAINERS.keys()


def test_the_rotation_of_every_secret_is_documented() -> None:
    section = OPERATIONS.partition("## Rotating a secret")[2].partition("\n## ")[0]
    here = set(re.findall(r"secrets --rotate ([\w./-]+)", section)) | set(
        re.findall(r" --rotate (kafka/[\w]+)", section)
    )
    services = {name for name in SECRETS if name.startswith("mongo/")} - {
        "mongo/admin",
        "mongo/keyfile",
        "mongo/intake",
    }
    # One service is documented for all four; Grafana stores its password itself.
    assert here == SECRETS.keys() - WITH_PROVISION - services - {"grafana-password"}
    assert set(re.findall(r"provision --rotate ([\w.-]+)", section)) == {"departments.parks", "intake", "admin"}
    files = set(re.findall(r"`deploy/secrets/([\w./-]+\w)`", OPERATIONS))
    assert files - {"kafka/departments.parks"} <= set(FILES)
