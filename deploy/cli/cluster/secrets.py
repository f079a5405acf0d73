"""`chorus secrets`: the files from which the containers read what nobody else may know."""

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
ALL_AT_ONCE = "start all brokers anew at once, then `chorus provision`"
# What each word is for, and what follows from its rotation.
WORDS = {
    "query-code": ("residents' query codes are made from it", "no code that was given out before works any more"),
    "operator-token": ("the bearer token of desk and imports", "the old token works until the services are restarted"),
    "grafana-password": (
        "the first password of Grafana's admin",
        "a Grafana that was started before keeps the old one",
    ),
    f"kafka/{ADMIN}": ("Kafka's user for provisioning", ""),
    f"kafka/{BROKER}": ("Kafka's brokers among themselves", ALL_AT_ONCE),
    f"kafka/{CONTROLLER}": ("Kafka's controllers among themselves", ALL_AT_ONCE),
    **{f"kafka/{service}": (f"Kafka's user {service}", "") for service in SERVICES},
    "mongo/keyfile": ("MongoDB's nodes among themselves", "start all nodes anew at once"),
    "mongo/admin": ("MongoDB's user for users and backups", "start mongo-set before anything else"),
    **{f"mongo/{one}": (f"MongoDB's user {one}", f"start mongo-set, then {one} anew") for one in SERVICES},
}
# MongoDB's admin lets itself in with this one after a rotation, to set the new one.
BEFORE = "mongo/admin-before"
CERTIFICATE, AUTHORITY, AUTHORITY_KEY = "kafka-server.pem", "kafka-ca.pem", "kafka-ca.key"
CERTIFICATES = {
    CERTIFICATE: ("Kafka's certificate, for departments outside", "start the brokers anew"),
    AUTHORITY: ("who signs it", "start the brokers anew, and give this file to every department outside"),
}
# Kafka keeps these itself, so that the file alone would only lock them out.
WITH_PROVISION = {f"kafka/{user}" for user in (ADMIN, *SERVICES)}
SECRETS = WORDS | CERTIFICATES
FILES = (*WORDS, BEFORE, *CERTIFICATES, AUTHORITY_KEY)


def secrets(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where the files go.")] = FOLDER,
    rotate: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Make this one anew, like operator-token or mongo/intake.")
    ] = None,
    owner: Annotated[
        int | None, typer.Option(metavar="UID", help="The user the containers run as; only root can give files away.")
    ] = None,
    kafka_host: Annotated[
        str,
        typer.Option(metavar="HOST", envvar="CHORUS_KAFKA_HOST", help="As departments outside reach Kafka."),
    ] = "localhost",
) -> None:
    """Make the secrets that are missing, each in a file that its owner alone can read; never show one.

    Kafka's certificate is also made anew when it runs out within 60 days or was made for another host.
    """
    asked = set(rotate or ())
    _refuse(folder, asked)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        missing = {name for name in SECRETS if not (folder / name).exists()}
        for name in sorted((missing | asked) & WORDS.keys()):
            _make_word(folder, name)
        renewed = _settle_certificate(folder, asked, kafka_host)
        if owner is not None:
            _give(folder, owner)
    except OSError as error:
        raise Failure(FAILED, f"{error.filename!r} cannot be written: {error.strerror}.") from error
    there = {name for name in SECRETS if (folder / name).exists()}
    _tell(folder, there, missing & there, (asked | renewed) - missing)


def _refuse(folder: Path, asked: set[str]) -> None:
    if unknown := sorted(asked - SECRETS.keys()):
        raise Failure(USAGE, f"There is no secret {unknown[0]!r}: name one of {', '.join(SECRETS)}.")
    if kept := sorted(asked & WITH_PROVISION):
        user = kept[0].partition("/")[2]
        raise Failure(REFUSED, f"Kafka itself must learn the new {kept[0]!r}: `chorus provision --rotate {user}`.")
    if (own := sorted(asked & CERTIFICATES.keys())) and _is_operators(folder):
        raise Failure(REFUSED, f"{str(folder / own[0])!r} was not made here: put the new one into its place yourself.")


def _is_operators(folder: Path) -> bool:
    return (folder / CERTIFICATE).exists() and not (folder / AUTHORITY_KEY).exists()


def _make_word(folder: Path, name: str) -> None:
    file = folder / name
    if name == "mongo/admin":
        _write(folder / BEFORE, file.read_text("utf-8") if file.exists() else "\n")
    _write(file, randomness.token_hex(32) + "\n")


def _settle_certificate(folder: Path, asked: set[str], kafka_host: str) -> set[str]:
    """Have a certificate that is good for a while; returns its name when it was made now."""
    gone = (CERTIFICATE, AUTHORITY, AUTHORITY_KEY) if AUTHORITY in asked else asked & {CERTIFICATE}
    for name in gone:
        (folder / name).unlink(missing_ok=True)
    made = Certificates(folder).settled(list(dict.fromkeys((kafka_host, "localhost", "127.0.0.1"))))
    return {CERTIFICATE} if made else set()


def _write(file: Path, content: str) -> None:
    file.parent.mkdir(mode=0o700, exist_ok=True)
    replace_file(file, content, mode=0o600)


def _give(folder: Path, owner: int) -> None:
    files = [folder / name for name in FILES if (folder / name).exists()]
    for one in {folder, *files, *(file.parent for file in files)}:
        os.chown(one, owner, owner)


def _tell(folder: Path, there: set[str], made: set[str], rotated: set[str]) -> None:
    for name in (one for one in SECRETS if one in there):
        purpose, consequence = SECRETS[name]
        was = "made" if name in made else f"made anew: {consequence}" if name in rotated else "was there, left as it is"
        say(f"{folder / name} ({purpose}): {was}")
    emit(
        {
            "folder": str(folder.absolute()),
            "made": sorted(made),
            "rotated": sorted(rotated),
            "existing": sorted(there - made - rotated),
        }
    )
