"""`stack.json`: where a running local stack can be reached, for every other command and for people's scripts."""

import os

from pydantic import BaseModel, ConfigDict

from shared.runtime.settings import KafkaSecurity


class Frozen(BaseModel):
    """Read from the file, never changed; what a later release adds is ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Urls(Frozen):
    """The services' addresses, without a trailing slash."""

    intake: str
    router: str
    notifier: str
    scorer: str


class Pids(Frozen):
    """The processes themselves: the JVM, the store's server; None where somebody else's broker or store is used."""

    kafka: int | None = None
    mongodb: int | None = None
    intake: int | None = None
    router: int | None = None
    notifier: int | None = None
    scorer: int | None = None
    smtp: int | None = None


class StackFile(Frozen):
    """The whole file.

    Where Kafka has users, `kafka_security` says how they log in at `kafka`, `kafka_users` is the folder with their
    passwords; departments outside come to `kafka_outside` with TLS, trusting `kafka_ca_file`.
    """

    kafka: str
    kafka_security: KafkaSecurity = "plaintext"
    kafka_users: str | None = None
    kafka_outside: str | None = None
    kafka_ca_file: str | None = None
    mongodb: str
    smtp: str
    mail: str | None
    urls: Urls
    pids: Pids
    operator_token_file: str
    supervisor: int | None = None

    def stale(self) -> bool:
        """Whether the stack that wrote this ended without removing it."""
        return self.supervisor is not None and not alive(self.supervisor)


def alive(pid: int) -> bool:
    """Whether there is a process with this id, whoever owns it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
