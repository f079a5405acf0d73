"""`chorus apply`: validates a city folder and publishes it to all services."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.cli import kafka_login
from deploy.cli.cluster.provision import run_on_kafka
from deploy.cli.console import REFUSED, USAGE, Failure, ask, emit, say, stack
from deploy.kafka_admin import provisioning
from shared.city import City, CityError, load_city


def apply(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR", help="Folder with city.yaml, departments.yaml, policies.yaml, rules/, calendars.yaml."
        ),
    ],
    check: Annotated[bool, typer.Option("--check", help="Only validate the folder.")] = False,
) -> None:
    """Validate a city folder and publish it. Adds and updates departments, never removes one."""
    city = _read(folder)
    if check:
        say(f"{str(folder)!r} is valid: {summary(len(city.active), len(city.rules))}.")
        emit({"valid": True, "departments": len(city.active), "rules": len(city.rules), "problems": []})
        return
    headers = {"Content-Type": "application/json"}
    url = f"{stack().urls.router}/city"
    revised = ask("POST", url, operator=True, content=city.model_dump_json(), headers=headers).json()
    say(f"Revision {revised['revision']} is active: {summary(revised['departments'], revised['rules'])}.")
    if kafka_login.has_users():
        revised["users"] = _create_users(city)
    emit(revised)


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
