"""Kafka ACLs of departments and services, and provisioning of users."""

from collections.abc import AsyncIterator, Collection, Iterable
from concurrent.futures import Future
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition
from confluent_kafka import KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AclBinding,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
    UserScramCredentialUpsertion,
)

from deploy.kafka_admin import provisioning
from deploy.kafka_admin.access import Access
from deploy.kafka_admin.provisioning import active_and_retired, current_city, rotate
from deploy.kafka_admin.rights import SERVICE_RIGHTS, Right, department_rights
from deploy.security.passwords import OPERATORS, Passwords, department_user
from shared.city import City, retire
from shared.contracts.sources import SERVICES
from shared.kafka import topics
from shared.kafka.connection import Connection
from shared.kafka.records import Record
from shared.kafka.topic_reader import OffsetRange
from tests.builders import a_city, a_department, a_record

KAFKA = Connection("127.0.0.1:1")


def answered(value: Any = None) -> "Future[Any]":
    future: Future[Any] = Future()
    future.set_result(value)
    return future


class Admin:
    """A fake admin client that keeps Kafka's users and ACLs in memory."""

    def __init__(self) -> None:
        self.passwords: dict[str, bytes] = {}
        self.rules: set[AclBinding] = set()
        self.refuses = False

    def alter_user_scram_credentials(self, changes: Iterable[Any], request_timeout: float) -> dict[str, Any]:
        if self.refuses:
            raise KafkaException("refused")
        for one in changes:
            if isinstance(one, UserScramCredentialUpsertion):
                self.passwords[one.user] = one.password
            else:
                del self.passwords[one.user]
        return {"": answered()}

    def describe_user_scram_credentials(self, request_timeout: float) -> Any:
        return answered(dict.fromkeys(self.passwords))

    def describe_acls(self, wanted: Any, request_timeout: float) -> Any:
        return answered(list(self.rules))

    def create_acls(self, rules: Iterable[AclBinding], request_timeout: float) -> dict[str, Any]:
        self.rules |= set(rules)
        return {"": answered()}

    def delete_acls(self, filters: Iterable[Any], request_timeout: float) -> dict[str, Any]:
        gone = {one for each in filters for one in self.rules if described(one) == described(each)}
        self.rules -= gone
        return {"": answered()}

    def of(self, user: str) -> set[tuple[Any, ...]]:
        """The user's ACLs: operation, resource type, name, pattern type."""
        return {
            (one.operation, one.restype, one.name, one.resource_pattern_type)
            for one in self.rules
            if one.principal == f"User:{user}" and one.permission_type is AclPermissionType.ALLOW and one.host == "*"
        }


def described(rule: Any) -> tuple[Any, ...]:
    return (
        rule.restype,
        rule.name,
        rule.resource_pattern_type,
        rule.principal,
        rule.host,
        rule.operation,
        rule.permission_type,
    )


@pytest.fixture
def admin(monkeypatch: pytest.MonkeyPatch) -> Admin:
    one = Admin()
    monkeypatch.setattr("deploy.kafka_admin.access.AdminClient", lambda settings: one)
    return one


# ── the table ────────────────────────────────────────────────────────────────


def test_a_department_reads_its_inbox_writes_its_outbox_and_uses_groups_with_its_prefix() -> None:
    assert department_rights("water") == {
        Right("READ", "TOPIC", "departments.water.inbox"),
        Right("WRITE", "TOPIC", "departments.water.outbox"),
        Right("READ", "GROUP", "departments.water.", prefixed=True),
    }


def test_group_prefixes_of_similar_codes_do_not_overlap() -> None:
    [groups] = [one.name for one in department_rights("water") if one.prefixed]
    assert not "departments.water-supply.desk".startswith(groups)


def test_no_department_user_is_named_like_a_service_or_an_operator() -> None:
    assert not {department_user(one) for one in (*SERVICES, *OPERATORS)} & {*SERVICES, *OPERATORS}


def test_only_the_router_accesses_and_creates_department_topics() -> None:
    prefixed = {name: {one for one in rights if one.prefixed} for name, rights in SERVICE_RIGHTS.items()}
    assert prefixed.pop("router") == {
        Right(operation, "TOPIC", "departments.", prefixed=True) for operation in ("READ", "WRITE", "CREATE")
    }
    assert not any(prefixed.values())


