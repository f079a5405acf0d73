"""The local stack: ports, restart policy, data folder, plan, `stack.json`."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.cli import console
from deploy.cli.console import Options
from deploy.cli.main import main
from deploy.failure import FAILED, UNAVAILABLE, Failure
from deploy.local import folder as folders
from deploy.local.folder import Folder
from deploy.local.jars import file_name, pinned
from deploy.local.kafka import settings
from deploy.local.logfile import LogFile
from deploy.local.plan import Plan, make_plan
from deploy.local.ports import Ports
from deploy.local.restart import RestartPolicy
from deploy.local.stack_file import StackFile


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in [*console.OVERRIDES, "CHORUS_DATA", "CHORUS_PORTS"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    yield
    vars(console.options).update(vars(Options()))


def a_plan(folder: Path, **given: str) -> Plan:
    return make_plan(Folder(folder), Ports.on(9400), given, Path("jars"))


def a_folder(path: Path) -> Folder:
    with folders.claimed(path) as folder:
        folders.settle(folder)
    return folder


def refusal(path: Path) -> str:
    with pytest.raises(Failure) as refused, folders.claimed(path) as folder:
        folders.settle(folder)
    assert refused.value.code == FAILED
    return refused.value.sentence


# Ports


def test_all_ports_lie_within_the_hundred_from_the_base() -> None:
    ports = Ports.given("9400")
    assert (ports.intake, ports.router, ports.notifier, ports.scorer) == (9401, 9402, 9403, 9404)
    assert (ports.kafka, ports.controller, ports.kafka_outside) == (9492, 9493, 9494)
    assert (ports.mongodb, ports.smtp, ports.smtp_in) == (9417, 9425, 9426)


def test_the_default_ports() -> None:
    assert Ports.given(None) == Ports(8001, 8002, 8003, 8004, 9092, 9093, 9094, 27017, 8025)


@pytest.mark.parametrize("wish", ["0", "65437", "-1", "9400x", "九四", "80.5"])
def test_an_invalid_base_port_is_refused_with_its_value(wish: str) -> None:
    with pytest.raises(ValueError, match=wish):
        Ports.given(wish)


# Restarts


def test_the_wait_before_a_restart_doubles_up_to_the_maximum() -> None:
    policy, waits, wait_s = RestartPolicy(), [], None
    for _ in range(7):
        wait_s = policy.wait_s(wait_s, up_s=0.1)
        waits.append(wait_s)
    assert waits == [0.5, 1, 2, 4, 8, 10, 10]


def test_the_backoff_resets_after_half_a_minute_of_uptime() -> None:
    assert RestartPolicy().wait_s(10, up_s=30) == 0.5
    assert RestartPolicy().wait_s(10, up_s=29) == 10


# The data folder


def test_a_new_folder_gets_a_marker_and_can_be_used_again(tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "deep" / "data")
    assert json.loads(folder.marker.read_text()) == {"layout": folders.LAYOUT, "secure": False}
    assert a_folder(folder.path) == folder


def test_a_folder_with_other_files_is_refused_and_unchanged(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    assert "did not make" in refusal(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_folder_with_another_layout_is_refused_and_can_be_emptied(tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "data")
    folder.marker.write_text('{"layout": 0}')
    assert "has layout 0" in refusal(folder.path)
    assert "--fresh" in refusal(folder.path)
    with folders.claimed(folder.path):
        folders.empty(folder)
        folders.settle(folder)
    assert json.loads(folder.marker.read_text()) == {"layout": folders.LAYOUT, "secure": False}


def test_data_made_without_secure_is_refused_with_it_and_vice_versa(tmp_path: Path) -> None:
    for was, named in ((False, "without"), (True, "with")):
        with folders.claimed(tmp_path / named) as folder:
            folders.settle(folder, secure=was)
            folders.settle(folder, secure=was)
            with pytest.raises(Failure, match=f"was made {named} --secure"):
                folders.settle(folder, secure=not was)


def test_an_unreadable_marker_is_refused(tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "data")
    folder.marker.write_text("[]")
    assert "'unreadable'" in refusal(folder.path)


def test_a_second_stack_in_the_same_folder_is_refused_with_the_process_id_of_the_first(tmp_path: Path) -> None:
    with folders.claimed(tmp_path / "data"):
        assert f"already runs on {str(tmp_path / 'data')!r} (process {os.getpid()})" in refusal(tmp_path / "data")


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    assert "is not a folder" in refusal(tmp_path / "data")


def test_secrets_are_created_once_with_mode_600(tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "data")
    secret = folder.secret("operator-token")
    content = secret.read_text()
    assert len(content.strip()) == 64
    assert secret.stat().st_mode & 0o777 == 0o600
    assert folder.secret("operator-token").read_text() == content


# The plan


def test_the_environment_of_a_service(tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "data")
    plan = a_plan(folder.path)
    intake = plan.services[0]
    assert intake.environment == {
        "CHORUS_HTTP": "127.0.0.1:9401",
        "CHORUS_INSTANCE": "local-intake",
        "CHORUS_KAFKA": "127.0.0.1:9492",
        "CHORUS_MONGODB": "mongodb://127.0.0.1:9417/?directConnection=true",
        "CHORUS_SMTP": "127.0.0.1:9425",
        "CHORUS_SECRET_FILE": str(folder.path / "secrets" / "query-code"),
        "CHORUS_OPERATOR_TOKEN_FILE": str(folder.path / "secrets" / "operator-token"),
        "CHORUS_PUBLIC_URL": "http://127.0.0.1:9401",
        "CHORUS_HALL_URL": "http://127.0.0.1:9403",
        "CHORUS_SCOREBOARD_URL": "http://127.0.0.1:9404",
        "CHORUS_INTAKE_URL": "http://127.0.0.1:9401",
        "CHORUS_MAIL_IN": "chorus@city.example",
        "CHORUS_MAIL_IN_LISTEN": "127.0.0.1:9426",
        "CHORUS_DATA": str(folder.path),
        "CHORUS_FILES": str(folder.path / "files"),
        "CHORUS_SUBMISSIONS_PER_MINUTE": "0",
        "CHORUS_FILES_PER_HOUR": "0",
    }
    assert [part.name for part in plan.services] == ["intake", "router", "notifier", "scorer"]


def test_components_stop_in_the_order_services_mail_broker_store(tmp_path: Path) -> None:
    plan = a_plan(a_folder(tmp_path / "data").path)
    by_stage = sorted(plan.backing + plan.services, key=lambda part: part.stage)
    assert [part.name for part in by_stage][4:] == ["smtp", "kafka", "store"]


def test_broker_store_and_mail_server_from_the_environment_are_not_started(tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "data").path
    plan = a_plan(folder, CHORUS_KAFKA="broker:9092", CHORUS_MONGODB="mongodb://db", CHORUS_SMTP="mail:25")
    file = plan.stack_file({})
    assert plan.backing == ()
    assert (file.kafka, file.mongodb, file.smtp, file.mail) == ("broker:9092", "mongodb://db", "mail:25", None)
    assert file.pids.kafka is None
    assert {part.environment["CHORUS_KAFKA"] for part in plan.services} == {"broker:9092"}


def test_stack_json_has_the_documented_fields(tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "data").path
    pids = {"kafka": 1, "store": 2, "smtp": 3, "intake": 4, "router": 5, "notifier": 6, "scorer": 7}
    file = json.loads(a_plan(folder).stack_file(pids).model_dump_json())
    assert file["kafka"] == "127.0.0.1:9492"
    assert file["mongodb"].startswith("mongodb://127.0.0.1:9417/")
    assert (file["smtp"], file["smtp_in"]) == ("127.0.0.1:9425", "127.0.0.1:9426")
    assert file["mail"] == str(folder / "mail")
    assert file["urls"] == {
        "intake": "http://127.0.0.1:9401",
        "router": "http://127.0.0.1:9402",
        "notifier": "http://127.0.0.1:9403",
        "scorer": "http://127.0.0.1:9404",
    }
    promised = {"kafka": 1, "mongodb": 2, "intake": 4, "router": 5, "notifier": 6, "scorer": 7}
    assert promised.items() <= file["pids"].items()
    assert file["operator_token_file"] == str(folder / "secrets" / "operator-token")


# Kafka


def test_kafka_does_not_auto_create_topics_and_keeps_offsets() -> None:
    lines = dict(line.split("=", 1) for line in settings(Path("/data"), 9492, 9493).splitlines())
    assert lines["auto.create.topics.enable"] == "false"
    assert int(lines["offsets.retention.minutes"]) > 60 * 24 * 365
    assert lines["advertised.listeners"] == "PLAINTEXT://127.0.0.1:9492"
    assert lines["controller.quorum.voters"] == "1@127.0.0.1:9493"


def test_every_pinned_jar_has_a_unique_name_and_a_sha256() -> None:
    jars = pinned().jars
    assert len({file_name(coordinate) for coordinate in jars}) == len(jars) == 46
    assert {len(digest) for digest in jars.values()} == {64}
    assert f"org.apache.kafka:kafka_2.13:{pinned().version}" in jars


def test_a_log_file_is_rotated_and_the_previous_one_is_kept(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "kafka.log", longest_bytes=10)
    for words in (b"1234567", b"8901", b"new"):
        log.write(words)
    log.close()
    assert (tmp_path / "kafka.log.1").read_bytes() == b"12345678901"
    assert (tmp_path / "kafka.log").read_bytes() == b"new"


# Addresses of the running stack


def written(folder: Path, **changes: object) -> StackFile:
    plan = a_plan(a_folder(folder).path)
    file = plan.stack_file({}).model_copy(update=changes)
    (folder / "stack.json").write_text(file.model_dump_json())
    return file


def test_commands_find_the_running_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = written(tmp_path / ".chorus")
    assert console.stack() == file
    monkeypatch.setenv("CHORUS_DATA", str(tmp_path / "other"))
    with pytest.raises(Failure, match="No stack is running") as missing:
        console.stack()
    assert missing.value.code == UNAVAILABLE


def test_stack_json_of_a_killed_stack_is_ignored(tmp_path: Path) -> None:
    written(tmp_path / ".chorus", supervisor=2**22 + 1)
    with pytest.raises(Failure, match="No stack is running"):
        console.stack()


def test_environment_variables_override_stack_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path / ".chorus")
    monkeypatch.setenv("CHORUS_KAFKA", "broker:9092")
    monkeypatch.setenv("CHORUS_ROUTER_URL", "https://desk.example/")
    assert console.stack().kafka == "broker:9092"
    assert console.stack().urls.router == "https://desk.example"
    assert console.stack().urls.intake == "http://127.0.0.1:9401"


def test_environment_variables_suffice_without_a_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHORUS_INTAKE_URL", "https://write.example")
    assert console.stack().urls.intake == "https://write.example"
    assert console.stack().kafka == "127.0.0.1:9092"


# The command


def test_a_failure_prints_one_sentence_and_with_json_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--json"]) == UNAVAILABLE
    said = capsys.readouterr()
    assert json.loads(said.out)["error"].startswith("No stack is running in")
    assert said.err.startswith("chorus: No stack is running in")
    assert said.err.count("\n") == 1


def test_the_option_data_can_follow_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--data", str(tmp_path / "there")]) == UNAVAILABLE
    said = capsys.readouterr()
    assert said.out == ""
    assert repr(str(tmp_path / "there")) in said.err


def test_options_are_reset_between_command_lines(capsys: pytest.CaptureFixture[str]) -> None:
    main(["status", "--json"])
    capsys.readouterr()
    main(["status"])
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "wrong", [["up", "--secure", "--no"], ["up", "--ports", "x"], ["up", "--zap"], ["no-such-command"]]
)
def test_usage_errors_exit_with_status_2(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(wrong) == 2
    assert capsys.readouterr().err
