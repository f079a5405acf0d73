"""A subscription: FastStream polls, the pipeline takes each batch to its commit. Acknowledgement is never FastStream's."""

import asyncio
import time
from collections.abc import Callable
from itertools import chain
from typing import Any, Generic

from aiokafka import AIOKafkaConsumer
from faststream import AckPolicy
from faststream.kafka import KafkaBroker

from shared.kafka.connection import READ_COMMITTED
from shared.kafka.health import SubscriptionHealth
from shared.kafka.membership import Membership
from shared.kafka.options import Item, SubscriptionOptions
from shared.kafka.pipeline import Pipeline, Raw
from shared.kafka.polling import undecoded_body, unparsed_batch

POLL_MS = 500
LEISURE_S = 0.05
SESSION_S = 10
STATIC_SESSION_S = 30


class Subscription(Generic[Item]):
    """The parts of one subscription: options, pipeline, membership, health."""

    def __init__(
        self, options: SubscriptionOptions[Item], on_broken: Callable[[BaseException], None] = lambda error: None
    ) -> None:
        self.options = options
        self.subscriber: Any = None
        self.pipeline: Pipeline[Item] = Pipeline(options, self.consumer, on_broken)
        self.membership = Membership(lambda: self.pipeline.drained(SESSION_S / 2), self.pipeline.forget)
        self.health: SubscriptionHealth[Item] = SubscriptionHealth(
            options, self.pipeline, self.membership, self.consumer
        )
        self._more = False

    def consumer(self) -> AIOKafkaConsumer | None:
        """aiokafka's consumer, once FastStream has made it."""
        return self.subscriber.consumer if self.subscriber else None

    def attach(self, broker: KafkaBroker) -> None:
        """Register with FastStream."""
        options = self.options
        static = options.group is not None and options.instance is not None
        session_ms = (STATIC_SESSION_S if static else SESSION_S) * 1000
        where: dict[str, Any] = {"pattern": options.pattern} if options.pattern else {}
        self.subscriber = broker.subscriber(
            *options.topics,
            **where,
            batch=True,
            group_id=options.group,
            group_instance_id=f"{options.instance}.{options.group}" if static else None,
            auto_offset_reset="earliest",
            isolation_level=READ_COMMITTED,
            ack_policy=AckPolicy.MANUAL,
            no_reply=True,
            parser=unparsed_batch,
            decoder=undecoded_body,
            session_timeout_ms=session_ms,
            heartbeat_interval_ms=session_ms // 10,
            # A batch may wait for a dependency as long as it takes; our own watchdog replaces eviction.
            max_poll_interval_ms=2**31 - 1,
            listener=self.membership,
        )

        async def consume(batch: Any) -> None:
            await self.pipeline.consume(batch)

        # FastStream names a topic's channel in the AsyncAPI document after the function that takes its records.
        consume.__name__ = consume.__qualname__ = (options.group or "city").replace("-", "_")
        self.subscriber(consume)
        self.subscriber.get_msg = self._poll

    async def _poll(self, consumer: AIOKafkaConsumer) -> Any:
        await self.pipeline.resume(consumer)
        batch = await self.pipeline.polling.poll(self._fetch, consumer)
        self.health.last_poll = time.monotonic()
        if not batch:
            await self.pipeline.commit_passed(consumer)
        return batch

    async def _fetch(self, consumer: AIOKafkaConsumer) -> tuple[Raw, ...]:
        """In place of FastStream's own poll, which sleeps after each empty one."""
        if self.options.at_leisure and not self._more:
            await asyncio.sleep(self.health.last_poll + LEISURE_S - time.monotonic())
        found = await consumer.getmany(timeout_ms=POLL_MS, max_records=self.options.most)
        self.pipeline.polling.deliver(found)
        batch = tuple(chain.from_iterable(found.values()))
        self._more = len(batch) >= self.options.most
        return batch
