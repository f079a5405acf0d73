"""Kafka's users: SCRAM passwords and ACLs."""

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
ALL_ACLS = AclBindingFilter(
    ResourceType.ANY,
    None,  # type: ignore[arg-type]
    ResourcePatternType.ANY,
    None,  # type: ignore[arg-type]
    None,  # type: ignore[arg-type]
    AclOperation.ANY,
    AclPermissionType.ANY,
)


class Access:
    """Every method is safe to repeat, and raises KafkaException when Kafka is unavailable or rejects the request."""

    def __init__(self, connection: Connection) -> None:
        self.admin = AdminClient(connection.confluent() | {"log_level": 0, "error_cb": lambda _: None})

    def set_passwords(self, passwords: Mapping[str, str]) -> None:
        """Create these users or change their passwords; open connections stay open."""
        scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, ITERATIONS)
        if passwords:
            self._alter([UserScramCredentialUpsertion(user, scram, text.encode()) for user, text in passwords.items()])

    def users(self) -> set[str]:
        """The users that have a password."""
        answer: Any = self.admin.describe_user_scram_credentials(request_timeout=ANSWER_S)
        return set(answer.result(ANSWER_S))

    def set_acls(self, wanted: Mapping[str, Collection[Right]]) -> tuple[int, int]:
        """Give each user exactly these ACLs; returns how many were granted and how many revoked."""
        existing = self._acls_of(wanted)
        allowed = {_acl(user, right) for user, rights in wanted.items() for right in rights}
        missing, extra = allowed - existing, existing - allowed
        if missing:
            _await(self.admin.create_acls(list(missing), request_timeout=ANSWER_S).values())
        self._delete(extra)
        return len(missing), len(extra)

    def revoke(self, user: str) -> None:
        """Delete the user's ACLs, which stops its requests within a second, then its password."""
        self._delete(self._acls_of([user]))
        if user in self.users():
            self._alter([UserScramCredentialDeletion(user, ScramMechanism.SCRAM_SHA_512)])

    def _acls_of(self, users: Iterable[str]) -> set[AclBinding]:
        principals = {f"User:{user}" for user in users}
        answer = self.admin.describe_acls(ALL_ACLS, request_timeout=ANSWER_S)
        return {acl for acl in answer.result(ANSWER_S) if acl.principal in principals}

    def _delete(self, acls: Iterable[AclBinding]) -> None:
        if filters := [_filter(acl) for acl in acls]:
            _await(self.admin.delete_acls(filters, request_timeout=ANSWER_S).values())

    def _alter(self, changes: list[Any]) -> None:
        _await(self.admin.alter_user_scram_credentials(changes, request_timeout=ANSWER_S).values())


def _await(answers: Iterable[Future[Any]]) -> None:
    for answer in answers:
        answer.result(ANSWER_S)


def _acl(user: str, right: Right) -> AclBinding:
    return AclBinding(
        ResourceType[right.kind],
        right.name,
        ResourcePatternType.PREFIXED if right.prefixed else ResourcePatternType.LITERAL,
        f"User:{user}",
        "*",
        AclOperation[right.operation],
        AclPermissionType.ALLOW,
    )


def _filter(acl: AclBinding) -> AclBindingFilter:
    return AclBindingFilter(
        acl.restype,
        acl.name,
        acl.resource_pattern_type,
        acl.principal,
        acl.host,
        acl.operation,
        acl.permission_type,
    )
