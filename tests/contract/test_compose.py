"""docker-compose.yml: its schema, privileges, start order, networks and settings.

The schema is that of the Compose specification, from `check-jsonschema`. test_compose_accepted.py runs Compose itself on the
file, `make compose-test` starts the containers.
"""

import json
import re
from importlib import resources

import pytest
from jsonschema.validators import validator_for

from deploy.cli.console import OVERRIDES
from shared.contracts.sources import SERVICES
from shared.runtime.settings import Settings
from tests.compose.file import BROKERS, COMPOSE, CONTAINERS, REPOSITORY, TEXT, filled

DAEMONS = {name for name, part in CONTAINERS.items() if part["restart"] == "unless-stopped"}
ONE_SHOTS = {name for name, part in CONTAINERS.items() if part["restart"] == "no"}
VENDORED = resources.files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
SCHEMA = validator_for(json.loads(VENDORED.read_text("utf-8")))(json.loads(VENDORED.read_text("utf-8")))
PUBLISHED = {"haproxy", "alertmanager", "grafana", *BROKERS["single"], *BROKERS["three"]}

every_container = pytest.mark.parametrize("name", sorted(CONTAINERS))


def test_the_file_is_valid_against_the_compose_specification() -> None:
    assert [one.message for one in SCHEMA.iter_errors(COMPOSE)] == []


@pytest.mark.parametrize(
    ("part", "field", "value"),
    [
        ("intake", "comand", ["chorus"]),
        ("intake", "read_only", [True]),
        ("kafka", "depends_on", {"mongo-1": {"condition": "service_fine"}}),
        ("haproxy", "healthcheck", {"tests": []}),
        ("router", "deploy", {"resources": {"limits": {"memory": [1]}}}),
    ],
)
def test_the_schema_detects_errors(part: str, field: str, value: object) -> None:
    mistaken = COMPOSE | {"services": CONTAINERS | {part: CONTAINERS[part] | {field: value}}}
    assert not SCHEMA.is_valid(mistaken)


@every_container
def test_containers_run_with_minimal_privileges(name: str) -> None:
    part = CONTAINERS[name]
    user, _, group = filled(part["user"]).partition(":")
    assert int(user) > 0
    assert int(group) > 0
    assert part["read_only"] is True
    assert part["cap_drop"] == ["ALL"]
    assert part["security_opt"] == ["no-new-privileges:true"]
    assert not part.keys() & {"privileged", "cap_add", "network_mode", "pid", "ipc", "devices"}
    assert part["tmpfs"]
    limits = part["deploy"]["resources"]["limits"]
    assert float(filled(limits["cpus"])) > 0
    assert re.fullmatch(r"\d+[mg]", filled(limits["memory"]))
    # Compose rejects `pids_limit` together with `deploy` limits. MongoDB uses one thread for each connection.
    assert limits["pids"] == {"kafka": 4096, "mongo": 8192}.get(re.sub(r"-\d$", "", name), 512)
    assert "pids_limit" not in part


@every_container
def test_a_tmpfs_over_a_directory_of_the_image_sets_owner_not_mode(name: str) -> None:
    # /tmp has mode 1777 in every image.
    for one in CONTAINERS[name]["tmpfs"]:
        assert "mode=" not in one or one.startswith("/tmp:"), "runc before 1.1.8 ignores it"


def test_open_file_limits_are_settings() -> None:
    limits = {name: part["ulimits"]["nofile"] for name, part in CONTAINERS.items() if "ulimits" in part}
    told = {"kafka": "${CHORUS_KAFKA_OPEN_FILES:-100000}", "mongo": "${CHORUS_MONGODB_OPEN_FILES:-64000}"}
    told["haproxy"] = "${CHORUS_HAPROXY_OPEN_FILES:-20000}"
    assert {re.sub(r"-\d$", "", name): limit for name, limit in limits.items()} == told


@every_container
def test_images_are_pinned(name: str) -> None:
    assert re.fullmatch(r"[a-z/]+:v?\d+\.\d+\.\d+[a-z0-9.-]*", filled(CONTAINERS[name]["image"]))


