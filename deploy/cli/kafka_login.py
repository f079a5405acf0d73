"""The Kafka connection of a command, and the cause when it fails: the client libraries only report a timeout."""

import logging
import os
import time
from pathlib import Path

from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    NodeNotReadyError,
    TopicAuthorizationFailedError,
)
from aiokafka.errors import KafkaError as AioKafkaError
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from pydantic import ValidationError

from deploy.cli.console import REFUSED, UNAVAILABLE, USAGE, Failure, stack
from deploy.local import probe
from deploy.security.passwords import ADMIN, Passwords
from shared.kafka.connection import Connection
from shared.runtime.settings import Settings

DIAGNOSIS_S = 5.0
REQUEST_S = 0.5
USER_SETTINGS = (
    "CHORUS_KAFKA_SECURITY",
    "CHORUS_KAFKA_USER",
    "CHORUS_KAFKA_PASSWORD_FILE",
    "CHORUS_KAFKA_CA_FILE",
    "CHORUS_KAFKA_USERS",
)
NOT_ALLOWED = (ClusterAuthorizationFailedError, GroupAuthorizationFailedError, TopicAuthorizationFailedError)


def settings() -> Settings:
    """The settings from the environment; raises Failure for an invalid value."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = error.errors()[0]
        name = "_".join(("CHORUS", *map(str, wrong["loc"]))).upper()
        raise Failure(USAGE, f"The setting {name} is invalid: {wrong['msg']}, not {wrong['input']!r}.") from error


def has_users() -> bool:
    """Whether this Kafka requires a login."""
    return _security() != "plaintext"


def passwords() -> Passwords | None:
    """The folder of all users' passwords; None when CHORUS_KAFKA_USERS is not set."""
    folder = settings().kafka_users if _environment_decides() else stack().kafka_users
    return Passwords(Path(folder)) if folder is not None else None


def connection(user: str) -> Connection:
    """The connection as `user`; CHORUS_KAFKA_USER overrides the user. Raises Failure when the password file is missing."""
    given = settings().model_copy(update={"kafka": stack().kafka, "kafka_security": _security()})
    held = passwords()
    if has_users() and given.kafka_user is None and held is not None:
        given = given.model_copy(update={"kafka_user": user, "kafka_password_file": _file(held, user)})
    return _of(given)


def admin() -> Connection:
    """The connection as Kafka's admin."""
    return connection(ADMIN)


def to_failure(error: Exception, kafka: Connection) -> Failure:
    """Turn an error of a Kafka client into a Failure; raises other errors again."""
    code = error.args[0].code() if isinstance(error, KafkaException) else None
    if isinstance(error, NOT_ALLOWED) or code in (
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    ):
        reason = str(error) if code is None else error.args[0].str()
        return Failure(REFUSED, f"Kafka at {kafka.kafka!r} denies this to {_user(kafka)}: {reason}")
    if isinstance(error, KafkaConnectionError | NodeNotReadyError | OSError | TimeoutError) or (
        isinstance(error, KafkaException) and (error.args[0].retriable() or (code is not None and code < 0))
    ):
        return diagnose(kafka)
    if isinstance(error, AioKafkaError | KafkaException):
        return Failure(REFUSED, f"Kafka at {kafka.kafka!r} rejected the request: {error}")
    raise error


def diagnose(kafka: Connection) -> Failure:
    """Connect with librdkafka, which reports the cause: no broker, a failed login, a TLS error, the wrong protocol."""
    errors = _connection_errors(kafka)
    broker = f"Kafka at {kafka.kafka!r}"
    if KafkaError._AUTHENTICATION in errors:
        return Failure(REFUSED, f"{broker} rejects the login of {_user(kafka)}: wrong user or password.")
    if "certificate" in errors.get(KafkaError._SSL, ""):
        return Failure(
            REFUSED,
            f"The TLS certificate of {broker} is not valid for this host, or not signed by a CA in "
            f"{str(kafka.ca_file or 'the system')!r}: check CHORUS_KAFKA_CA_FILE.",
        )
    if kafka.security == "plaintext" and errors and probe.kafka(kafka.kafka) == "":
        return Failure(REFUSED, f"{broker} requires a login: set CHORUS_KAFKA_SECURITY and CHORUS_KAFKA_USER.")
    if errors and probe.listens(kafka.kafka):
        return Failure(
            REFUSED,
            f"{broker} closes connections with {kafka.security!r}: set CHORUS_KAFKA_SECURITY to `sasl_ssl` for a "
            "listener with TLS, to `sasl_plaintext` for one without.",
        )
    return Failure(UNAVAILABLE, f"No Kafka broker answers at {kafka.kafka!r}: check that it runs, and CHORUS_KAFKA.")


def _connection_errors(kafka: Connection) -> dict[int, str]:
    """The first errors of a connection attempt, by code; empty when Kafka answers or DIAGNOSIS_S pass without an error."""
    errors: list[KafkaError] = []
    client = AdminClient(kafka.confluent() | {"error_cb": errors.append, "log_level": 0})
    until = time.monotonic() + DIAGNOSIS_S
    while not errors and time.monotonic() < until:
        try:
            client.list_topics(timeout=REQUEST_S)
        except KafkaException:
            client.poll(0)  # calls error_cb
        else:
            break
    return {error.code(): error.str() for error in errors}


def quiet() -> None:
    """Silence aiokafka's own log: the command reports the error."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


def _user(kafka: Connection) -> str:
    return f"{kafka.user!r}" if kafka.user else "clients without a login"


def _of(given: Settings) -> Connection:
    try:
        return Connection.of(given)
    except ValueError as error:
        raise Failure(USAGE, f"Invalid setting: {error}.") from error


def _environment_decides() -> bool:
    return any(os.environ.get(name) for name in ("CHORUS_KAFKA", *USER_SETTINGS))


def _security() -> str:
    return settings().kafka_security if _environment_decides() else stack().kafka_security


def _file(held: Passwords, user: str) -> Path:
    if not held.known(user):
        raise Failure(
            REFUSED,
            f"The folder {str(held.folder)!r} has no password for Kafka's user {user!r}: `chorus provision` creates one "
            "for every active department of the directory.",
        )
    return held.file(user)
