"""`chorus provision` against Apache Kafka: it creates missing topics and changes nothing else."""

import json
import os
import shutil
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType  # type: ignore[attr-defined]

from deploy.local.city import SAMPLE
from shared.city import load_city
from shared.kafka.topics import Topic, department_topics, system_topics
from tests.backing import Backing
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.integration

PARTITIONS, RETENTION_DAYS = 6, 90
REPOSITORY = Path(__file__).parents[2]
NOWHERE = "127.0.0.1:1"


@pytest.fixture
def city(tmp_path: Path) -> Path:
    """The sample city with two departments used by no other test."""
    folder = tmp_path / "city"
    shutil.copytree(SAMPLE, folder)
    with (folder / "departments.yaml").open("a", encoding="utf-8") as departments:
        for code in ("parks", "ferries"):
            name = f"{code}-{uuid.uuid4().hex[:8]}"
            departments.write(
                f"\n- {{code: {name}, name: {{zh: 新局, en: New}}, kind: bureau, email: n@city.example}}\n"
            )
    return folder


def provision(kafka: str, city: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the command as Compose does."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("CHORUS_")}
    env |= {"CHORUS_KAFKA": kafka, "PYTHONPATH": str(REPOSITORY), **settings}
    command = [sys.executable, "-m", "deploy.cli.main", "provision", str(city), "--json"]
    return subprocess.run(command, env=env, cwd=city, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


def wanted(city: Path) -> dict[str, Topic]:
    codes = [department.code for department in load_city(city).active]
    topics = (*system_topics(PARTITIONS, RETENTION_DAYS), *department_topics(codes, RETENTION_DAYS))
    return {topic.name: topic for topic in topics}


def partitions(admin: AdminClient) -> dict[str, int]:
    return {name: len(topic.partitions) for name, topic in admin.list_topics(timeout=PATIENCE_S).topics.items()}


def settings_of(admin: AdminClient, names: list[str]) -> dict[str, dict[str, Any]]:
    asked = admin.describe_configs([ConfigResource(ResourceType.TOPIC, name) for name in names])
    return {one.name: {key: entry.value for key, entry in told.result(10).items()} for one, told in asked.items()}


def test_the_first_run_creates_every_topic_of_the_table_and_the_second_none(running: Backing, city: Path) -> None:
    admin, table = AdminClient({"bootstrap.servers": running.kafka}), wanted(city)
    before = partitions(admin)

    first = provision(running.kafka, city)
    assert first.returncode == 0, first.stderr
    told = json.loads(first.stdout)
    assert told["made"] == sorted(table.keys() - before.keys())
    assert len(told["made"]) >= 4
    assert told["existing"] == len(table) - len(told["made"])
    assert all(f"Created topic {name}" in first.stderr for name in told["made"])

    after = partitions(admin)
    assert {name: after[name] for name in told["made"]} == {name: table[name].partitions for name in told["made"]}
    made = settings_of(admin, told["made"])
    for name, found in made.items():
        assert {key: found[key] for key in table[name].config()} == table[name].config(), name

    second = provision(running.kafka, city, CHORUS_RETENTION_DAYS="30", CHORUS_PARTITIONS="7")
    assert second.returncode == 0, second.stderr
    assert (json.loads(second.stdout)["made"], json.loads(second.stdout)["altered"]) == ([], [])
    assert partitions(admin) == after
    assert settings_of(admin, told["made"]) == made


def test_existing_topics_get_the_settings_that_chorus_requires_and_keep_all_others(
    running: Backing, city: Path
) -> None:
    """Also the outbox of a department that is not in the folder: the desk has added it."""
    admin = AdminClient({"bootstrap.servers": running.kafka})
    former, added = (f"departments.{name}-{uuid.uuid4().hex[:8]}.outbox" for name in ("former", "added"))
    with (city / "departments.yaml").open("a", encoding="utf-8") as departments:
        code = former.split(".")[1]
        departments.write(f"\n- {{code: {code}, name: {{zh: 旧局, en: Old}}, kind: bureau, email: o@city.example}}\n")
    chosen = {"retention.ms": "7200000", "max.message.bytes": "2097152"}
    small = {"compression.type": "gzip", "max.message.bytes": "1000000"}
    made = [NewTopic(former, 1, 1, config=chosen | {"compression.type": "gzip"}), NewTopic(added, 1, 1, config=small)]
    for answer in admin.create_topics(made).values():
        answer.result(10)

    done = provision(running.kafka, city)
    assert done.returncode == 0, done.stderr
    altered = [one for one in json.loads(done.stdout)["altered"] if one.startswith((former, added))]
    producer, largest = "compression.type=producer", "max.message.bytes=1048576"
    assert sorted(altered) == sorted([f"{former} {producer}", f"{added} {producer}", f"{added} {largest}"])
    assert all(f"Changed topic setting {one}" in done.stderr for one in altered)
    now = settings_of(admin, [former, added])
    assert {key: now[former][key] for key in chosen} == chosen
    assert [now[one]["compression.type"] for one in (former, added)] == ["producer", "producer"]
    assert now[added]["max.message.bytes"] == "1048576"
    assert json.loads(provision(running.kafka, city).stdout)["altered"] == []


def test_an_unreachable_broker_an_invalid_setting_and_an_invalid_city_are_reported(city: Path) -> None:
    away = provision(NOWHERE, city)
    assert away.returncode == 3
    assert NOWHERE in json.loads(away.stdout)["error"]

    setting = provision(NOWHERE, city, CHORUS_RETENTION_DAYS="0")
    assert setting.returncode == 2
    assert "CHORUS_RETENTION_DAYS" in setting.stderr

    (city / "city.yaml").unlink()
    broken = provision(NOWHERE, city)
    assert broken.returncode == 4
    assert "city.yaml" in broken.stderr


def test_a_rejection_by_kafka_is_reported_with_its_message(running: Backing, city: Path) -> None:
    refused = provision(running.kafka, city, CHORUS_REPLICATION="3")
    assert refused.returncode == 4
    assert "Traceback" not in refused.stderr
    assert "replication" in refused.stderr.lower()
