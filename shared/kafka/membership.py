"""A consumer's membership in its group: not joined, joined with partitions, or a spare without partitions."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition


class MembershipState(NamedTuple):
    """A consumer's membership at one moment. A member without partitions is a spare, which is ready too.

    A running rebalance does not change it: polls wait for its end, so a rebalance that never ends shows as missing polls.
    """

    joined: bool
    partitions: int
    coordinator_known: bool

    def why_not_ready(self) -> str | None:
        """The rest of a sentence that begins with the consumer's name; None when it is ready."""
        if not self.joined:
            return "has not joined its consumer group"
        # A consumer with partitions notices at its next fetch that Kafka is unavailable; a spare fetches nothing.
        if not self.partitions and not self.coordinator_known:
            return "has no partitions and cannot reach its group coordinator"
        return None


class Membership(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka carries no types
    """Reacts to the rebalances of one group.

    Before partitions are revoked, batches in progress get some time to finish; after an assignment, all positions are reset.
    """

    def __init__(self, drained: Callable[[], Awaitable[None]], forget: Callable[[], None]) -> None:
        self.drained, self.forget = drained, forget
        self._assigned = False

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        await self.drained()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """aiokafka calls this at the end of every rebalance, with an empty set for a spare.

        Positions start from the committed offsets, because another member may have handled records in between.
        """
        self._assigned = True
        self.forget()

    def state(self, consumer: AIOKafkaConsumer | None) -> MembershipState:
        if consumer is None:
            return MembershipState(joined=False, partitions=0, coordinator_known=False)
        coordinator: Any = consumer._coordinator
        return MembershipState(
            # aiokafka resets the generation of a member that the broker no longer knows.
            joined=self._assigned and coordinator is not None and coordinator.generation > 0,
            partitions=len(consumer.assignment()),
            coordinator_known=coordinator is not None and coordinator.coordinator_id is not None,
        )
