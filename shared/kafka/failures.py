"""The three kinds of failure: the record is invalid, a dependency is unavailable, or anything else."""

from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordTooLargeError,
    TopicAuthorizationFailedError,
)

from shared.store.mongo import StoreUnavailable

FORBIDDEN = (TopicAuthorizationFailedError, GroupAuthorizationFailedError, ClusterAuthorizationFailedError)
TOO_LARGE = (MessageSizeTooLargeError, RecordTooLargeError)


class InvalidRecord(Exception):
    """The record violates its contract, so that a retry is useless: it becomes a dead letter at once."""


class DependencyUnavailable(Exception):
    """Something that the handler needs is unavailable; the pipeline waits for it in place."""

    def __init__(self, dependency: str, sentence: str) -> None:
        super().__init__(sentence)
        self.dependency = dependency


def unavailable_dependency(error: BaseException) -> str | None:
    """The dependency that `error` reports as unavailable; None when the error concerns the record."""
    if isinstance(error, DependencyUnavailable):
        return error.dependency
    if isinstance(error, StoreUnavailable):
        return "mongodb"
    if isinstance(error, FORBIDDEN):
        return "kafka-rights"
    if isinstance(error, KafkaError) and not isinstance(error, TOO_LARGE):
        return "kafka"
    return None
