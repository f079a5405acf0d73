"""docker-compose.yml and the image: valid, restricted, gated by health, without secrets, and with settings that exist.

Without an engine the file is checked against the schema of the Compose specification, which `check-jsonschema` carries,
and against the promises of docs/operations.md.
"""

import json
import re
import subprocess
import sys
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema.validators import validator_for

from deploy.command.console import OVERRIDES
from deploy.command.main import main
from deploy.command.secrets import SECRETS
from shared.settings import Settings
from shared.topics import SERVICES

REPOSITORY = Path(__file__).parents[2]
TEXT = (REPOSITORY / "docker-compose.yml").read_text("utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
PARTS: dict[str, dict[str, Any]] = COMPOSE["services"]
LASTING = {name for name, part in PARTS.items() if part["restart"] == "unless-stopped"}
ONCE = {name for name, part in PARTS.items() if part["restart"] == "no"}
VENDORED = resources.files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
SCHEMA = validator_for(json.loads(VENDORED.read_text("utf-8")))(json.loads(VENDORED.read_text("utf-8")))
DOCKERFILE = (REPOSITORY / "deploy" / "Dockerfile").read_text("utf-8")
GIVEN = {"CHORUS_REPLICATION": "3", "CHORUS_SMTP": "mail.city.example:25"}
PUBLISHED = {"door", "alertmanager", "grafana"}


def filled(value: object) -> str:
    """A value as Compose fills it in where `.env` holds what must be given and nothing else."""
    return re.sub(r"\$\{(\w+)(?::?[-?]([^}]*))?\}", lambda one: GIVEN.get(one[1], one[2] or ""), str(value))


every_part = pytest.mark.parametrize("name", sorted(PARTS))


def test_it_is_what_the_compose_specification_allows() -> None:
    assert [one.message for one in SCHEMA.iter_errors(COMPOSE)] == []


@pytest.mark.parametrize(
    ("part", "field", "value"),
    [
        ("intake", "comand", ["chorus"]),
        ("intake", "read_only", [True]),
        ("kafka", "depends_on", {"mongo-1": {"condition": "service_fine"}}),
        ("door", "healthcheck", {"tests": []}),
        ("router", "deploy", {"resources": {"limits": {"memory": [1]}}}),
    ],
)
def test_the_schema_sees_a_mistake(part: str, field: str, value: object) -> None:
    mistaken = COMPOSE | {"services": PARTS | {part: PARTS[part] | {field: value}}}
    assert not SCHEMA.is_valid(mistaken)


@every_part
def test_a_part_has_no_more_rights_than_it_needs(name: str) -> None:
    part = PARTS[name]
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


@every_part
def test_an_image_is_pinned(name: str) -> None:
    assert re.fullmatch(r"[a-z/]+:v?\d+\.\d+\.\d+[a-z0-9.-]*", filled(PARTS[name]["image"]))


def test_what_lasts_tells_its_health_and_what_runs_once_ends() -> None:
    assert PARTS.keys() == LASTING | ONCE
    assert set(SERVICES) <= LASTING
    assert all(PARTS[name]["healthcheck"].get("test") for name in LASTING)
    assert all(PARTS[name]["healthcheck"] == {"disable": True} for name in ONCE)
    for name in SERVICES:
        assert "http://127.0.0.1:8000/readyz" in PARTS[name]["healthcheck"]["test"][-1]


@every_part
def test_nothing_starts_before_what_it_needs_is_healthy(name: str) -> None:
    for needed, how in PARTS[name].get("depends_on", {}).items():
        wanted = "service_healthy" if needed in LASTING else "service_completed_successfully"
        # Without a city the router is not ready, and the city comes in through the door.
        assert how["condition"] == wanted or (name, needed) == ("door", "router")
        # A part of another profile would not be there at all.
        here, there = set(PARTS[name].get("profiles", [])), set(PARTS[needed].get("profiles", []))
        assert how.get("required", True) is (not there or (bool(here) and here <= there))


def test_topics_and_replica_set_are_made_before_a_service_starts() -> None:
    for name in SERVICES:
        assert PARTS[name]["depends_on"].keys() == {"provision", "provision-cluster", "mongo-set", "mongo-set-cluster"}
    for name in ("provision", "provision-cluster"):
        assert PARTS[name]["command"] == ["chorus", "provision", "/city"]


def test_a_cluster_has_three_brokers_and_keeps_what_two_of_them_have() -> None:
    brokers = [part for name, part in PARTS.items() if re.fullmatch(r"kafka-\d", name)]
    assert [one["environment"]["KAFKA_NODE_ID"] for one in brokers] == ["1", "2", "3"]
    for one in brokers:
        assert one["profiles"] == ["cluster"]
        assert one["environment"]["KAFKA_MIN_INSYNC_REPLICAS"] == "2"
        assert {value for key, value in one["environment"].items() if key.endswith("REPLICATION_FACTOR")} == {"3"}
    nodes = [part for name, part in PARTS.items() if re.fullmatch(r"mongo-\d", name)]
    assert [one["profiles"] for one in nodes] == [["single", "cluster"], ["cluster"], ["cluster"]]
    assert PARTS["mongo-set-cluster"]["environment"]["MEMBERS"].count(":27017") == len(nodes)


def test_no_topic_is_made_by_itself() -> None:
    for name in ("kafka", "kafka-1", "kafka-2", "kafka-3"):
        assert PARTS[name]["environment"]["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"


def test_secrets_come_from_files_that_chorus_secrets_makes() -> None:
    assert COMPOSE["secrets"] == {name: {"file": f"./deploy/secrets/{name}"} for name in SECRETS}
    for part in PARTS.values():
        for variable, value in part.get("environment", {}).items():
            if re.search("PASSWORD|TOKEN|SECRET|KEY", variable):
                assert variable.endswith("_FILE")
                assert value.removeprefix("/run/secrets/") in part["secrets"]


def test_only_the_door_and_the_operators_pages_are_published_and_only_here() -> None:
    assert {name for name, part in PARTS.items() if "ports" in part} == PUBLISHED
    for name in PUBLISHED:
        assert all(filled(port).startswith("127.0.0.1:") for port in PARTS[name]["ports"])
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    for name in (one for one in PARTS if one.startswith(("kafka", "mongo"))):
        assert set(PARTS[name]["networks"]) == {"inside"}


def test_every_setting_that_is_passed_exists_and_its_default_is_accepted() -> None:
    names = {f"CHORUS_{field.upper()}" for field in Settings.model_fields}
    for name, part in PARTS.items():
        passed = {key: filled(value) for key, value in part.get("environment", {}).items() if key.startswith("CHORUS_")}
        assert passed.keys() <= names | OVERRIDES.keys(), name
        Settings(**{key.removeprefix("CHORUS_").lower(): value for key, value in passed.items()})  # type: ignore[arg-type]
        assert "CHORUS_INSTANCE" not in passed, "replicas of one service share their environment"


def test_every_variable_of_the_file_is_explained() -> None:
    operations = (REPOSITORY / "docs" / "operations.md").read_text("utf-8")
    variables = set(re.findall(r"\$\{(\w+)", TEXT))
    assert {one for one in variables if f"`{one}`" not in operations} == set()


def test_the_services_are_scaled_by_settings() -> None:
    for name in SERVICES:
        assert PARTS[name]["deploy"]["replicas"] == f"${{CHORUS_{name.upper()}_REPLICAS:-1}}"
        assert "container_name" not in PARTS[name]


def test_what_is_mounted_from_here_is_here() -> None:
    mounts = [volume.split(":")[0] for part in PARTS.values() for volume in map(filled, part.get("volumes", []))]
    files = [Path(one) for one in mounts if one.startswith(".")] + [
        Path(c["file"]) for c in COMPOSE["configs"].values()
    ]
    assert files
    assert all((REPOSITORY / one).exists() for one in files)
    assert {one for one in mounts if not one.startswith(".")} == COMPOSE["volumes"].keys()


def test_the_image_is_installed_as_make_up_installs_without_the_local_stack() -> None:
    makefile = (REPOSITORY / "Makefile").read_text("utf-8")
    (local,) = re.findall(r"-m pip install (.*'\.\[local\]')", makefile)
    (image,) = re.findall(r"^RUN \S*python -m pip install (.*)$", DOCKERFILE, re.MULTILINE)
    assert image.split() == [word for word in local.replace("'.[local]'", ".").split() if word != "-e"]


def test_the_image_ends_without_tools_and_without_rights() -> None:
    build, final = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[1:]
    assert build.split()[0] == final.split()[0]
    assert not re.search(r"apt-get|gcc|build-essential|pip install|COPY (?!--from=build)", final)
    assert re.search(r"^USER 10001:10001$", final, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK .*\n.*/healthz", final, re.MULTILINE)
    assert "CHORUS_LOG=json" in final
    ignored = (REPOSITORY / ".dockerignore").read_text("utf-8").splitlines()
    assert ignored[1] == "*"
    assert "deploy/secrets" in ignored


def test_services_and_command_start_without_the_local_stacks_packages() -> None:
    pyproject = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
    packages = {re.split(r"[^a-z0-9]", one)[0] for one in pyproject["project"]["optional-dependencies"]["local"]}
    absent = (packages - {"secantusdb"}) | {"secantus"}
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({sorted(absent)!r}))\n"
        "import deploy.command.main, deploy.provisioning\n"
        "import services.intake.app, services.router.app, services.notifier.app, services.scorer.app\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_secrets_are_made_once_for_their_owner_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "secrets"
    assert main(["secrets", str(folder), "--json"]) == 0
    first = {name: (folder / name).read_text() for name in SECRETS}
    assert json.loads(capsys.readouterr().out)["made"] == sorted(SECRETS)
    assert len({*first.values()}) == len(SECRETS)
    assert {(folder / name).stat().st_mode & 0o777 for name in SECRETS} == {0o600}

    assert main(["secrets", str(folder), "--rotate", "operator-token"]) == 0
    second = {name: (folder / name).read_text() for name in SECRETS}
    assert {name for name in SECRETS if first[name] != second[name]} == {"operator-token"}
    assert (folder / "operator-token").stat().st_mode & 0o777 == 0o600
    shown = capsys.readouterr()
    assert not any(value.strip() in shown.out + shown.err for value in {*first.values(), *second.values()})


def test_a_secret_that_is_none_is_refused_and_nothing_is_made(tmp_path: Path) -> None:
    assert main(["secrets", str(tmp_path), "--rotate", "passwort"]) == 2
    assert list(tmp_path.iterdir()) == []
