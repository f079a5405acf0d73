"""`chorus apply`: a folder of YAML becomes the city that every service follows."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.cli import kafka_login
from deploy.cli.cluster.provision import asked
from deploy.cli.console import REFUSED, USAGE, Failure, ask, emit, say, stack
from deploy.kafka_admin import provisioning
from shared.city import City, CityError, load_city


def apply(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="city.yaml, departments.yaml, policies.yaml, rules.")],
    check: Annotated[bool, typer.Option("--check", help="Only look whether the folder could be applied.")] = False,
) -> None:
    """Validate a city and put it into force; adds and updates departments, never removes one."""
    city = _read(folder)
    if check:
        say(f"{str(folder)!r} can be applied: {in_words(len(city.active), len(city.rules))}.")
        emit({"valid": True, "departments": len(city.active), "rules": len(city.rules), "problems": []})
        return
    headers = {"Content-Type": "application/json"}
    url = f"{stack().urls.router}/city"
    revised = ask("POST", url, operator=True, content=city.model_dump_json(), headers=headers).json()
    say(f"Revision {revised['revision']} is in force: {in_words(revised['departments'], revised['rules'])}.")
    if kafka_login.has_users():
        revised["users"] = _let_in(city)
    emit(revised)


def _let_in(city: City) -> list[str] | None:
    """Make the users of its new departments; returns their names, None where passwords are kept elsewhere."""
    passwords = kafka_login.passwords()
    if passwords is None:
        say("Kafka lets in no new department yet: run `chorus provision` where CHORUS_KAFKA_USERS is.")
        return None
    kafka = kafka_login.admin()
    users = asked(kafka, provisioning.provision(kafka, city, passwords)).users
    for user in users:
        say(f"Kafka lets in {user}; its password is in {passwords.file(user)}.")
    return users


def in_words(departments: int, rules: int) -> str:
    """The size of a city."""
    return f"{departments} departments, {rules} rules"


def _read(folder: Path) -> City:
    if not folder.is_dir():
        kind = "is a file" if folder.exists() else "is not there"
        raise Failure(USAGE, f"The folder {str(folder)!r} {kind}: name one with city.yaml, like deploy/city.")
    try:
        return load_city(folder)
    except CityError as error:
        emit({"valid": False, "problems": list(error.problems)})
        problems = "\n  ".join(error.problems)
        raise Failure(
            REFUSED, f"The city in {str(folder)!r} cannot be applied; nothing was changed.\n  {problems}"
        ) from error
