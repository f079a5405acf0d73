"""docker-compose.yml checked by Docker Compose itself, without an engine; and the digests of mounted files."""

import os
import shutil
import subprocess
from itertools import product
from pathlib import Path

import pytest
import yaml

from tests.compose import digests, tool
from tests.compose.file import COMPOSE, CONTAINERS, GIVEN, REPOSITORY, TEXT

PROFILES = [",".join(filter(None, one)) for one in product(("single", "three"), ("", "monitoring"), ("", "command"))]


@pytest.fixture(scope="module")
def compose() -> list[str]:
    """The command for Docker Compose. Without Compose the tests are skipped; in CI they fail."""
    found = tool.found()
    if found is None and os.environ.get("CI"):
        pytest.fail(tool.missing())
    return found or pytest.skip(tool.missing())


def refused(compose: list[str], text: str, profiles: str, folder: Path) -> str:
    """The error output of `docker compose config`; empty if the file is valid."""
    (folder / "docker-compose.yml").write_text(text)
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "COMPOSE_PROFILES": profiles, **GIVEN}
    command = [
        *compose,
        "--project-directory",
        str(REPOSITORY),
        "-f",
        str(folder / "docker-compose.yml"),
        "config",
        "-q",
    ]
    done = subprocess.run(command, env=tool.environment() | env, capture_output=True, text=True, check=False)
    return done.stderr.strip() or ("" if done.returncode == 0 else f"status {done.returncode}")


@pytest.mark.parametrize("profiles", PROFILES)
def test_compose_accepts_the_file_with_every_profile(compose: list[str], profiles: str, tmp_path: Path) -> None:
    assert refused(compose, TEXT, profiles, tmp_path) == ""


def test_compose_detects_errors_that_the_schema_does_not(compose: list[str], tmp_path: Path) -> None:
    mistaken = COMPOSE | {"services": CONTAINERS | {"haproxy": CONTAINERS["haproxy"] | {"pids_limit": 9}}}
    assert "distinct values" in refused(compose, yaml.safe_dump(mistaken), "single", tmp_path)


def test_the_label_is_the_digest_of_the_mounted_files() -> None:
    wanted = digests.wanted(REPOSITORY)
    assert wanted.keys() >= {"kafka", "kafka-1", "haproxy", "prometheus", "alertmanager", "grafana"}
    labels = {part: CONTAINERS[part].get("labels", {}).get(digests.LABEL) for part in CONTAINERS}
    assert {part: label for part, label in labels.items() if label} == wanted, "run `make compose-labels`"


@pytest.mark.parametrize(
    ("file", "parts"),
    [
        ("haproxy/haproxy.cfg", ["haproxy"]),
        ("kafka/broker.sh", ["kafka", "kafka-1", "kafka-2", "kafka-3"]),
        ("kafka/log4j2.xml", ["kafka", "kafka-1", "kafka-2", "kafka-3"]),
        ("prometheus/alerts.yml", ["prometheus"]),
        ("prometheus/more.yml", ["prometheus"]),
        ("alertmanager/alertmanager.yml", ["alertmanager"]),
        ("grafana/provisioning/datasources/prometheus.yml", ["grafana"]),
        ("grafana/dashboards/chorus.json", ["grafana"]),
    ],
)
def test_a_changed_file_changes_the_label_of_every_container_that_mounts_it(
    compose: list[str], file: str, parts: list[str], tmp_path: Path
) -> None:
    shutil.copytree(REPOSITORY / "deploy", tmp_path / "deploy", ignore=shutil.ignore_patterns("secrets", "__pycache__"))
    shutil.copy(REPOSITORY / "docker-compose.yml", tmp_path)
    before = hashes(compose, tmp_path)
    with (tmp_path / "deploy" / file).open("a") as changed:
        changed.write("\n")
    # Without the label Compose does not notice the change.
    assert hashes(compose, tmp_path) == before
    assert digests.write(tmp_path) == parts
    after = hashes(compose, tmp_path)
    assert [part for part, found in after.items() if found != before[part]] == parts
    assert digests.write(tmp_path) == []


def hashes(compose: list[str], folder: Path) -> dict[str, str]:
    """The configuration hash of each service; Compose recreates a container when it changes."""
    env = {"PATH": os.environ["PATH"], "COMPOSE_PROFILES": "*", **GIVEN}
    done = subprocess.run(
        [*compose, "-f", str(folder / "docker-compose.yml"), "config", "--hash", "*"],
        env=tool.environment() | env,
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(sorted(line.split() for line in done.stdout.splitlines()))
