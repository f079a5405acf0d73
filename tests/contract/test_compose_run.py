"""The commands of `make compose-test`, and when `.ci/run` may skip it."""

import re
from pathlib import Path

import pytest

from tests.compose import stamp
from tests.compose.file import REPOSITORY
from tests.compose.stack import OPERATIONS, first_day
from tests.compose.steps import DOWN_AND_UP, NEW_RULE, RECONCILE, SCALED, UPGRADE


def test_the_commands_are_those_of_the_operations_page() -> None:
    settings, commands = first_day()
    assert {"COMPOSE_PROFILES", "CHORUS_REPLICATION", "CHORUS_SMTP"} <= set(
        re.findall(r"^ *(\w+)=", settings, re.MULTILINE)
    )
    assert "docker compose run --rm secrets" in commands
    assert "docker compose run --rm chorus apply /city" in commands
    assert all(one.startswith("docker compose ") for one in commands)
    upgrading = OPERATIONS.partition("## Upgrading\n")[2].partition("\n## ")[0]
    assert [one for one in UPGRADE if f"`{one}`" not in upgrading] == []
    assert all(f"`{one}`" in OPERATIONS for one in (*DOWN_AND_UP, RECONCILE))
    assert all(f"`CHORUS_{one.upper()}_REPLICAS`" in OPERATIONS for one in SCALED)


def test_a_run_is_skipped_only_if_one_with_the_same_files_has_passed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(stamp, "REPOSITORY", tmp_path)
    for file in ("docker-compose.yml", "deploy/haproxy.cfg", "tests/compose/run.py"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("one")
    assert not stamp.passed()
    stamp.keep()
    assert stamp.passed()
    (tmp_path / "deploy" / "__pycache__").mkdir()
    (tmp_path / "deploy" / "__pycache__" / "made").write_text("by a program")
    assert stamp.passed()
    (tmp_path / "deploy" / "haproxy.cfg").write_text("two")
    assert not stamp.passed()


def test_the_alert_rule_of_the_upgrade_is_new() -> None:
    rules = (REPOSITORY / "deploy" / "prometheus" / "alerts.yml").read_text("utf-8")
    assert str(NEW_RULE["alert"]) not in rules
