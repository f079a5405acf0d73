"""`chorus secrets`: creates the secret files of the containers once, and replaces each on request."""

import json
import os
from pathlib import Path

import pytest
from cryptography import x509

from deploy.cli.cluster.secrets import BEFORE, FILES, SECRETS, WITH_PROVISION
from deploy.cli.main import main


def made(folder: Path, *words: str) -> dict[str, bytes]:
    """Run the command; returns the content of each file."""
    assert main(["secrets", str(folder), *words]) == 0
    return {name: (folder / name).read_bytes() for name in FILES}


def changed(before: dict[str, bytes], after: dict[str, bytes]) -> set[str]:
    return {name for name in FILES if before[name] != after[name]}


def hosts(certificate: bytes) -> set[str]:
    names = x509.load_pem_x509_certificate(certificate).extensions
    return {str(one.value) for one in names.get_extension_for_class(x509.SubjectAlternativeName).value}


def test_secrets_are_created_once_and_only_their_owner_can_read_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "secrets"
    assert main(["secrets", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["made"] == sorted(SECRETS)
    first = made(folder)
    assert len({*first.values()}) == len(FILES)
    # Departments get the CA certificate; all other files are secret.
    assert {name for name in FILES if (folder / name).stat().st_mode & 0o077} == {"kafka-ca.pem"}
    assert {one.stat().st_mode & 0o777 for one in (folder, folder / "kafka", folder / "mongo")} == {0o700}

    second = made(folder, "--rotate", "operator-token")
    assert changed(first, second) == {"operator-token"}
    assert (folder / "operator-token").stat().st_mode & 0o777 == 0o600
    shown = capsys.readouterr()
    told = {value.decode().strip() for value in (*first.values(), *second.values())} - {""}
    assert not any(value in shown.out + shown.err for value in told)


@pytest.mark.parametrize("name", sorted(SECRETS.keys() - WITH_PROVISION - {"mongo/admin", "kafka-ca.pem"}))
def test_each_secret_is_rotated_alone(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = made(tmp_path)
    capsys.readouterr()
    assert changed(first, made(tmp_path, "--rotate", name)) == {name}
    assert f"{tmp_path / name} ({SECRETS[name][0]}): replaced: {SECRETS[name][1]}" in capsys.readouterr().out


def test_rotating_the_mongodb_admin_keeps_the_previous_password(tmp_path: Path) -> None:
    first = made(tmp_path)
    second = made(tmp_path, "--rotate", "mongo/admin")
    assert changed(first, second) == {"mongo/admin", BEFORE}
    assert second[BEFORE] == first["mongo/admin"]


def test_rotating_the_ca_issues_a_new_certificate(tmp_path: Path) -> None:
    first = made(tmp_path)
    assert changed(first, made(tmp_path, "--rotate", "kafka-ca.pem")) == {
        "kafka-ca.pem",
        "kafka-ca.key",
        "kafka-server.pem",
    }


def test_the_certificate_is_for_the_host_that_departments_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = made(tmp_path)
    assert hosts(first["kafka-server.pem"]) == {"localhost", "127.0.0.1"}
    monkeypatch.setenv("CHORUS_KAFKA_HOST", "kafka.city.example")
    second = made(tmp_path)
    assert changed(first, second) == {"kafka-server.pem"}
    assert hosts(second["kafka-server.pem"]) == {"kafka.city.example", "localhost", "127.0.0.1"}


def test_the_operators_own_certificate_is_not_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "kafka-server.pem").write_text("my own\n")
    assert main(["secrets", str(tmp_path)]) == 0
    assert main(["secrets", str(tmp_path), "--rotate", "kafka-server.pem"]) == 4
    told = capsys.readouterr()
    assert "kafka-ca.pem" not in told.out
    assert "was not created by `chorus secrets`" in told.err
    assert (tmp_path / "kafka-server.pem").read_text() == "my own\n"


def test_passwords_stored_in_kafka_are_rotated_by_provision(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = made(tmp_path)
    for name in sorted(WITH_PROVISION):
        assert main(["secrets", str(tmp_path), "--rotate", name]) == 4
        assert f"`chorus provision --rotate {name.partition('/')[2]}`" in capsys.readouterr().err
    assert changed(first, made(tmp_path)) == set()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can change the owner of files")
def test_the_option_owner_changes_the_owner_of_files_and_folders(tmp_path: Path) -> None:
    made(tmp_path, "--owner", "10001")
    owned = {tmp_path, tmp_path / "kafka", tmp_path / "mongo", *(tmp_path / name for name in FILES)}
    assert {(one.stat().st_uid, one.stat().st_gid) for one in owned} == {(10001, 10001)}


def test_an_unknown_secret_is_refused_and_nothing_is_created(tmp_path: Path) -> None:
    assert main(["secrets", str(tmp_path), "--rotate", "passwort"]) == 2
    assert list(tmp_path.iterdir()) == []
