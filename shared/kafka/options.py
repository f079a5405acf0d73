"""The options of a subscription: its topics, its group, and the functions that handle its records."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from shared.kafka.publisher import Publishable, Publisher
from shared.kafka.records import Record

BATCH_RECORDS = 2_000
Item = TypeVar("Item")
ParkedItem = TypeVar("ParkedItem", contravariant=True)


class Parking(Protocol[ParkedItem]):
    """Stores items that fail repeatedly, together with the items that must not overtake them."""

    async def refresh(self) -> None:
        """Load the parked items; called before the first batch after each assignment."""

    def waits(self, item: ParkedItem) -> str | None:
        """Why this item must queue behind a parked one; None when it need not. Called in the order of the log."""

    async def park(self, record: Record, item: ParkedItem, kind: str, reason: str) -> None:
        """Store the record durably. Must be safe to repeat."""


class Progress(Protocol):
    """The next offsets of a group, kept in the same store as its effects.

    After the store is restored from a backup, Kafka's committed offsets are too high: records that were handled after the
    backup would never be read again.
    """

    async def next_offsets(self, partitions: Collection[int]) -> Mapping[int, int]:
        """By partition, the offset before which the store has all effects; a missing partition counts as 0."""

    async def note(self, offsets: Mapping[int, int]) -> None:
        """Store the next offset of these partitions durably. Called before each commit; must be safe to repeat."""


@dataclass
class SubscriptionOptions(Generic[Item]):
    """One group's subscription in one process.

    `read` turns a record into an item, or None to skip it; it raises InvalidRecord. `handle` makes the effects of a
    batch durable and returns the messages that follow; they are published and confirmed before the batch is committed.
    `published` is called after that confirmation. All three must be safe to repeat. `most` limits the records of one
    batch. With `answers_unreadable`, `read` gets unreadable records too; otherwise they go to the dead letters. With
    `at_leisure` polls are rare and large, for readers that may lag by 50 ms. `progress` is for a group that reads a
    single topic.
    """

    service: str
    group: str | None
    read: Callable[[Record], Item | None]
    handle: Callable[[Sequence[Item]], Awaitable[Sequence[Publishable] | None]]
    publisher: Publisher
    topics: Collection[str] = ()
    pattern: str | None = None
    instance: str | None = None
    parking: Parking[Item] | None = None
    progress: Progress | None = None
    published: Callable[[Sequence[Item]], Awaitable[None]] | None = None
    most: int = BATCH_RECORDS
    answers_unreadable: bool = False
    at_leisure: bool = False

    @property
    def name(self) -> str:
        """The subscription's name in logs and readiness."""
        return self.group or ", ".join(self.topics)

    def label(self, topic: str) -> str:
        """The topic's label in metrics; all topics of a pattern share one."""
        return "departments.*.outbox" if self.pattern else topic