def test_daemons_have_a_healthcheck_and_one_shots_have_none() -> None:
    assert CONTAINERS.keys() == DAEMONS | ONE_SHOTS
    assert set(SERVICES) <= DAEMONS
    assert all(CONTAINERS[name]["healthcheck"].get("test") for name in DAEMONS)
    assert all(CONTAINERS[name]["healthcheck"] == {"disable": True} for name in ONE_SHOTS)
    for name in SERVICES:
        assert "http://127.0.0.1:8000/readyz" in CONTAINERS[name]["healthcheck"]["test"][-1]


@every_container
def test_containers_wait_until_their_dependencies_are_healthy(name: str) -> None:
    for needed, how in CONTAINERS[name].get("depends_on", {}).items():
        wanted = "service_healthy" if needed in DAEMONS else "service_completed_successfully"
        # `chorus apply` reaches the router through HAProxy, and without a city the router is not ready.
        assert how["condition"] == wanted or (name, needed) == ("haproxy", "router")
        # A required dependency must be in every profile of its dependent.
        here, there = set(CONTAINERS[name].get("profiles", [])), set(CONTAINERS[needed].get("profiles", []))
        assert how.get("required", True) is (not there or (bool(here) and here <= there))


def test_services_wait_for_topics_and_the_replica_set() -> None:
    for name in SERVICES:
        assert CONTAINERS[name]["depends_on"].keys() == {"provision", "provision-three", "mongo-set", "mongo-set-three"}
    for profile, name in (("single", "provision"), ("three", "provision-three")):
        assert CONTAINERS[name]["command"] == ["chorus", "provision", "/city"]
        assert CONTAINERS[name]["depends_on"].keys() == set(BROKERS[profile])


def test_three_brokers_replicate_three_times_with_two_in_sync() -> None:
    brokers = [CONTAINERS[name] for name in BROKERS["three"]]
    assert [one["environment"]["KAFKA_NODE_ID"] for one in brokers] == ["1", "2", "3"]
    for one in brokers:
        assert one["profiles"] == ["three"]
        assert one["environment"]["KAFKA_MIN_INSYNC_REPLICAS"] == "2"
        assert {value for key, value in one["environment"].items() if key.endswith("REPLICATION_FACTOR")} == {"3"}
    nodes = [part for name, part in CONTAINERS.items() if re.fullmatch(r"mongo-\d", name)]
    assert [one["profiles"] for one in nodes] == [["single", "three"], ["three"], ["three"]]


