"""What a subscription is made of: its topics, its group, and the functions that do its work."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from shared.kafka.publisher import Publishable, Publisher
from shared.kafka.records import Record

BATCH_RECORDS = 2_000
Item = TypeVar("Item")
ParkedItem = TypeVar("ParkedItem", contravariant=True)


class Parking(Protocol[ParkedItem]):
    """Where an item that fails repeatedly is kept, with the items that must not overtake it."""

    async def refresh(self) -> None:
        """Read what is parked; called before the first batch after each assignment."""

    def waits(self, item: ParkedItem) -> str | None:
        """Why this item must queue behind a parked one; asked in the order of the log."""

    async def park(self, record: Record, item: ParkedItem, kind: str, reason: str) -> None:
        """Keep the record durably; safe to repeat."""


class Progress(Protocol):
    """How far a group has come, kept beside its effects: a store that was restored from a backup knows its own place.

    Kafka's committed offsets stay where they were, so what was handled after the backup would never be read again.
    """

    async def next_offsets(self, partitions: Collection[int]) -> Mapping[int, int]:
        """By partition, the offset before which the store holds all effects; a partition without one counts as 0."""

    async def note(self, offsets: Mapping[int, int]) -> None:
        """Keep the next offset of these partitions durably; called before each commit, safe to repeat."""


@dataclass
class SubscriptionOptions(Generic[Item]):
    """One group's subscription in one process.

    `read` turns a record into an item, or None to skip it; it raises InvalidRecord. `handle` makes the effects of a
    batch durable and returns the messages that follow; they are published and confirmed before the batch is committed.
    `published` is called after that confirmation. All three must be safe to repeat. `most` limits the records of one
    batch. With `answers_unreadable`, `read` is given unreadable records too; otherwise they go to the dead letters. With
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
        """How logs and readiness name this subscription."""
        return self.group or ", ".join(self.topics)

    def label(self, topic: str) -> str:
        """The topic's label in metrics; outboxes are summed."""
        return "departments.*.outbox" if self.pattern else topic
