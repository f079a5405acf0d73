"""The topics: their names, partitions and settings; the one list that provisioning makes and the flow table shows."""

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
    """One topic to make; `retention_days` None keeps records for ever.

    The broker leaves records compressed as they are: to compress them anew it would unpack them, whatever they become.
    A joint reply of 20 parts of 20,000 characters fits into 8 MiB; a dead letter is larger than what it holds.
    """

    name: str
    partitions: int
    retention_days: int | None
    compacted: bool = False
    record_mib: int = 4

    def config(self) -> dict[str, str]:
        """The broker's settings for this topic."""
        kept_ms = -1 if self.retention_days is None else self.retention_days * DAY_MS
        return {
            "max.message.bytes": str(self.record_mib * MIB),
            "compression.type": "producer",
            "message.timestamp.type": "LogAppendTime",
            "retention.ms": str(-1 if self.compacted else kept_ms),
            "cleanup.policy": "compact" if self.compacted else "delete",
        }


def inbox(department: str) -> str:
    """The topic from which a department reads its parts."""
    return f"departments.{department}.inbox"


def outbox(department: str) -> str:
    """The topic into which a department, and nobody else, writes."""
    return f"departments.{department}.outbox"


def department_of(topic: str) -> str:
    """The department whose inbox or outbox this is."""
    return topic.split(".")[1]


def dead_letters(service: str) -> str:
    """Where a service puts what it cannot take, with its origin."""
    return f"{service}.dead-letters"


def replays(service: str) -> str:
    """Where the desk puts a dead letter that its service shall try again."""
    return f"{service}.replays"


def system_topics(partitions: int, retention_days: int) -> tuple[Topic, ...]:
    """Every topic that exists whatever the city's departments are."""
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
    """The two topics of each department."""
    return tuple(
        topic
        for code in codes
        for topic in (
            Topic(inbox(code), 1, retention_days),
            Topic(outbox(code), 1, retention_days, record_mib=1),
        )
    )
