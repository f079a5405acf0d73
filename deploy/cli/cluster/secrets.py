"""`chorus secrets`: creates and rotates the secret files that docker-compose.yml mounts."""

import os
import secrets as randomness
from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.console import FAILED, REFUSED, USAGE, Failure, emit, say
from deploy.security.certificates import Certificates
from deploy.security.files import replace_file
from deploy.security.passwords import ADMIN, BROKER, CONTROLLER
from shared.contracts.sources import SERVICES

FOLDER = Path("deploy/secrets")
RESTART_BROKERS = "restart all brokers at the same time, then run `chorus provision`"
# For each secret its purpose, and what to do or expect after a rotation.
PASSWORDS = {
    "query-code": (
        "the key of query codes and of the links in mails",
        "query codes and links issued before are no longer valid; restart intake and the notifier together",
    ),
    "operator-token": ("the bearer token for desk and imports", "the old token works until the services are restarted"),
    "grafana-password": (
        "the initial password of Grafana's admin",
        "a Grafana that has started before keeps its password",
    ),
    f"kafka/{ADMIN}": ("the Kafka user for provisioning", ""),
    f"kafka/{BROKER}": ("the Kafka user of the brokers", RESTART_BROKERS),
    f"kafka/{CONTROLLER}": ("the Kafka user of the controllers", RESTART_BROKERS),
    **{f"kafka/{service}": (f"the Kafka user {service}", "") for service in SERVICES},
    "mongo/keyfile": ("the keyfile of the MongoDB replica set", "restart all MongoDB nodes at the same time"),
    "mongo/admin": ("the MongoDB user for users and backups", "run mongo-set before anything else"),
    **{f"mongo/{one}": (f"the MongoDB user {one}", f"run mongo-set, then restart {one}") for one in SERVICES},
}
# After a rotation of mongo/admin, mongo-set logs in with the previous password to set the new one.
BEFORE = "mongo/admin-before"
CERTIFICATE, AUTHORITY, AUTHORITY_KEY = "kafka-server.pem", "kafka-ca.pem", "kafka-ca.key"
CERTIFICATES = {
    CERTIFICATE: ("Kafka's TLS certificate for departments outside", "restart the brokers"),
    AUTHORITY: ("the CA that signs it", "restart the brokers, and give this file to every department outside"),
}
# Kafka stores these passwords itself: replacing only the file would lock the user out.
WITH_PROVISION = {f"kafka/{user}" for user in (ADMIN, *SERVICES)}
SECRETS = PASSWORDS | CERTIFICATES
FILES = (*PASSWORDS, BEFORE, *CERTIFICATES, AUTHORITY_KEY)


def secrets(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="The folder of the secret files.")] = FOLDER,
    rotate: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Replace this secret, for example operator-token or mongo/intake."),
    ] = None,
    owner: Annotated[
        int | None,
        typer.Option(metavar="UID", help="Change the owner of the files to the user of the containers; needs root."),
    ] = None,
    kafka_host: Annotated[
        str,
        typer.Option(
            metavar="HOST",
            envvar="CHORUS_KAFKA_HOST",
            help="The host name by which departments outside reach Kafka, for its certificate.",
        ),
    ] = "localhost",
) -> None:
    """Create missing secrets, each in a file with mode 600. Never prints a secret. Safe to repeat.

    Also renews Kafka's certificate 60 days before it expires, or when the host name has changed.
    """
    names = set(rotate or ())
    _refuse(folder, names)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        missing = {name for name in SECRETS if not (folder / name).exists()}
        for name in sorted((missing | names) & PASSWORDS.keys()):
            _create_password(folder, name)
        renewed = _ensure_certificate(folder, names, kafka_host)
        if owner is not None:
            _change_owner(folder, owner)
    except OSError as error:
        raise Failure(FAILED, f"Cannot write {error.filename!r}: {error.strerror}.") from error
    existing = {name for name in SECRETS if (folder / name).exists()}
    _report(folder, existing, missing & existing, (names | renewed) - missing)


def _refuse(folder: Path, names: set[str]) -> None:
    if unknown := sorted(names - SECRETS.keys()):
        raise Failure(USAGE, f"Unknown secret {unknown[0]!r}: choose one of {', '.join(SECRETS)}.")
    if kept := sorted(names & WITH_PROVISION):
        user = kept[0].partition("/")[2]
        raise Failure(
            REFUSED,
            f"Kafka stores the password {kept[0]!r} itself: use `chorus provision --rotate {user}` to change both.",
        )
    if (own := sorted(names & CERTIFICATES.keys())) and _is_operators(folder):
        raise Failure(
            REFUSED, f"{str(folder / own[0])!r} was not created by `chorus secrets`: replace the file yourself."
        )


def _is_operators(folder: Path) -> bool:
    return (folder / CERTIFICATE).exists() and not (folder / AUTHORITY_KEY).exists()


def _create_password(folder: Path, name: str) -> None:
    file = folder / name
    if name == "mongo/admin":
        _write(folder / BEFORE, file.read_text("utf-8") if file.exists() else "\n")
    _write(file, randomness.token_hex(32) + "\n")


def _ensure_certificate(folder: Path, names: set[str], kafka_host: str) -> set[str]:
    """Issue the certificate if needed; returns its name when it was issued."""
    replaced = (CERTIFICATE, AUTHORITY, AUTHORITY_KEY) if AUTHORITY in names else names & {CERTIFICATE}
    for name in replaced:
        (folder / name).unlink(missing_ok=True)
    issued = Certificates(folder).ensure(list(dict.fromkeys((kafka_host, "localhost", "127.0.0.1"))))
    return {CERTIFICATE} if issued else set()


def _write(file: Path, content: str) -> None:
    file.parent.mkdir(mode=0o700, exist_ok=True)
    replace_file(file, content, mode=0o600)


def _change_owner(folder: Path, owner: int) -> None:
    files = [folder / name for name in FILES if (folder / name).exists()]
    for one in {folder, *files, *(file.parent for file in files)}:
        os.chown(one, owner, owner)


def _report(folder: Path, existing: set[str], created: set[str], rotated: set[str]) -> None:
    for name in (one for one in SECRETS if one in existing):
        purpose, next_step = SECRETS[name]
        outcome = "created" if name in created else f"replaced: {next_step}" if name in rotated else "unchanged"
        say(f"{folder / name} ({purpose}): {outcome}")
    emit(
        {
            "folder": str(folder.absolute()),
            "made": sorted(created),
            "rotated": sorted(rotated),
            "existing": sorted(existing - created - rotated),
        }
    )
