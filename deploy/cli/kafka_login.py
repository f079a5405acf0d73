"""As whom a command reaches Kafka, and why it was not let in: the libraries only say that nobody answered."""

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

from deploy.cli.console import AWAY, REFUSED, USAGE, Failure, stack
from deploy.local import probe
from deploy.security.passwords import ADMIN, Passwords
from shared.kafka.connection import Connection
from shared.runtime.settings import Settings

LOOK_S = 5.0
ASK_S = 0.5
SETTINGS_OF_USERS = (
    "CHORUS_KAFKA_SECURITY",
    "CHORUS_KAFKA_USER",
    "CHORUS_KAFKA_PASSWORD_FILE",
    "CHORUS_KAFKA_CA_FILE",
    "CHORUS_KAFKA_USERS",
)
NOT_ALLOWED = (ClusterAuthorizationFailedError, GroupAuthorizationFailedError, TopicAuthorizationFailedError)


def settings() -> Settings:
    """What the environment says; raises Failure with a sentence for a value that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = error.errors()[0]
        name = "_".join(("CHORUS", *map(str, wrong["loc"]))).upper()
        raise Failure(USAGE, f"The setting {name} is wrong: {wrong['msg']}, not {wrong['input']!r}.") from error


def has_users() -> bool:
    """Whether this Kafka wants a log-in."""
    return _security() != "plaintext"


def passwords() -> Passwords | None:
    """The folder with everybody's password, where this command has one."""
    folder = settings().kafka_users if _environment_decides() else stack().kafka_users
    return Passwords(Path(folder)) if folder is not None else None


def connection(user: str) -> Connection:
    """How `user` reaches Kafka; CHORUS_KAFKA_USER, where it is set, says that this is somebody else.

    Raises Failure when the password is not at hand.
    """
    given = settings().model_copy(update={"kafka": stack().kafka, "kafka_security": _security()})
    held = passwords()
    if has_users() and given.kafka_user is None and held is not None:
        given = given.model_copy(update={"kafka_user": user, "kafka_password_file": _file(held, user)})
    return _of(given)


def admin() -> Connection:
    """How Kafka's admin reaches it."""
    return connection(ADMIN)


def explained(error: Exception, kafka: Connection) -> Failure:
    """Why Kafka did not do it, as a sentence and an exit code."""
    code = error.args[0].code() if isinstance(error, KafkaException) else None
    if isinstance(error, NOT_ALLOWED) or code in (
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    ):
        words = str(error) if code is None else error.args[0].str()
        return Failure(REFUSED, f"Kafka at {kafka.kafka!r} does not let {_who(kafka)} do that: {words}")
    if isinstance(error, KafkaConnectionError | NodeNotReadyError | OSError | TimeoutError) or (
        isinstance(error, KafkaException) and (error.args[0].retriable() or (code is not None and code < 0))
    ):
        return no_answer(kafka)
    if isinstance(error, AioKafkaError | KafkaException):
        return Failure(REFUSED, f"Kafka at {kafka.kafka!r} refused: {error}")
    raise error


def no_answer(kafka: Connection) -> Failure:
    """Ask once more with a client that tells the cause: is nobody there, or is this caller not let in?"""
    heard = _heard(kafka)
    where = f"Kafka at {kafka.kafka!r}"
    if KafkaError._AUTHENTICATION in heard:
        return Failure(REFUSED, f"{where} does not let {_who(kafka)} in: the user or the password is wrong.")
    if "certificate" in heard.get(KafkaError._SSL, ""):
        return Failure(
            REFUSED,
            f"{where} does not prove itself: its certificate is not of the authority in "
            f"{str(kafka.ca_file or 'this system')!r}, or not for that name; is CHORUS_KAFKA_CA_FILE right?",
        )
    if kafka.security == "plaintext" and heard and probe.kafka(kafka.kafka) == "":
        return Failure(REFUSED, f"{where} wants to know who calls: set CHORUS_KAFKA_SECURITY and CHORUS_KAFKA_USER.")
    if heard and probe.listens(kafka.kafka):
        return Failure(
            REFUSED,
            f"{where} hangs up on {kafka.security!r}: is CHORUS_KAFKA_SECURITY the one of that listener, "
            "`sasl_ssl` where it speaks TLS and `sasl_plaintext` where it does not?",
        )
    return Failure(AWAY, f"No Kafka answers at {kafka.kafka!r}: does it run, and is CHORUS_KAFKA right?")


def _heard(kafka: Connection) -> dict[int, str]:
    """What a client says of its connection, by error code; nothing when Kafka answers, or nothing is heard in LOOK_S."""
    heard: list[KafkaError] = []
    client = AdminClient(kafka.confluent() | {"error_cb": heard.append, "log_level": 0})
    until = time.monotonic() + LOOK_S
    while not heard and time.monotonic() < until:
        try:
            client.list_topics(timeout=ASK_S)
        except KafkaException:
            client.poll(0)  # only here are the causes told
        else:
            break
    return {error.code(): error.str() for error in heard}


def quiet() -> None:
    """What aiokafka would print about a failure, a sentence says."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


def _who(kafka: Connection) -> str:
    return f"{kafka.user!r}" if kafka.user else "anybody without a name"


def _of(given: Settings) -> Connection:
    try:
        return Connection.of(given)
    except ValueError as error:
        raise Failure(USAGE, f"A setting is wrong: {error}.") from error


def _environment_decides() -> bool:
    return any(os.environ.get(name) for name in ("CHORUS_KAFKA", *SETTINGS_OF_USERS))


def _security() -> str:
    return settings().kafka_security if _environment_decides() else stack().kafka_security


def _file(held: Passwords, user: str) -> Path:
    if not held.known(user):
        raise Failure(
            REFUSED,
            f"There is no password for Kafka's user {user!r} in {str(held.folder)!r}: "
            "`chorus provision` makes it for every department of the directory that is not retired.",
        )
    return held.file(user)
