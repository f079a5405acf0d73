"""Users, passwords and secret files of docker-compose.yml."""

import re

from deploy.cli.cluster.secrets import FILES
from deploy.replica_set import SET
from deploy.security.passwords import ADMIN
from shared.contracts.sources import SERVICES
from tests.compose.file import BROKERS, COMPOSE, CONTAINERS, filled


def test_kafka_requires_a_login_and_acls() -> None:
    for name in (*BROKERS["single"], *BROKERS["three"]):
        told = CONTAINERS[name]["environment"]
        kinds = dict(one.split(":") for one in told["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(","))
        assert kinds == {"INSIDE": "SASL_PLAINTEXT", "OUTSIDE": "SASL_SSL", "CONTROLLER": "SASL_PLAINTEXT"}
        assert {one.split("://")[0] for one in told["KAFKA_LISTENERS"].split(",")} == kinds.keys()
        assert told["KAFKA_AUTHORIZER_CLASS_NAME"].endswith(".StandardAuthorizer")
        assert told["KAFKA_ALLOW_EVERYONE_IF_NO_ACL_FOUND"] == "false"
        # Only the TLS listener for departments is published.
        (port,) = (filled(one).rsplit(":", 2) for one in CONTAINERS[name]["ports"])
        assert port[2] == "9094"
        assert f"OUTSIDE://localhost:{port[1]}" in filled(told["KAFKA_ADVERTISED_LISTENERS"]).split(",")


def test_each_service_logs_in_with_its_own_user() -> None:
    for name in SERVICES:
        told = CONTAINERS[name]["environment"]
        assert filled(told["CHORUS_KAFKA_SECURITY"]) == "sasl_plaintext"
        for what in ("KAFKA", "MONGODB"):
            assert told[f"CHORUS_{what}_USER"] == name
        assert told["CHORUS_KAFKA_PASSWORD_FILE"] == f"/run/secrets/kafka-{name}"
        assert told["CHORUS_MONGODB_PASSWORD_FILE"] == f"/run/secrets/mongo-{name}"
        others = {f"{what}-{one}" for one in (*SERVICES, ADMIN) for what in ("kafka", "mongo")} - {
            f"kafka-{name}",
            f"mongo-{name}",
        }
        assert not others & set(CONTAINERS[name]["secrets"])


def test_mongodb_requires_a_login_and_a_one_shot_creates_its_users() -> None:
    nodes = {"mongo-set": ["mongo-1"], "mongo-set-three": ["mongo-1", "mongo-2", "mongo-3"]}
    for name, members in nodes.items():
        assert CONTAINERS[name]["command"] == [
            "python",
            "-m",
            "deploy.replica_set",
            *(f"{one}:27017" for one in members),
        ]
        assert CONTAINERS[name]["depends_on"].keys() == set(members)
        assert set(CONTAINERS[name]["secrets"]) == {f"mongo-{one}" for one in (ADMIN, f"{ADMIN}-before", *SERVICES)}
    for name in nodes["mongo-set-three"]:
        command = CONTAINERS[name]["command"]
        assert command[command.index("--keyFile") + 1] == "/run/secrets/mongo-keyfile"
        assert command[command.index("--replSet") + 1] == SET
        # One node creates the first user, and the others replicate it.
        first = {key for key in CONTAINERS[name]["environment"] if key.startswith("MONGO_INITDB")}
        assert bool(first) == (name == "mongo-1")
    assert CONTAINERS["mongo-1"]["environment"]["MONGO_INITDB_ROOT_USERNAME"] == ADMIN


def test_secrets_come_from_files_of_chorus_secrets() -> None:
    for told in COMPOSE["secrets"].values():
        assert told.keys() == {"file"}
        assert told["file"].removeprefix("./deploy/secrets/") in FILES
    used = {secret for part in CONTAINERS.values() for secret in part.get("secrets", [])}
    assert used == COMPOSE["secrets"].keys()
    # The CA's key is in no container; the CA certificate is for departments outside.
    assert not {"kafka-ca.key", "kafka-ca.pem"} & used
    for part in CONTAINERS.values():
        for variable, value in part.get("environment", {}).items():
            if re.search("PASSWORD|TOKEN|SECRET|KEY", variable) and "KEYSTORE_TYPE" not in variable:
                assert variable.endswith(("_FILE", "_LOCATION"))
                assert value.removeprefix("/run/secrets/") in part["secrets"]
            assert "password=" not in str(value)


def test_every_secret_is_used_by_compose_or_by_the_operator() -> None:
    mounted = {told["file"].removeprefix("./deploy/secrets/") for told in COMPOSE["secrets"].values()}
    assert {*FILES} - mounted == {"kafka-ca.pem", "kafka-ca.key"}
    assert CONTAINERS["secrets"]["entrypoint"] == ["chorus", "secrets", "/secrets"]
    assert CONTAINERS["secrets"]["volumes"] == ["./deploy/secrets:/secrets"]


def test_containers_that_read_secrets_run_as_the_owner_of_the_files() -> None:
    for name, part in CONTAINERS.items():
        if part.get("secrets") or name in ("secrets", "provision", "provision-three"):
            assert part["user"] == "${CHORUS_UID:-10001}:${CHORUS_UID:-10001}"


def test_data_volumes_are_mounted_where_the_user_may_write() -> None:
    for name in (one for one in CONTAINERS if re.fullmatch(r"(kafka|mongo)(-\d)?", one)):
        assert CONTAINERS[name]["volumes"] == [f"{name}:/var/tmp"]
    assert all(CONTAINERS[name]["environment"]["KAFKA_LOG_DIRS"].startswith("/var/tmp/") for name in BROKERS["three"])
    command = CONTAINERS["mongo-1"]["command"]
    assert command[command.index("--dbpath") + 1] == "/var/tmp"
