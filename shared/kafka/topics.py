"""The topics of Chorus with their partitions and settings. Provisioning creates them; README's table shows them."""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.contracts.ids import DEPARTMENT_CODE_FORM
from shared.contracts.sources import SERVICES

CITY = "city.directory"
INPUTS = "inquiries.inputs"
RESIDENTS = "residents.inbox"
EVENTS = "inquiries.events"
OUTBOXES = rf"^departments\.{DEPARTMENT_CODE_FORM}\.outbox$"
DAY_MS = 86_400_000
MIB = 1_048_576


@dataclass(frozen=True)
class Topic:
    """One topic to create; `retention_days` None keeps records without limit.

    The broker keeps the compression of its clients: to recompress a batch, it would decompress it without a limit.
    A joint reply of 20 parts of 20,000 characters fits into 8 MiB; a dead letter is larger than what it holds.
    """

    name: str
    partitions: int
    retention_days: int | None
    compacted: bool = False
    record_mib: int = 4

    def config(self) -> dict[str, str]:
        """The topic's settings, as Kafka names them."""
        retention_ms = -1 if self.retention_days is None else self.retention_days * DAY_MS
        return {
            "max.message.bytes": str(self.record_mib * MIB),
            "compression.type": "producer",
            "message.timestamp.type": "LogAppendTime",
            "retention.ms": str(-1 if self.compacted else retention_ms),
            "cleanup.policy": "compact" if self.compacted else "delete",
        }


def inbox(department: str) -> str:
    """The topic that Chorus writes for a department."""
    return f"departments.{department}.inbox"


def outbox(department: str) -> str:
    """The topic that only the department writes."""
    return f"departments.{department}.outbox"


def department_of(topic: str) -> str:
    """The code of the department in the name of an inbox or outbox."""
    return topic.split(".")[1]


def dead_letters(service: str) -> str:
    """The topic of the records that a service could not handle."""
    return f"{service}.dead-letters"


def replays(service: str) -> str:
    """The topic of the dead letters that the desk sends back to a service."""
    return f"{service}.replays"


def system_topics(partitions: int, retention_days: int) -> tuple[Topic, ...]:
    """The topics that do not depend on the city's departments."""
    return (
        Topic(CITY, 1, None, compacted=True),
        Topic(INPUTS, partitions, retention_days),
        Topic(RESIDENTS, partitions, retention_days, record_mib=8),
        Topic(EVENTS, partitions, None),
        *(
            Topic(name(service), 1, retention_days, record_mib=10)
            for service in SERVICES
            for name in (dead_letters, replays)
        ),
    )


def department_topics(codes: Iterable[str], retention_days: int) -> tuple[Topic, ...]:
    return tuple(
        topic
        for code in codes
        for topic in (
            Topic(inbox(code), 1, retention_days, record_mib=8),
            Topic(outbox(code), 1, retention_days, record_mib=1),
        )
    )
