"""Who may come in to what docker-compose.yml runs: users, passwords, and the files that hold them."""

import re

from deploy.cli.cluster.secrets import FILES
from deploy.replica_set import SET
from deploy.security.passwords import ADMIN
from shared.contracts.sources import SERVICES
from tests.compose.file import BROKERS, COMPOSE, PARTS, filled


def test_nobody_uses_kafka_without_a_password_and_a_right() -> None:
    for name in (*BROKERS["single"], *BROKERS["three"]):
        told = PARTS[name]["environment"]
        kinds = dict(one.split(":") for one in told["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(","))
        assert kinds == {"INSIDE": "SASL_PLAINTEXT", "OUTSIDE": "SASL_SSL", "CONTROLLER": "SASL_PLAINTEXT"}
        assert {one.split("://")[0] for one in told["KAFKA_LISTENERS"].split(",")} == kinds.keys()
        assert told["KAFKA_AUTHORIZER_CLASS_NAME"].endswith(".StandardAuthorizer")
        assert told["KAFKA_ALLOW_EVERYONE_IF_NO_ACL_FOUND"] == "false"
        # Only the listener that speaks TLS is published, where departments are told to come.
        (port,) = (filled(one).rsplit(":", 2) for one in PARTS[name]["ports"])
        assert port[2] == "9094"
        assert f"OUTSIDE://localhost:{port[1]}" in filled(told["KAFKA_ADVERTISED_LISTENERS"]).split(",")


def test_each_service_logs_in_as_itself() -> None:
    for name in SERVICES:
        told = PARTS[name]["environment"]
        assert filled(told["CHORUS_KAFKA_SECURITY"]) == "sasl_plaintext"
        for what in ("KAFKA", "MONGODB"):
            assert told[f"CHORUS_{what}_USER"] == name
        assert told["CHORUS_KAFKA_PASSWORD_FILE"] == f"/run/secrets/kafka-{name}"
        assert told["CHORUS_MONGODB_PASSWORD_FILE"] == f"/run/secrets/mongo-{name}"
        others = {f"{what}-{one}" for one in (*SERVICES, ADMIN) for what in ("kafka", "mongo")} - {
            f"kafka-{name}",
            f"mongo-{name}",
        }
        assert not others & set(PARTS[name]["secrets"])


def test_the_store_asks_for_a_log_in_and_its_users_are_made_by_a_step_of_its_own() -> None:
    nodes = {"mongo-set": ["mongo-1"], "mongo-set-three": ["mongo-1", "mongo-2", "mongo-3"]}
    for name, members in nodes.items():
        assert PARTS[name]["command"] == ["python", "-m", "deploy.replica_set", *(f"{one}:27017" for one in members)]
        assert PARTS[name]["depends_on"].keys() == set(members)
        assert set(PARTS[name]["secrets"]) == {f"mongo-{one}" for one in (ADMIN, f"{ADMIN}-before", *SERVICES)}
    for name in nodes["mongo-set-three"]:
        command = PARTS[name]["command"]
        assert command[command.index("--keyFile") + 1] == "/run/secrets/mongo-keyfile"
        assert command[command.index("--replSet") + 1] == SET
        # The first user is made on one node, from which the others copy it.
        first = {key for key in PARTS[name]["environment"] if key.startswith("MONGO_INITDB")}
        assert bool(first) == (name == "mongo-1")
    assert PARTS["mongo-1"]["environment"]["MONGO_INITDB_ROOT_USERNAME"] == ADMIN


def test_secrets_come_from_files_that_chorus_secrets_makes() -> None:
    for told in COMPOSE["secrets"].values():
        assert told.keys() == {"file"}
        assert told["file"].removeprefix("./deploy/secrets/") in FILES
    used = {secret for part in PARTS.values() for secret in part.get("secrets", [])}
    assert used == COMPOSE["secrets"].keys()
    # The key that signs certificates is in no container, and the authority is for departments outside.
    assert not {"kafka-ca.key", "kafka-ca.pem"} & used
    for part in PARTS.values():
        for variable, value in part.get("environment", {}).items():
            if re.search("PASSWORD|TOKEN|SECRET|KEY", variable) and "KEYSTORE_TYPE" not in variable:
                assert variable.endswith(("_FILE", "_LOCATION"))
                assert value.removeprefix("/run/secrets/") in part["secrets"]
            assert "password=" not in str(value)


def test_every_secret_is_used_by_compose_or_kept_by_the_operator() -> None:
    mounted = {told["file"].removeprefix("./deploy/secrets/") for told in COMPOSE["secrets"].values()}
    assert {*FILES} - mounted == {"kafka-ca.pem", "kafka-ca.key"}
    assert PARTS["secrets"]["entrypoint"] == ["chorus", "secrets", "/secrets"]
    assert PARTS["secrets"]["volumes"] == ["./deploy/secrets:/secrets"]


def test_whoever_reads_a_secret_runs_as_the_one_it_belongs_to() -> None:
    for name, part in PARTS.items():
        if part.get("secrets") or name in ("secrets", "provision", "provision-three"):
            assert part["user"] == "${CHORUS_UID:-10001}:${CHORUS_UID:-10001}"


def test_records_lie_where_whoever_runs_may_write() -> None:
    for name in (one for one in PARTS if re.fullmatch(r"(kafka|mongo)(-\d)?", one)):
        assert PARTS[name]["volumes"] == [f"{name}:/var/tmp"]
    assert all(PARTS[name]["environment"]["KAFKA_LOG_DIRS"].startswith("/var/tmp/") for name in BROKERS["three"])
    command = PARTS["mongo-1"]["command"]
    assert command[command.index("--dbpath") + 1] == "/var/tmp"