def test_topics_are_not_auto_created() -> None:
    for name in (*BROKERS["single"], *BROKERS["three"]):
        assert CONTAINERS[name]["environment"]["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"


def test_only_haproxy_brokers_and_operators_pages_publish_ports_and_only_on_localhost() -> None:
    assert {name for name, part in CONTAINERS.items() if "ports" in part} == PUBLISHED
    for name in PUBLISHED:
        assert all(filled(port).startswith("127.0.0.1:") for port in CONTAINERS[name]["ports"])
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    for name in (one for one in CONTAINERS if one.startswith("mongo")):
        assert set(CONTAINERS[name]["networks"]) == {"inside"}
    # Only brokers are on the network of the departments.
    beside = {name for name, part in CONTAINERS.items() if "departments" in part["networks"]}
    assert beside == {*BROKERS["single"], *BROKERS["three"]}


def test_every_setting_in_the_file_exists_and_its_default_is_valid() -> None:
    # CHORUS_KAFKA_HOST is an option of `chorus secrets`.
    names = {*(f"CHORUS_{field.upper()}" for field in Settings.model_fields), "CHORUS_KAFKA_HOST"}
    for name, part in CONTAINERS.items():
        passed = {key: filled(value) for key, value in part.get("environment", {}).items() if key.startswith("CHORUS_")}
        assert passed.keys() <= names | OVERRIDES.keys(), name
        Settings(**{key.removeprefix("CHORUS_").lower(): value for key, value in passed.items()})  # type: ignore[arg-type]
        assert "CHORUS_INSTANCE" not in passed, "replicas of one service share their environment"


# The README documents these settings, and containers do not get them from docker-compose.yml.
NOT_PASSED = {
    "instance": "must be unique for each process, and replicas share their environment",
    "data": "only holds the lock file of CHORUS_INSTANCE",
    "http": "the image sets it",
    "kafka_ca_file": "names a file, which an override of docker-compose.yml must mount",
    **dict.fromkeys(
        ("files_endpoint", "files_region", "files_key_id", "files_secret_file"),
        "a bucket needs an override of docker-compose.yml, with its secret key",
    ),
}
LOCAL_STACK_ONLY = {"CHORUS_KAFKA_OUTSIDE", "CHORUS_PORTS", "CHORUS_CITY", "CHORUS_MAVEN"}
# The containers that read a setting, where not all four services do.
READ_BY = {
    "kafka_users": {"provision", "provision-three", "chorus"},
    "smtp": {"notifier"},
    "mail_from": {"notifier", "intake"},
    "mail_reply_to": {"notifier", "intake"},
    "mail_in": {"notifier", "intake"},
    "mail_in_listen": {"intake"},
    "mail_in_per_address_per_hour": {"intake"},
    "channels_file": {"notifier", "intake"},
    "intake_url": {"router"},
    "mail_confirm": {"notifier"},
    "mail_per_address_per_hour": {"notifier"},
    "secret_file": {"intake", "notifier"},
    "submissions_per_minute": {"intake"},
    "messages_kept_hours": {"router"},
    **{one: {"intake", "router"} for one in ("files", "files_scan", "files_per_hour", "files_link_minutes")},
}


def documented_settings() -> set[str]:
    """The names at the beginning of the items in the README's section on settings, before their defaults."""
    section = (REPOSITORY / "README.md").read_text("utf-8").partition("\n## Settings\n")[2].partition("\n## ")[0]
    items = re.findall(r"^- (`CHORUS_.*?): ", section.replace("\n ", ""), re.MULTILINE)
    return {name for item in items for name in re.findall(r"`(CHORUS_\w+)`", item)}


def test_every_documented_setting_reaches_the_services_that_read_it() -> None:
    fields = Settings.model_fields.keys()
    documented = documented_settings() - LOCAL_STACK_ONLY
    assert documented == {f"CHORUS_{field.upper()}" for field in fields}
    missing = {
        (name, field)
        for field in fields - NOT_PASSED.keys()
        for name in READ_BY.get(field, set(SERVICES))
        if f"CHORUS_{field.upper()}" not in CONTAINERS[name]["environment"]
    }
    assert missing == set()


def test_no_other_service_reads_a_setting_that_only_some_get() -> None:
    for field, readers in READ_BY.items():
        for service in set(SERVICES) - readers:
            sources = (REPOSITORY / "services" / service).rglob("*.py")
            assert not [file for file in sources if re.search(rf"settings\.{field}\b", file.read_text("utf-8"))]


def test_every_variable_of_the_file_is_documented() -> None:
    operations = (REPOSITORY / "docs" / "operations.md").read_text("utf-8")
    variables = set(re.findall(r"\$\{(\w+)", TEXT))
    assert {one for one in variables if f"`{one}`" not in operations} == set()


def test_replicas_are_settings() -> None:
    for name in SERVICES:
        assert CONTAINERS[name]["deploy"]["replicas"] == f"${{CHORUS_{name.upper()}_REPLICAS:-1}}"
        assert "container_name" not in CONTAINERS[name]


def mounts() -> list[str]:
    """The sources of all volumes: a path that begins with a dot, or the name of a volume."""
    volumes = [volume for part in CONTAINERS.values() for volume in part.get("volumes", [])]
    return [volume["source"] if isinstance(volume, dict) else filled(volume).split(":")[0] for volume in volumes]


def test_mounted_files_exist() -> None:
    found = [one for one in mounts() if one.startswith(".")] + [one["file"] for one in COMPOSE["configs"].values()]
    # `chorus secrets` creates this folder; the engine must not create it as root.
    made = {one for one in found if not (REPOSITORY / one).exists()} - {"./deploy/secrets/kafka"}
    assert found
    assert made == set()
    assert CONTAINERS["provision"]["volumes"][1]["bind"] == {"create_host_path": False}
    assert {one for one in mounts() if not one.startswith(".")} == COMPOSE["volumes"].keys()
