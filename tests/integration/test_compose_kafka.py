"""The brokers of docker-compose.yml, started on this machine as in their image, and the one-shots that Compose runs.

`composed` replaces what belongs to the image and the engine (program, addresses, folders, memory); script, settings,
secrets and commands are the deployed ones.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType  # type: ignore[attr-defined]

from deploy.failure import Failure
from deploy.kafka_admin.access import Access, _acl
from deploy.kafka_admin.rights import SERVICE_RIGHTS, department_rights
from deploy.local import jars
from deploy.local.city import SAMPLE
from deploy.local.kafka import SECURED, Secured, settings
from deploy.security.certificates import Certificates
from deploy.security.passwords import ADMIN, BROKER, Passwords, department_user
from shared.city import load_city
from shared.contracts.sources import SERVICES
from shared.kafka.connection import Connection
from shared.kafka.topics import department_topics, system_topics
from tests.compose.file import BROKERS, REPOSITORY
from tests.integration.composed import Composed, composed, properties
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.integration

COPIES = {"single": ("1", 1, "1"), "three": ("3", 3, "2")}
PROVISION = {"single": "provision", "three": "provision-three"}
# Addresses and paths are those of this machine.
PLACES = {"listeners", "advertised.listeners", "listener.name.outside.ssl.keystore.location"}


@dataclass
class Deployed:
    """A running profile after two runs of its provisioning."""

    profile: str
    compose: Composed
    runs: list[dict[str, Any]]

    @property
    def replication(self) -> tuple[int, str]:
        """The replication factor, and the minimum of in-sync replicas."""
        return COPIES[self.profile][1:]

    def connection(self, user: str) -> Connection:
        """The connection of this user to the inside listener."""
        passwords = Passwords(self.compose.secrets / "kafka")
        return Connection(self.compose.kafka, "sasl_plaintext", user, passwords.of(user))

    def provision(self) -> dict[str, Any]:
        """Run the one-shot of Compose."""
        done = self.compose.run(PROVISION[self.profile])
        assert done.returncode == 0, done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        return told


@pytest.fixture(scope="module", params=BROKERS)
def deployed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """The brokers of a profile, provisioned twice. Without Kafka's jars the tests are skipped; in CI they fail."""
    try:
        jars.download()
    except Failure as failure:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no broker here: {failure.sentence}")
    profile: str = request.param
    root = tmp_path_factory.mktemp(profile)
    shutil.copytree(SAMPLE, root / "city")
    given = {"CHORUS_REPLICATION": COPIES[profile][0], "CHORUS_SMTP": "mail.city.example:25"}
    with composed(root, BROKERS[profile], given) as one:
        running = Deployed(profile, one, [])
        running.runs += [running.provision(), running.provision()]
        yield running


def test_the_first_run_creates_topics_and_users_and_the_second_changes_nothing(deployed: Deployed) -> None:
    city = load_city(deployed.compose.city)
    codes = [one.code for one in city.active]
    topics = {one.name for one in (*system_topics(6, 90), *department_topics(codes, 90))}
    users = {*SERVICES, *map(department_user, codes)}

    first, second = deployed.runs
    assert set(first["made"]) == topics
    assert set(first["users"]) == users
    assert first["granted"] == len(rules(codes))
    assert (second["made"], second["users"], second["granted"], second["taken"]) == ([], [], 0, 0)
    assert second["existing"] == len(topics)

    access = Access(deployed.connection(ADMIN))
    assert access.users() == users | {ADMIN, BROKER}
    assert access._acls_of([*users, BROKER]) == rules(codes)
    told = access.admin.list_topics(timeout=PATIENCE_S).topics
    assert topics <= told.keys()
    assert {len(part.replicas) for name in topics for part in told[name].partitions.values()} == {
        deployed.replication[0]
    }
    answers = access.admin.describe_configs([ConfigResource(ResourceType.TOPIC, name) for name in sorted(topics)])
    assert {answer.result(10)["min.insync.replicas"].value for answer in answers.values()} == {deployed.replication[1]}


