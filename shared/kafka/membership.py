"""A consumer's place in its group: not joined, at work on partitions, or a spare that has none and waits for some."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition


class Standing(NamedTuple):
    """What a consumer is in its group at one moment. A member without partitions is a spare, which is ready too.

    A rebalance under way changes nothing here: polls wait for its end, so one that never ends shows as no poll.
    """

    joined: bool
    partitions: int
    coordinator_known: bool

    def why_not_ready(self) -> str | None:
        """What a sentence about the consumer says when it is not ready; None when it is."""
        if not self.joined:
            return "has not joined its consumer group"
        # One with partitions shows by its work whether Kafka is there; a spare has nothing but its membership.
        if not self.partitions and not self.coordinator_known:
            return "has no partitions and cannot reach its group coordinator"
        return None


class Membership(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka carries no types
    """Follows the rebalances of one group.

    Before partitions go, what is in hand may finish for a while; once they have come, all positions are new.
    """

    def __init__(self, drained: Callable[[], Awaitable[None]], forget: Callable[[], None]) -> None:
        self.drained, self.forget = drained, forget
        self._assigned = False

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Called by aiokafka before it gives the partitions back."""
        await self.drained()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Called at the end of every rebalance, with an empty set for a spare.

        Positions come from the committed offsets: what this process had handled before says nothing any more.
        """
        self._assigned = True
        self.forget()

    def standing(self, consumer: AIOKafkaConsumer | None) -> Standing:
        """As aiokafka knows it now: a member that the broker does not recognise any more loses its generation."""
        if consumer is None:
            return Standing(joined=False, partitions=0, coordinator_known=False)
        coordinator: Any = consumer._coordinator
        return Standing(
            joined=self._assigned and coordinator is not None and coordinator.generation > 0,
            partitions=len(consumer.assignment()),
            coordinator_known=coordinator is not None and coordinator.coordinator_id is not None,
        )
