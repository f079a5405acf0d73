"""Who may do what in Kafka: the flow table as rights. Nobody else may do anything."""

from dataclasses import dataclass
from typing import Literal

from shared.contracts.sources import SERVICES
from shared.kafka import topics

Operation = Literal["READ", "WRITE", "CREATE"]
EVERYTHING_OF_DEPARTMENTS = "departments."


@dataclass(frozen=True)
class Right:
    """One operation on a topic or a group; `prefixed` on all whose names begin so. READ and WRITE include looking it up."""

    operation: Operation
    kind: Literal["TOPIC", "GROUP"]
    name: str
    prefixed: bool = False


def reads(topic: str, *groups: str) -> tuple[Right, ...]:
    """Reading a topic, within these groups."""
    return (Right("READ", "TOPIC", topic), *(Right("READ", "GROUP", group) for group in groups))


def writes(*names: str) -> tuple[Right, ...]:
    """Writing to topics, with or without idempotence."""
    return tuple(Right("WRITE", "TOPIC", name) for name in names)


def _anybodys(service: str) -> tuple[Right, ...]:
    """What every service does: follow the city, put aside what it cannot take, take again what the desk gives back."""
    return (
        *reads(topics.CITY),
        *writes(topics.dead_letters(service)),
        *reads(topics.replays(service), f"{service}-replays"),
    )


# The router makes the topics of a department that is added while everything runs, and reads and writes them all. That
# it could write outboxes too gives it nothing: it lays their messages onto the log itself.
SERVICE_RIGHTS: dict[str, frozenset[Right]] = {
    "intake": frozenset((*_anybodys("intake"), *writes(topics.INPUTS), *reads(topics.RESIDENTS, "intake"))),
    "router": frozenset(
        (
            *_anybodys("router"),
            *reads(topics.INPUTS, "router-core"),
            *reads(topics.EVENTS, "router-cases"),
            Right("READ", "GROUP", "router-gate"),
            *writes(topics.CITY, topics.INPUTS, topics.RESIDENTS, topics.EVENTS),
            *(right for one in SERVICES for right in reads(topics.dead_letters(one))),
            *writes(*map(topics.replays, SERVICES)),
            Right("READ", "TOPIC", EVERYTHING_OF_DEPARTMENTS, prefixed=True),
            Right("WRITE", "TOPIC", EVERYTHING_OF_DEPARTMENTS, prefixed=True),
            Right("CREATE", "TOPIC", EVERYTHING_OF_DEPARTMENTS, prefixed=True),
        )
    ),
    "notifier": frozenset(
        (*_anybodys("notifier"), *reads(topics.RESIDENTS, "notifier"), *reads(topics.EVENTS, "notifier"))
    ),
    "scorer": frozenset((*_anybodys("scorer"), *reads(topics.EVENTS, "scorer"))),
}


def department_rights(code: str) -> frozenset[Right]:
    """Its inbox, its outbox, and every group whose name begins with `departments.<code>.`; the dot keeps others out."""
    groups = Right("READ", "GROUP", f"departments.{code}.", prefixed=True)
    return frozenset((*reads(topics.inbox(code)), *writes(topics.outbox(code)), groups))
