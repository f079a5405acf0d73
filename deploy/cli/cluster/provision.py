"""`chorus provision`: creates Kafka's topics, users, ACLs and quotas for a city, and rotates users' passwords."""

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

RESTART = "Give its users the new password and restart them."
Result = TypeVar("Result")


def provision(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="The city folder (default: $CHORUS_CITY or the sample city).")
    ] = None,
    rotate: Annotated[
        str | None,
        typer.Option(metavar="USER", help="Only give this Kafka user a new password, for example departments.parks."),
    ] = None,
) -> None:
    """Create missing topics; on a Kafka with users also the users, ACLs and quotas of services and departments.

    Safe to repeat. Existing topics keep their settings, except compression.type and a max.message.bytes that is too small.
    Existing users keep their passwords. ACLs are set exactly: missing ones are granted, others revoked.
    """
    settings = kafka_login.settings()
    if rotate is not None:
        _rotate(rotate)
        return
    city = read_city(folder or city_folder())
    kafka, passwords = kafka_login.admin(), kafka_login.passwords() if kafka_login.has_users() else None
    if kafka_login.has_users() and passwords is None:
        raise Failure(USAGE, "CHORUS_KAFKA_USERS is not set: set it to the folder of the Kafka users' passwords.")
    done = run_on_kafka(kafka, provisioning.provision(kafka, city, passwords))
    codes = [one.code for one in city.active]
    wanted = (
        *system_topics(settings.partitions, settings.retention_days),
        *department_topics(codes, settings.retention_days),
    )
    _report(kafka, len(codes), done, len(wanted) - len(done.topics), passwords)


def _report(kafka: Connection, departments: int, done: Provisioned, existing: int, passwords: Passwords | None) -> None:
    created = sorted(done.topics)
    for name in created:
        say(f"Created topic {name}")
    for change in done.changed_settings:
        say(f"Changed topic setting {change}")
    say(f"Created {len(created)} topics on {kafka.kafka!r}; {existing} existed already.")
    document = {"kafka": kafka.kafka, "departments": departments, "made": created, "existing": existing}
    document["altered"] = done.changed_settings
    if passwords is not None:
        for user in done.users:
            say(f"Created user {user}; its password is in {passwords.file(user)}")
        for code in done.departments_revoked:
            say(f"Revoked the access of {code}: the department is retired")
        say(f"Created {len(done.users)} users, granted {done.granted} ACLs, revoked {done.revoked} ACLs.")
        document |= {"users": done.users, "granted": done.granted}
        document |= {"taken": done.revoked, "cut_off": done.departments_revoked}
    emit(document)


def _rotate(user: str) -> None:
    if user in (BROKER, CONTROLLER):
        raise Failure(
            REFUSED,
            f"{user!r} is the user of the brokers: stop them, then run `chorus secrets --rotate kafka/{user}`.",
        )
    passwords = kafka_login.passwords()
    if passwords is None:
        raise Failure(USAGE, "CHORUS_KAFKA_USERS is not set: set it to the folder of the Kafka users' passwords.")
    if not passwords.known(user):
        raise Failure(
            REFUSED, f"The folder {str(passwords.folder)!r} has no password for {user!r}: its files name the users."
        )
    kafka = kafka_login.admin()
    run_on_kafka(kafka, provisioning.rotate(kafka, user, passwords))
    file = passwords.file(user)
    say(f"{user} has a new password, in {file}. Kafka rejects the old one for new connections. {RESTART}")
    emit({"user": user, "password_file": str(file)})


def run_on_kafka(kafka: Connection, work: Coroutine[Any, Any, Result]) -> Result:
    """Run `work`; raises Failure when Kafka is unavailable or rejects a request, or a file cannot be written."""
    kafka_login.quiet()
    try:
        return asyncio.run(work)
    except (KafkaError, KafkaException, TimeoutError) as error:
        raise kafka_login.to_failure(error, kafka) from error
    except OSError as error:
        if error.filename is None:
            raise kafka_login.to_failure(error, kafka) from error
        raise Failure(FAILED, f"Cannot write {error.filename!r}: {error.strerror}.") from error
