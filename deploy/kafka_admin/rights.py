"""The ACLs of services and departments, derived from the flow table. Kafka denies everything else."""

from dataclasses import dataclass
from typing import Literal

from shared.contracts.sources import SERVICES
from shared.kafka import topics

Operation = Literal["READ", "WRITE", "CREATE"]
DEPARTMENT_TOPICS = "departments."


@dataclass(frozen=True)
class Right:
    """One operation on a topic or group; `prefixed`: on all names with this prefix. READ and WRITE imply DESCRIBE."""

    operation: Operation
    kind: Literal["TOPIC", "GROUP"]
    name: str
    prefixed: bool = False


def reads(topic: str, *groups: str) -> tuple[Right, ...]:
    """Read a topic with these consumer groups."""
    return (Right("READ", "TOPIC", topic), *(Right("READ", "GROUP", group) for group in groups))


def writes(*names: str) -> tuple[Right, ...]:
    """Write to topics; WRITE also permits idempotent producers."""
    return tuple(Right("WRITE", "TOPIC", name) for name in names)


def _common(service: str) -> tuple[Right, ...]:
    """What every service needs: read the city, write its dead letters, read its replays."""
    return (
        *reads(topics.CITY),
        *writes(topics.dead_letters(service)),
        *reads(topics.replays(service), f"{service}-replays"),
    )


# The router creates the topics of departments added at run time, and reads and writes all department topics. The right to
# write outboxes grants it nothing extra: it writes their messages to the log itself.
SERVICE_RIGHTS: dict[str, frozenset[Right]] = {
    "intake": frozenset((*_common("intake"), *writes(topics.INPUTS), *reads(topics.RESIDENTS, "intake"))),
    "router": frozenset(
        (
            *_common("router"),
            *reads(topics.INPUTS, "router-core"),
            *reads(topics.EVENTS, "router-cases"),
            Right("READ", "GROUP", "router-gate"),
            *writes(topics.CITY, topics.INPUTS, topics.RESIDENTS, topics.EVENTS),
            *(right for one in SERVICES for right in reads(topics.dead_letters(one))),
            *writes(*map(topics.replays, SERVICES)),
            Right("READ", "TOPIC", DEPARTMENT_TOPICS, prefixed=True),
            Right("WRITE", "TOPIC", DEPARTMENT_TOPICS, prefixed=True),
            Right("CREATE", "TOPIC", DEPARTMENT_TOPICS, prefixed=True),
        )
    ),
    "notifier": frozenset(
        (*_common("notifier"), *reads(topics.RESIDENTS, "notifier"), *reads(topics.EVENTS, "notifier"))
    ),
    "scorer": frozenset((*_common("scorer"), *reads(topics.EVENTS, "scorer"))),
}


def department_rights(code: str) -> frozenset[Right]:
    """Read the inbox, write the outbox, use groups with the prefix `departments.<code>.`.

    The final dot keeps a code that is the prefix of another code from matching its groups.
    """
    groups = Right("READ", "GROUP", f"departments.{code}.", prefixed=True)
    return frozenset((*reads(topics.inbox(code)), *writes(topics.outbox(code)), groups))
