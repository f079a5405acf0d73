"""`chorus provision`: topics, users and rights of a city, on its Kafka; the one command of operators that speaks Kafka itself."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from aiokafka.errors import KafkaError
from confluent_kafka import KafkaException

from deploy.cli import kafka_login
from deploy.cli.console import FAILED, REFUSED, USAGE, Failure, emit, say
from deploy.kafka_admin import provisioning
from deploy.kafka_admin.provisioning import Provisioned
from deploy.local.city import city_folder, read_city
from deploy.security.passwords import BROKER, CONTROLLER, Passwords
from shared.kafka.connection import Connection
from shared.kafka.topics import department_topics, system_topics

RESTARTED = "Whoever uses it must be given the new one, and started again."
Result = TypeVar("Result")


def provision(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="The city folder ($CHORUS_CITY, else the sample city).")
    ] = None,
    rotate: Annotated[
        str | None, typer.Option(metavar="USER", help="Only give this user a new password, like departments.parks.")
    ] = None,
) -> None:
    """Make what is missing: topics; where Kafka has users, those of services and departments, with rights and quotas.

    Safe to repeat. Topics that are there keep their settings, but for compression.type and a max.message.bytes that is too
    small; passwords that are there are kept; rights become exactly those that the flow table gives.
    """
    settings = kafka_login.settings()
    if rotate is not None:
        _rotate(rotate)
        return
    city = read_city(folder or city_folder())
    kafka, passwords = kafka_login.admin(), kafka_login.passwords() if kafka_login.has_users() else None
    if kafka_login.has_users() and passwords is None:
        raise Failure(USAGE, "Kafka has users: name the folder for their passwords with CHORUS_KAFKA_USERS.")
    done = asked(kafka, provisioning.provision(kafka, city, passwords))
    codes = [one.code for one in city.active]
    wanted = (
        *system_topics(settings.partitions, settings.retention_days),
        *department_topics(codes, settings.retention_days),
    )
    _tell(kafka, len(codes), done, len(wanted) - len(done.topics), passwords)


def _tell(kafka: Connection, departments: int, done: Provisioned, existing: int, passwords: Passwords | None) -> None:
    made = sorted(done.topics)
    for name in made:
        say(f"made {name}")
    for change in done.altered:
        say(f"changed {change}")
    say(f"{len(made)} topics made on {kafka.kafka!r}, {existing} were there.")
    told = {"kafka": kafka.kafka, "departments": departments, "made": made, "existing": existing}
    told["altered"] = done.altered
    if passwords is not None:
        for user in done.users:
            say(f"user {user}, password in {passwords.file(user)}")
        for code in done.cut_off:
            say(f"{code} is retired, and cut off now")
        say(f"{len(done.users)} users made, {done.granted} rights granted, {done.taken} taken away.")
        told |= {"users": done.users, "granted": done.granted, "taken": done.taken, "cut_off": done.cut_off}
    emit(told)


def _rotate(user: str) -> None:
    if user in (BROKER, CONTROLLER):
        raise Failure(
            REFUSED, f"{user!r} is the brokers' own: `chorus secrets --rotate kafka/{user}`, brokers stopped."
        )
    passwords = kafka_login.passwords()
    if passwords is None:
        raise Failure(USAGE, "There are no passwords here: name their folder with CHORUS_KAFKA_USERS.")
    if not passwords.known(user):
        raise Failure(REFUSED, f"There is no password for {user!r} in {str(passwords.folder)!r}: look at its files.")
    kafka = kafka_login.admin()
    asked(kafka, provisioning.rotate(kafka, user, passwords))
    file = passwords.file(user)
    say(f"{user} has a new password, in {file}; the old one opens no new connection. {RESTARTED}")
    emit({"user": user, "password_file": str(file)})


def asked(kafka: Connection, work: Coroutine[Any, Any, Result]) -> Result:
    """Do this with Kafka; raises Failure with a sentence when it is away or refuses."""
    kafka_login.quiet()
    try:
        return asyncio.run(work)
    except (KafkaError, KafkaException, TimeoutError) as error:
        raise kafka_login.explained(error, kafka) from error
    except OSError as error:
        if error.filename is None:
            raise kafka_login.explained(error, kafka) from error
        raise Failure(FAILED, f"{error.filename!r} cannot be written: {error.strerror}.") from error
