"""A subscription: FastStream polls, and the pipeline handles and commits each batch. FastStream never acknowledges."""

import asyncio
import time
from collections.abc import Callable
from itertools import chain
from typing import Any, Generic

from aiokafka import AIOKafkaConsumer
from faststream.kafka import KafkaBroker

from shared.kafka.client_settings import SESSION_S, consumer_settings
from shared.kafka.health import SubscriptionHealth
from shared.kafka.membership import Membership
from shared.kafka.offsets import Raw
from shared.kafka.options import Item, SubscriptionOptions
from shared.kafka.pipeline import Pipeline
from shared.kafka.polling import undecoded_body, unparsed_batch

POLL_MS = 500
LEISURE_S = 0.05


class Subscription(Generic[Item]):
    """One subscription: its options, pipeline, group membership and health."""

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
        """aiokafka's consumer; None before FastStream has created it."""
        return self.subscriber.consumer if self.subscriber else None

    def attach(self, broker: KafkaBroker) -> None:
        options = self.options
        pattern: dict[str, Any] = {"pattern": options.pattern} if options.pattern else {}
        self.subscriber = broker.subscriber(
            *options.topics,
            **pattern,
            **consumer_settings(options.group, options.instance),
            parser=unparsed_batch,
            decoder=undecoded_body,
            listener=self.membership,
        )

        async def consume(batch: Any) -> None:
            await self.pipeline.consume(batch)

        # FastStream names the channel in the AsyncAPI document after this function.
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
        """Replaces FastStream's poll, which sleeps after each empty one: that delays a message by 20 ms at low rates.

        A subscription `at_leisure` polls at most every LEISURE_S: at 1,100 inquiries a second the median time into an
        inbox is 24 instead of 29 ms (docs/decisions/0010-measuring.md).
        """
        if self.options.at_leisure and not self._more:
            await asyncio.sleep(self.health.last_poll + LEISURE_S - time.monotonic())
        found = await consumer.getmany(timeout_ms=POLL_MS, max_records=self.options.most)
        self.pipeline.polling.note_fetched(found)
        batch = tuple(chain.from_iterable(found.values()))
        self._more = len(batch) >= self.options.most
        return batch