def test_every_service_writes_its_own_dead_letters_and_only_the_router_reads_them_and_writes_replays() -> None:
    for name, rights in SERVICE_RIGHTS.items():
        reads = {one.name for one in rights if (one.operation, one.kind) == ("READ", "TOPIC")}
        writes = {one.name for one in rights if (one.operation, one.kind) == ("WRITE", "TOPIC")}
        letters, replays = set(map(topics.dead_letters, SERVICES)), set(map(topics.replays, SERVICES))
        assert writes & letters == {topics.dead_letters(name)}
        assert reads & replays == {topics.replays(name)}
        assert reads & letters == (letters if name == "router" else set())
        assert writes & replays == (replays if name == "router" else set())


# ── users and their rules ────────────────────────────────────────────────────


def test_a_user_gets_exactly_the_acls_of_the_table(admin: Admin) -> None:
    access = Access(KAFKA)
    assert access.set_acls({"departments.water": department_rights("water")}) == (3, 0)
    literal, prefixed = ResourcePatternType.LITERAL, ResourcePatternType.PREFIXED
    assert admin.of("departments.water") == {
        (AclOperation.READ, ResourceType.TOPIC, "departments.water.inbox", literal),
        (AclOperation.WRITE, ResourceType.TOPIC, "departments.water.outbox", literal),
        (AclOperation.READ, ResourceType.GROUP, "departments.water.", prefixed),
    }
    assert access.set_acls({"departments.water": department_rights("water")}) == (0, 0)


def test_extra_acls_are_revoked_and_other_users_keep_theirs(admin: Admin) -> None:
    access = Access(KAFKA)
    access.set_acls({name: {Right("WRITE", "TOPIC", topics.INPUTS)} for name in ("departments.water", "another")})
    assert access.set_acls({"departments.water": department_rights("water")}) == (3, 1)
    assert len(admin.of("departments.water")) == 3
    assert len(admin.of("another")) == 1


def test_revoking_a_user_deletes_its_acls_and_password_only(admin: Admin) -> None:
    access = Access(KAFKA)
    users = {department_user(code): department_rights(code) for code in ("water", "roads")}
    access.set_passwords(dict.fromkeys(users, "secret"))
    access.set_acls(users)
    for _ in range(2):
        access.revoke("departments.water")
        assert (admin.of("departments.water"), access.users()) == (set(), {"departments.roads"})
    assert len(admin.of("departments.roads")) == 3


# ── who is let in ────────────────────────────────────────────────────────────


def test_the_current_directory_takes_precedence_over_the_folder() -> None:
    folder = a_city(a_department("water"), a_department("roads"), a_department("parks"))
    in_force = retire(a_city(a_department("water"), a_department("noise")), "water")
    assert active_and_retired(folder, in_force) == (["noise", "parks", "roads"], ["water"])
    assert active_and_retired(retire(folder, "parks"), None) == (["roads", "water"], ["parks"])


async def test_the_current_city_is_the_highest_revision_in_any_order(monkeypatch: pytest.MonkeyPatch) -> None:
    cities = [a_city(a_department("water"), revision=number) for number in (3, 5, 4)]
    monkeypatch.setattr(provisioning, "topic_reader", lambda connection: nullcontext(Directory(cities)))
    in_force = await current_city(KAFKA)
    assert in_force is not None
    assert in_force.revision == 5


class Directory:
    """A fake reader of the topic city.directory."""

    def __init__(self, cities: list[City]) -> None:
        self.cities = cities

    async def offset_ranges(self, names: Collection[str]) -> dict[TopicPartition, OffsetRange]:
        return {TopicPartition(name, 0): OffsetRange(0, len(self.cities)) for name in names}

    async def records(self, partition: TopicPartition, start: int, end: int) -> AsyncIterator[tuple[list[Record], int]]:
        for n, city in enumerate(self.cities[start:end], start=1):
            yield [a_record(city.model_dump_json().encode(), topic=partition.topic, offset=n - 1)], n


async def test_rotation_changes_the_password_in_kafka_and_in_the_file(admin: Admin, tmp_path: Path) -> None:
    passwords = Passwords(tmp_path)
    before = passwords.of("scorer")
    await rotate(KAFKA, "scorer", passwords)
    assert passwords.of("scorer") != before
    assert admin.passwords == {"scorer": passwords.of("scorer").encode()}


async def test_a_failed_rotation_keeps_the_old_password_in_the_file(admin: Admin, tmp_path: Path) -> None:
    passwords = Passwords(tmp_path)
    before = passwords.of("scorer")
    admin.refuses = True
    with pytest.raises(KafkaException):
        await rotate(KAFKA, "scorer", passwords)
    assert passwords.of("scorer") == before


def test_a_password_file_has_mode_600(tmp_path: Path) -> None:
    passwords = Passwords(tmp_path / "kafka")
    passwords.of("scorer")
    assert passwords.file("scorer").stat().st_mode & 0o777 == 0o600
    assert passwords.folder.stat().st_mode & 0o777 == 0o700
