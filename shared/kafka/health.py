"""The health of one subscription: whether it is ready, whether it makes progress, and its lag."""

import time
from collections.abc import Callable
from typing import Any, Generic

from aiokafka import AIOKafkaConsumer

from shared.kafka.membership import Membership
from shared.kafka.open_transactions import OpenTransactions, readable_end
from shared.kafka.options import Item, SubscriptionOptions
from shared.kafka.pipeline import Pipeline

NO_POLL_S = 30.0


class SubscriptionHealth(Generic[Item]):
    """Reads the state of a subscription without changing it."""

    def __init__(
        self,
        options: SubscriptionOptions[Item],
        pipeline: Pipeline[Item],
        membership: Membership,
        consumer: Callable[[], AIOKafkaConsumer | None],
    ) -> None:
        self.options = options
        self.pipeline = pipeline
        self.membership = membership
        self.consumer = consumer
        self.open_transactions = OpenTransactions()
        self.last_poll = time.monotonic()

    def why_not_ready(self) -> str | None:
        """A sentence when this subscription is not ready; None when it is."""
        name, consumer = self.options.name, self.consumer()
        if dependency := self.pipeline.policy.waiting_for:
            return f"{name} waits for {dependency}"
        if failure := self.pipeline.polling.failure:
            return f"{name} cannot poll: {failure}"
        if self.options.group is None and (consumer is None or not consumer.assignment()):
            return f"{name} has no partitions assigned"
        if self.options.group is not None and (reason := self.membership.state(consumer).why_not_ready()):
            return f"{name} {reason}"
        return self.stuck(NO_POLL_S)

    def stuck(self, for_s: float) -> str | None:
        """A sentence when this subscription has neither polled nor made progress for `for_s` seconds; None otherwise."""
        now, name = time.monotonic(), self.options.name
        if not self.pipeline.idle.is_set() and now - self.pipeline.progressed_at > for_s:
            return f"{name} has made no progress with a batch for more than {for_s:.0f} s"
        if self.pipeline.idle.is_set() and now - self.last_poll > for_s:
            return f"{name} has not polled for {for_s:.0f} s"
        return None

    async def behind(self) -> bool:
        """Whether its partitions have a record that is not handled here yet. Asks the broker; raises KafkaError."""
        consumer = self.consumer()
        ends = await consumer.end_offsets(consumer.assignment()) if consumer else {}
        passed = {partition: self.pipeline.polling.passed(consumer, partition) or 0 for partition in ends}
        return not ends or any(passed[partition] < end for partition, end in ends.items())

    def lag(self) -> dict[str, tuple[int, float]]:
        """By topic label, as of the last fetch: records not handled, and the age in seconds of the oldest one in progress.

        Records that an open transaction holds back cannot be read yet and are not counted.
        """
        consumer: Any = self.consumer()
        lag: dict[str, tuple[int, float]] = {}
        for partition in consumer.assignment() if consumer else ():
            end, passed = readable_end(consumer, partition), self.pipeline.polling.passed(consumer, partition)
            label = self.options.label(partition.topic)
            behind = max(end - passed, 0) if end is not None and passed is not None else 0
            oldest_ms = min((batch[label] for batch in self.pipeline.oldest_ms if label in batch), default=None)
            waited_s = max(time.time() - oldest_ms / 1000, 0.0) if oldest_ms is not None else 0.0
            lag[label] = (lag.get(label, (0, 0.0))[0] + behind, waited_s)
        return lag

    def held_back(self) -> dict[str, int]:
        """By topic label, how many records open transactions hold back, as of the last fetch."""
        held: dict[str, int] = {}
        for partition, records in self.open_transactions.look(self.consumer()).items():
            label = self.options.label(partition.topic)
            held[label] = held.get(label, 0) + records
        return held
