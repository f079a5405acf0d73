"""`stack.json`: the addresses and process ids of a running local stack, read by all other commands and by scripts."""

import os

from pydantic import BaseModel, ConfigDict

from shared.runtime.settings import KafkaSecurity


class Frozen(BaseModel):
    """Immutable; ignores fields that a later release adds."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Urls(Frozen):
    """The URLs of the services, without a trailing slash."""

    intake: str
    router: str
    notifier: str
    scorer: str


class Pids(Frozen):
    """Process ids; None for a broker, store or mail server that the stack did not start."""

    kafka: int | None = None
    mongodb: int | None = None
    intake: int | None = None
    router: int | None = None
    notifier: int | None = None
    scorer: int | None = None
    smtp: int | None = None


class StackFile(Frozen):
    """The content of `stack.json`.

    With `--secure`, `kafka_security` is the protocol at `kafka` and `kafka_users` the folder of the users' passwords.
    `smtp_in` is where intake takes mails.
    Departments outside connect to `kafka_outside` with TLS and the CA certificate `kafka_ca_file`.
    """

    kafka: str
    kafka_security: KafkaSecurity = "plaintext"
    kafka_users: str | None = None
    kafka_outside: str | None = None
    kafka_ca_file: str | None = None
    mongodb: str
    smtp: str
    smtp_in: str | None = None
    mail: str | None
    urls: Urls
    pids: Pids
    operator_token_file: str
    supervisor: int | None = None

    def stale(self) -> bool:
        """Whether the supervisor that wrote the file has died without removing it."""
        return self.supervisor is not None and not alive(self.supervisor)


def alive(pid: int) -> bool:
    """Whether a process with this id exists, of any user."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
