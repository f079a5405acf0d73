"""Letting users into Kafka, and out: their passwords, exactly the rights of the table, and how much they may take."""

from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import Future
from typing import Any

from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)

from deploy.kafka_admin.rights import Right
from shared.kafka.connection import Connection

ANSWER_S = 30.0
ITERATIONS = 4096
EVERY_RULE = AclBindingFilter(
    ResourceType.ANY,
    None,  # type: ignore[arg-type]
    ResourcePatternType.ANY,
    None,  # type: ignore[arg-type]
    None,  # type: ignore[arg-type]
    AclOperation.ANY,
    AclPermissionType.ANY,
)


class Access:
    """What an admin may do; every method is safe to repeat and raises KafkaException when the broker is away or refuses."""

    def __init__(self, connection: Connection) -> None:
        self.admin = AdminClient(connection.confluent() | {"log_level": 0, "error_cb": lambda _: None})

    def set_passwords(self, passwords: Mapping[str, str]) -> None:
        """From now on these users log in with these passwords; connections that stand are not cut."""
        how = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, ITERATIONS)
        if passwords:
            self._alter([UserScramCredentialUpsertion(user, how, word.encode()) for user, word in passwords.items()])

    def users(self) -> set[str]:
        """Everybody who has a password."""
        answer: Any = self.admin.describe_user_scram_credentials(request_timeout=ANSWER_S)
        return set(answer.result(ANSWER_S))

    def settle(self, wanted: Mapping[str, Collection[Right]]) -> tuple[int, int]:
        """Give each user exactly these rights; returns how many were granted and how many taken away."""
        have = self._rules_of(wanted)
        allowed = {_rule(user, right) for user, rights in wanted.items() for right in rights}
        missing, too_many = allowed - have, have - allowed
        if missing:
            _finished(self.admin.create_acls(list(missing), request_timeout=ANSWER_S).values())
        self._take(too_many)
        return len(missing), len(too_many)

    def cut_off(self, user: str) -> None:
        """Take all rights, which ends what the user does within a second, then the password."""
        self._take(self._rules_of([user]))
        if user in self.users():
            self._alter([UserScramCredentialDeletion(user, ScramMechanism.SCRAM_SHA_512)])

    def _rules_of(self, users: Iterable[str]) -> set[AclBinding]:
        principals = {f"User:{user}" for user in users}
        answer = self.admin.describe_acls(EVERY_RULE, request_timeout=ANSWER_S)
        return {rule for rule in answer.result(ANSWER_S) if rule.principal in principals}

    def _take(self, rules: Iterable[AclBinding]) -> None:
        if filters := [_only(rule) for rule in rules]:
            _finished(self.admin.delete_acls(filters, request_timeout=ANSWER_S).values())

    def _alter(self, changes: list[Any]) -> None:
        _finished(self.admin.alter_user_scram_credentials(changes, request_timeout=ANSWER_S).values())


def _finished(answers: Iterable[Future[Any]]) -> None:
    for answer in answers:
        answer.result(ANSWER_S)


def _rule(user: str, right: Right) -> AclBinding:
    return AclBinding(
        ResourceType[right.kind],
        right.name,
        ResourcePatternType.PREFIXED if right.prefixed else ResourcePatternType.LITERAL,
        f"User:{user}",
        "*",
        AclOperation[right.operation],
        AclPermissionType.ALLOW,
    )


def _only(rule: AclBinding) -> AclBindingFilter:
    return AclBindingFilter(
        rule.restype,
        rule.name,
        rule.resource_pattern_type,
        rule.principal,
        rule.host,
        rule.operation,
        rule.permission_type,
    )
