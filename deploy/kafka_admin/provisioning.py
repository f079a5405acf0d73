"""Provisioning: creates the topics of the flow table; on a Kafka with users also users, ACLs and quotas."""

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

# The newest revision need not be the last record: two routers may publish at the same time.
LAST_REVISIONS = 50


@dataclass(frozen=True)
class Provisioned:
    """What a run changed: created topics, created users, the number of ACLs granted and revoked, revoked departments.

    `changed_settings` has the changed settings of topics that existed before, as `topic setting=value`.
    """

    topics: list[str]
    changed_settings: list[str]
    users: list[str]
    granted: int
    revoked: int
    departments_revoked: list[str]


async def provision(connection: Connection, city: City, passwords: Passwords | None = None) -> Provisioned:
    """Create missing topics; with `passwords`, as Kafka's admin, also users, ACLs and quotas. Safe to repeat.

    Existing topics keep their settings, except those that `topic_settings` corrects. Passwords are set from the files,
    ACLs and quotas from the tables in this package. Users are the services, the broker, and each department of the folder
    or of the current directory. The access of retired departments is revoked.
    """
    settings = Settings()
    wanted = (
        *system_topics(settings.partitions, settings.retention_days),
        *department_topics([one.code for one in city.active], settings.retention_days),
    )
    created = await create_topics(connection, wanted, settings.replication)
    changed = await asyncio.to_thread(topic_settings.correct, connection, wanted)
    if passwords is None:
        return Provisioned(created, changed, [], 0, 0, [])
    codes, retired = active_and_retired(city, await current_city(connection))
    rights = SERVICE_RIGHTS | {department_user(code): department_rights(code) for code in codes}
    if passwords.known(BROKER):
        # Sets the password after a rotation. Brokers are super users, so they need no ACLs.
        rights[BROKER] = frozenset()
    users, (granted, revoked) = await asyncio.to_thread(_grant, connection, rights, passwords)
    await quotas.limit(connection, map(department_user, codes))
    existing = await asyncio.to_thread(Access(connection).users)
    to_revoke = [
        code for code in retired if department_user(code) in existing or passwords.known(department_user(code))
    ]
    for code in to_revoke:
        await revoke_access(connection, code, passwords)
    return Provisioned(created, changed, users, granted, revoked, to_revoke)


def active_and_retired(folder: City, current: City | None) -> tuple[list[str], list[str]]:
    """The codes of active and of retired departments; the current directory takes precedence over the folder."""
    known = {one.code: one for one in (*folder.departments, *(current.departments if current else ()))}
    return (
        sorted(code for code, one in known.items() if not one.retired),
        sorted(code for code, one in known.items() if one.retired),
    )


async def current_city(connection: Connection) -> City | None:
    """The newest revision on the topic `city.directory`; None before the first `chorus apply`."""
    partition = TopicPartition(topics.CITY, 0)
    found: list[City] = []
    async with topic_reader(connection) as reader:
        offsets = (await reader.offset_ranges([topics.CITY]))[partition]
        start = max(offsets.end - LAST_REVISIONS, offsets.first)
        async for records, _ in reader.records(partition, start, offsets.end):
            found += [City.model_validate_json(one.value or b"") for one in records]
    return max(found, key=lambda one: one.revision, default=None)


def _grant(
    connection: Connection, rights: Mapping[str, frozenset[Right]], passwords: Passwords
) -> tuple[list[str], tuple[int, int]]:
    access = Access(connection)
    new = sorted(rights.keys() - access.users())
    access.set_passwords({user: passwords.of(user) for user in rights})
    return new, access.set_acls(rights)


async def grant_access(connection: Connection, code: str, passwords: Passwords) -> None:
    """Create a department's user with ACLs and quota; safe to repeat."""
    user = department_user(code)
    await asyncio.to_thread(_grant, connection, {user: department_rights(code)}, passwords)
    await quotas.limit(connection, [user])


async def rotate(connection: Connection, user: str, passwords: Passwords) -> None:
    """Give the user a new password; Kafka rejects the old one for new connections. If Kafka fails, the file keeps the old."""
    before, access = passwords.of(user), Access(connection)
    try:
        await asyncio.to_thread(access.set_passwords, {user: passwords.renew(user)})
    except KafkaException:
        passwords.write(user, before)
        raise


async def revoke_access(connection: Connection, code: str, passwords: Passwords) -> None:
    """Revoke a department's ACLs, password and quota; safe to repeat."""
    user = department_user(code)
    await asyncio.to_thread(Access(connection).revoke, user)
    await quotas.unlimit(connection, [user])
    passwords.delete(user)
