"""Provisioning: every topic of the flow table, and where Kafka has users, every user with the rights of the table."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from aiokafka import TopicPartition
from confluent_kafka import KafkaException

from deploy.kafka_admin import quotas, topic_settings
from deploy.kafka_admin.access import Access
from deploy.kafka_admin.rights import SERVICE_RIGHTS, Right, department_rights
from deploy.security.passwords import BROKER, Passwords, department_user
from shared.city import City
from shared.kafka import topics
from shared.kafka.connection import Connection
from shared.kafka.topic_admin import create_topics
from shared.kafka.topic_reader import topic_reader
from shared.kafka.topics import department_topics, system_topics
from shared.runtime.settings import Settings

# Routers that publish at the same time may put an older revision after a newer one.
LAST_REVISIONS = 50


@dataclass(frozen=True)
class Provisioned:
    """What a run changed: names of topics, names of users that are new, how many rights were granted and taken.

    `altered` names settings of topics that were there before, as `topic setting=value`.
    """

    topics: list[str]
    altered: list[str]
    users: list[str]
    granted: int
    taken: int
    cut_off: list[str]


async def provision(connection: Connection, city: City, passwords: Passwords | None = None) -> Provisioned:
    """Make what is missing; with `passwords`, as Kafka's admin, users and rights too. Safe to repeat.

    Topics keep their settings, but for those that `topic_settings` settles; passwords become those of the files, rights
    and quotas those of the tables. Users are all services, the brokers' own, and every department of the folder or of the
    directory in force; one that is retired there is cut off.
    """
    settings = Settings()
    wanted = (
        *system_topics(settings.partitions, settings.retention_days),
        *department_topics([one.code for one in city.active], settings.retention_days),
    )
    made = await create_topics(connection, wanted, settings.replication)
    altered = await asyncio.to_thread(topic_settings.settle, connection, wanted)
    if passwords is None:
        return Provisioned(made, altered, [], 0, 0, [])
    codes, retired = members(city, await city_in_force(connection))
    rights = SERVICE_RIGHTS | {department_user(code): department_rights(code) for code in codes}
    if passwords.known(BROKER):
        # After a rotation of its file; what brokers may do among themselves needs no rule.
        rights[BROKER] = frozenset()
    users, (granted, taken) = await asyncio.to_thread(_let_in, connection, rights, passwords)
    await quotas.limit(connection, map(department_user, codes))
    there = await asyncio.to_thread(Access(connection).users)
    gone = [code for code in retired if department_user(code) in there or passwords.known(department_user(code))]
    for code in gone:
        await cut_off(connection, code, passwords)
    return Provisioned(made, altered, users, granted, taken, gone)


def members(folder: City, in_force: City | None) -> tuple[list[str], list[str]]:
    """The departments that may come in, and those that may not any more: the directory in force knows better than the folder."""
    known = {one.code: one for one in (*folder.departments, *(in_force.departments if in_force else ()))}
    return (
        sorted(code for code, one in known.items() if not one.retired),
        sorted(code for code, one in known.items() if one.retired),
    )


async def city_in_force(connection: Connection) -> City | None:
    """The newest revision that the desk has published."""
    place = TopicPartition(topics.CITY, 0)
    found: list[City] = []
    async with topic_reader(connection) as look:
        span = (await look.spans([topics.CITY]))[place]
        async for records, _ in look.records(place, max(span.end - LAST_REVISIONS, span.first), span.end):
            found += [City.model_validate_json(one.value or b"") for one in records]
    return max(found, key=lambda one: one.revision, default=None)


def _let_in(
    connection: Connection, rights: Mapping[str, frozenset[Right]], passwords: Passwords
) -> tuple[list[str], tuple[int, int]]:
    access = Access(connection)
    new = sorted(rights.keys() - access.users())
    access.set_passwords({user: passwords.of(user) for user in rights})
    return new, access.settle(rights)


async def let_in(connection: Connection, code: str, passwords: Passwords) -> None:
    """One department more may come in; safe to repeat."""
    user = department_user(code)
    await asyncio.to_thread(_let_in, connection, {user: department_rights(code)}, passwords)
    await quotas.limit(connection, [user])


async def rotate(connection: Connection, user: str, passwords: Passwords) -> None:
    """A new password for the user: the old one opens no new connection from now on. What Kafka refuses changes nothing."""
    before, access = passwords.of(user), Access(connection)
    try:
        await asyncio.to_thread(access.set_passwords, {user: passwords.renewed(user)})
    except KafkaException:
        passwords.keep(user, before)
        raise


async def cut_off(connection: Connection, code: str, passwords: Passwords) -> None:
    """A department may do nothing any more, from this second on; safe to repeat."""
    user = department_user(code)
    await asyncio.to_thread(Access(connection).cut_off, user)
    await quotas.unlimit(connection, [user])
    passwords.forget(user)