def test_the_brokers_settings_equal_those_of_the_local_stack(deployed: Deployed) -> None:
    secrets = deployed.compose.secrets
    stand_in = Secured(Passwords(secrets / "kafka"), Certificates(secrets), "localhost:9094", "127.0.0.1:9094")
    local = properties(settings(secrets, 9092, 9093, stand_in))
    rules_of_users = properties(SECURED).keys() - PLACES
    assert len(rules_of_users) > 10
    for broker in deployed.compose.brokers:
        started = deployed.compose.properties(broker)
        assert {name: started[name] for name in rules_of_users} == {name: local[name] for name in rules_of_users}


def test_no_password_is_in_an_environment_or_command_line(deployed: Deployed) -> None:
    passwords = [file.read_text().strip() for file in (deployed.compose.secrets / "kafka").iterdir()]
    for broker, process in deployed.compose.running.items():
        seen = psutil.Process(process.pid)
        shown = "\n".join((*seen.cmdline(), *seen.environ().values(), deployed.compose.log(broker)))
        assert "kafka.Kafka" in shown
        assert not any(one in shown for one in passwords)
        written = [file for file in (deployed.compose.root / broker).rglob("*") if file.is_file() and is_small(file)]
        holding = [file for file in written if any(one.encode() in file.read_bytes() for one in passwords)]
        assert holding
        assert {file.stat().st_mode & 0o077 for file in holding} == {0}


def test_a_login_is_required(deployed: Deployed) -> None:
    for connection in (
        Connection(deployed.compose.kafka),
        Connection(deployed.compose.kafka, "sasl_plaintext", "x", "y"),
    ):
        admin = AdminClient(connection.confluent() | {"log_level": 0, "error_cb": lambda _: None})
        with pytest.raises(KafkaException):
            admin.list_topics(timeout=3)


def test_a_department_outside_can_only_write_its_outbox(deployed: Deployed) -> None:
    """With the settings in docs/departments.md."""
    page = (REPOSITORY / "docs" / "departments.md").read_text("utf-8")
    (block,) = re.findall(r"```ini\n(.*?)```", page, re.DOTALL)
    client = properties(block)
    passwords = Passwords(deployed.compose.secrets / "kafka")
    client |= {
        "bootstrap.servers": deployed.compose.outside,
        "sasl.password": passwords.of(client["sasl.username"]),
        "ssl.ca.location": str(deployed.compose.secrets / "kafka-ca.pem"),
    }
    seen = set(AdminClient(dict(client)).list_topics(timeout=PATIENCE_S).topics)
    assert seen == {"departments.urban-management.inbox", "departments.urban-management.outbox"}
    assert written(client, "departments.urban-management.outbox") is None
    assert written(client, "inquiries.inputs") == KafkaError.TOPIC_AUTHORIZATION_FAILED


@pytest.mark.parametrize("deployed", ["three"], indirect=True)
def test_rotating_the_brokers_password_needs_new_files_a_restart_and_provisioning(deployed: Deployed) -> None:
    rotated = deployed.compose.run("secrets", "--rotate", "kafka/broker", "--rotate", "kafka/controller")
    assert rotated.returncode == 0, rotated.stderr
    deployed.compose.stop()
    deployed.compose.start()
    told = deployed.provision()
    assert (told["made"], told["users"], told["granted"], told["taken"]) == ([], [], 0, 0)
    # A confirmed write waits for a second replica.
    assert written(deployed.connection("intake").confluent(), "inquiries.inputs") is None


def rules(codes: list[str]) -> set[Any]:
    """All ACLs in Kafka."""
    rights = SERVICE_RIGHTS | {department_user(code): department_rights(code) for code in codes}
    return {_acl(user, right) for user, held in rights.items() for right in held}


def is_small(file: Path) -> bool:
    """Whether the index files are small: Kafka preallocates ten megabytes for each."""
    return file.stat().st_size < 1_000_000


def written(client: Mapping[str, Any], topic: str) -> int | None:
    """Write one record with acks=all; returns the error code."""
    codes: list[int | None] = []
    producer = Producer(dict(client) | {"acks": "all", "log_level": 0, "message.timeout.ms": 60_000})
    producer.produce(topic, b"{}", on_delivery=lambda error, _: codes.append(error.code() if error else None))
    assert producer.flush(90) == 0
    return codes[0]
