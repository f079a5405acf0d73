"""`chorus apply`: validates a city folder, shows what it changes, and publishes it to all services."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from deploy.cli import kafka_login
from deploy.cli.cluster.provision import run_on_kafka
from deploy.cli.console import FAILED, REFUSED, USAGE, Failure, ask, emit, say, stack
from deploy.cli.desk_client import answered
from deploy.cli.operations import city_changes
from deploy.kafka_admin import provisioning
from shared.city import City, CityError, load_city
from shared.city.difference import Change, difference


class Texts(StrEnum):
    """Whose text modules count where a department has changed or removed one of the folder."""

    DESK = "desk"
    FOLDER = "folder"


def apply(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help="Folder with city.yaml, departments.yaml, policies.yaml, rules/, calendars.yaml, texts.yaml.",
        ),
    ],
    check: Annotated[bool, typer.Option("--check", help="Only validate the folder.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation on a terminal.")] = False,
    texts: Annotated[
        Texts,
        typer.Option(
            help="desk: text modules that departments changed or removed stay; folder: the folder's come back."
        ),
    ] = Texts.DESK,
) -> None:
    """Validate a city folder, show what it changes, and publish it. Adds and updates departments, never removes one."""
    city = _read(folder)
    if check:
        say(f"{str(folder)!r} is valid: {summary(len(city.active), len(city.rules))}.")
        emit({"valid": True, "departments": len(city.active), "rules": len(city.rules), "problems": []})
        return
    current = in_force()
    changes = _changes(current, city, texts)
    say(*city_changes.lines(changes, city))
    if current is not None and not any(one.publishes for one in changes):
        say(f"Nothing to change: revision {current.revision} is active.")
        revised: dict[str, Any] = {
            "revision": current.revision,
            "departments": len(current.active),
            "rules": len(current.rules),
        }
    else:
        say(f"{city_changes.totals(changes)}.")
        _confirm(current, yes)
        revised = _publish(city, texts)
        say(f"Revision {revised['revision']} is active: {summary(revised['departments'], revised['rules'])}.")
    if kafka_login.has_users():
        revised["users"] = _create_users(city)
    emit(revised | {"changes": city_changes.document(changes)})


def in_force() -> City | None:
    """The newest revision of the city; None before the first one."""
    try:
        answer = ask("GET", f"{stack().urls.router}/city", operator=True).json()
    except Failure as failure:
        if answered(failure, 404):
            return None
        raise
    try:
        return City.model_validate(answer)
    except ValidationError as error:
        raise Failure(
            FAILED, "The desk's answer to GET /city is not a city: do command and router have the same version?"
        ) from error


def _changes(current: City | None, city: City, texts: Texts) -> list[Change]:
    try:
        return difference(current, city, texts_of_folder=texts is Texts.FOLDER)
    except CityError as error:
        problems = "\n  ".join(error.problems)
        raise Failure(
            REFUSED, f"The folder contradicts the directory in force; nothing was changed.\n  {problems}"
        ) from error


def _confirm(current: City | None, yes: bool) -> None:
    """On a terminal, ask. Refuse when somebody else has changed the city meanwhile: the changes shown are then old."""
    if yes or not sys.stdin.isatty():
        return
    if not typer.confirm("Publish these changes?", err=True):
        raise Failure(REFUSED, "Nothing was published.")
    now = in_force()
    if (now.revision if now else 0) != (current.revision if current else 0):
        raise Failure(REFUSED, "The city was changed in the meantime, nothing was published: run the command again.")


def _publish(city: City, texts: Texts) -> dict[str, Any]:
    headers = {"Content-Type": "application/json"}
    url = f"{stack().urls.router}/city" + ("?texts=folder" if texts is Texts.FOLDER else "")
    revised: dict[str, Any] = ask("POST", url, operator=True, content=city.model_dump_json(), headers=headers).json()
    return revised


def _create_users(city: City) -> list[str] | None:
    """Create the Kafka users of new departments; returns their names, or None without a folder of passwords."""
    passwords = kafka_login.passwords()
    if passwords is None:
        say("New departments have no Kafka user yet: run `chorus provision` where CHORUS_KAFKA_USERS is set.")
        return None
    kafka = kafka_login.admin()
    users = run_on_kafka(kafka, provisioning.provision(kafka, city, passwords)).users
    for user in users:
        say(f"Created the Kafka user {user}; its password is in {passwords.file(user)}.")
    return users


def summary(departments: int, rules: int) -> str:
    return f"{departments} departments, {rules} rules"


def _read(folder: Path) -> City:
    if not folder.is_dir():
        kind = "is not a folder" if folder.exists() else "does not exist"
        raise Failure(USAGE, f"{str(folder)!r} {kind}: use a folder with city.yaml, for example deploy/city.")
    try:
        return load_city(folder)
    except CityError as error:
        emit({"valid": False, "problems": list(error.problems)})
        problems = "\n  ".join(error.problems)
        raise Failure(REFUSED, f"The city in {str(folder)!r} is invalid; nothing was changed.\n  {problems}") from error
