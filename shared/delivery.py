"""How a record becomes an effect exactly as often as it must: effect durable, publishes confirmed, then the offsets committed.

A record is wrong (put aside at once), or a dependency is away (wait in place), or it fails again and again (put aside).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker

from shared import metrics, topics
from shared.logs import log
from shared.polling import Polling, as_it_is, undecoded
from shared.publishing import Publisher
from shared.records import Record, Wrong, dead_letter, dependency

BATCH_RECORDS = 2_000
POLL_MS = 20
ATTEMPTS = 5
LONGEST_PAUSE_S = 5.0
SESSION_S = 10
STATIC_SESSION_S = 30
NO_POLL_S = 30.0
Item = TypeVar("Item")


@dataclass
class Subscription(Generic[Item]):
    """One group's reading in one process: which topics, how a record is read, what is done with a batch.

    `read` turns a record into an item, None to skip it, or raises Wrong. `handle` must be safe to repeat.
    """

    service: str
    group: str | None
    read: Callable[[Record], Item | None]
    handle: Callable[[Sequence[Item]], Awaitable[None]]
    publisher: Publisher
    topics: Collection[str] = ()
    pattern: str | None = None
    schema: Any = bytes
    instance: str | None = None
    waiting_for: str | None = None
    last_poll: float = field(default_factory=time.monotonic)
    subscriber: Any = None
    on_broken: Callable[[BaseException], None] = lambda error: None
    _idle: asyncio.Event = field(default_factory=asyncio.Event)
    _in_hand_since: float = field(default_factory=time.monotonic)

    # ── wiring ───────────────────────────────────────────────────────────────

    @cached_property
    def polling(self) -> Polling:
        """This reading's polls."""
        return Polling(self.group, self._put_aside, self.on_broken)

    def attach(self, broker: KafkaBroker) -> None:
        """Register with FastStream, which polls; acknowledgement stays here."""
        self._idle.set()
        static = self.group is not None and self.instance is not None
        session_ms = (STATIC_SESSION_S if static else SESSION_S) * 1000
        where: dict[str, Any] = {"pattern": self.pattern} if self.pattern else {}
        self.subscriber = broker.subscriber(
            *self.topics,
            **where,
            batch=True,
            group_id=self.group,
            group_instance_id=f"{self.instance}.{self.group}" if static else None,
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.MANUAL,
            no_reply=True,
            parser=as_it_is,
            decoder=undecoded,
            max_records=BATCH_RECORDS,
            batch_timeout_ms=POLL_MS,
            session_timeout_ms=session_ms,
            heartbeat_interval_ms=session_ms // 10,
            max_poll_interval_ms=2**31 - 1,
            listener=Drain(self),
        )

        async def consume(batch: Any) -> None:
            await self.consume(batch)

        # FastStream names a message's form after the function that takes it.
        consume.__name__ = consume.__qualname__ = (self.group or "city").replace("-", "_")
        consume.__annotations__["batch"] = list[self.schema]  # type: ignore[name-defined]
        self.subscriber(consume)
        polling = self.subscriber.get_msg

        async def careful(consumer: AIOKafkaConsumer) -> Any:
            batch = await self.polling.poll(polling, consumer)
            self.last_poll = time.monotonic()
            return batch

        self.subscriber.get_msg = careful

    # ── a batch ──────────────────────────────────────────────────────────────

    async def consume(self, records: Sequence[ConsumerRecord[bytes, bytes]]) -> None:
        """Take one poll's records to their end, whatever it is, and commit them."""
        self._idle.clear()
        self._in_hand_since = time.monotonic()
        try:
            await self._take(records)
        except Exception as error:
            # FastStream would log it and go on, and the next commit would pass over these records.
            log.error("broken", exc_info=error, extra={"group": self.group})
            self.on_broken(error)
            self._idle.set()
            await asyncio.Event().wait()
        finally:
            self._idle.set()

    async def _take(self, records: Sequence[ConsumerRecord[bytes, bytes]]) -> None:
        good: list[tuple[Record, Item]] = []
        for raw in records:
            record = Record(raw.topic, raw.partition, raw.offset, raw.timestamp, raw.key, raw.value, raw.headers)
            try:
                item = self.read(record)
            except Wrong as wrong:
                await self._put_aside(record, "permanent", str(wrong), attempts=1)
            except Exception as error:
                await self._put_aside(record, "permanent", f"It could not be read: {error!r}", attempts=1)
            else:
                if item is not None:
                    good.append((record, item))
        await self._settle(good)
        await self._commit(records)
        metrics.LAST_PROCESSED.labels(self.service).set_to_current_time()

    async def _settle(self, batch: Sequence[tuple[Record, Item]]) -> None:
        """Handle the batch; when it goes on failing, each record alone, so that only the culprit is put aside."""
        if not batch:
            return
        reason = ""
        for attempt in range(1, ATTEMPTS + 1):
            failure = await self._in_place(lambda: self.handle([item for _, item in batch]))
            if failure is None:
                return
            reason = repr(failure)
            extra = {"group": self.group, "attempt": attempt, "error": type(failure).__name__}
            log.warning("a batch failed", extra=extra)
            await asyncio.sleep(min(0.05 * 2**attempt, LONGEST_PAUSE_S))
        if len(batch) == 1:
            await self._put_aside(batch[0][0], "exhausted", reason, attempts=ATTEMPTS)
            return
        for one in batch:
            await self._settle([one])

    async def _in_place(self, act: Callable[[], Awaitable[None]]) -> Exception | None:
        """Do it, waiting as long as a dependency is away; return the failure that speaks of the records."""
        pause_s = 0.05
        began = time.monotonic()
        while True:
            try:
                await act()
            except Exception as error:
                away = dependency(error)
                if away is None:
                    return error
                if self.waiting_for != away:
                    extra = {"group": self.group, "dependency": away, "error": type(error).__name__}
                    log.warning("waiting", extra=extra)
                self.waiting_for = away
                await asyncio.sleep(pause_s)
                metrics.BLOCKED_SECONDS.labels(self.service, away).inc(time.monotonic() - began)
                began = time.monotonic()
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
            else:
                self.waiting_for = None
                return None

    async def _put_aside(self, record: Record, kind: str, reason: str, attempts: int) -> None:
        letter = dead_letter(self.service, record, kind, reason, attempts)
        topic = topics.dead_letters(self.service)
        failure = await self._in_place(lambda: self.publisher.publish_raw({topic: [letter]}))
        if failure is not None:
            raise failure
        metrics.DEAD_LETTERS.labels(self.service, kind).inc()
        log.warning("put aside", extra={"service": self.service, "place": record.place, "kind": kind})

    async def _commit(self, records: Sequence[ConsumerRecord[bytes, bytes]]) -> None:
        """Commit what this batch has finished; a partition that was taken away meanwhile is its new owner's to repeat."""
        offsets: dict[TopicPartition, int] = {}
        for record in records:
            partition = TopicPartition(record.topic, record.partition)
            offsets[partition] = max(offsets.get(partition, 0), record.offset + 1)
        self.polling.handled |= offsets
        consumer: AIOKafkaConsumer | None = self.subscriber.consumer
        if self.group is None or consumer is None:
            return

        async def commit() -> None:
            try:
                await consumer.commit(offsets)
            except (IllegalStateError, CommitFailedError):
                metrics.COMMIT_FAILURES.labels(self.service).inc()
            except KafkaError:
                metrics.COMMIT_FAILURES.labels(self.service).inc()
                raise

        await self._in_place(commit)

    # ── what others may know ─────────────────────────────────────────────────

    def why_not_ready(self) -> str | None:
        """A sentence when this reading does not do its work; None when it does."""
        name = self.group or ", ".join(self.topics)
        consumer: AIOKafkaConsumer | None = self.subscriber.consumer if self.subscriber else None
        if self.waiting_for:
            return f"{name} waits for {self.waiting_for}"
        if consumer is None or not consumer.assignment():
            return f"{name} has no partitions assigned"
        if not self._idle.is_set() and time.monotonic() - self._in_hand_since > NO_POLL_S:
            return f"{name} has had one batch in hand for more than {NO_POLL_S:.0f} s"
        if self._idle.is_set() and time.monotonic() - self.last_poll > NO_POLL_S:
            return f"{name} has not polled for {NO_POLL_S:.0f} s"
        return None

    def lag(self) -> dict[str, int]:
        """Messages by topic that wait to be taken, as far as the last fetch knows; outboxes are summed."""
        consumer: AIOKafkaConsumer | None = self.subscriber.consumer if self.subscriber else None
        waiting: dict[str, int] = {}
        for partition in consumer.assignment() if consumer else ():
            end = consumer.highwater(partition) if consumer else None
            state = consumer._subscription.subscription.assignment.state_value(partition) if consumer else None
            position = state.position if state is not None and state.has_valid_position else None
            topic = "departments.*.outbox" if self.pattern else partition.topic
            behind = end - position if end is not None and position is not None else 0
            waiting[topic] = waiting.get(topic, 0) + max(behind, 0)
        return waiting

    def forget_positions(self) -> None:
        """Another member may have gone on from where this one was."""
        self.polling.handled.clear()

    async def drained(self, limit_s: float) -> None:
        """Wait until the batch in hand is finished, or the limit is over: then it is abandoned."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), limit_s)


class Drain(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka carries no types
    """Before partitions go, the batch in hand may finish: half of the rebalance time-out."""

    def __init__(self, subscription: Subscription[Any]) -> None:
        self.subscription = subscription

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Called by aiokafka before it gives the partitions back."""
        await self.subscription.drained(SESSION_S / 2)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Positions come from the committed offsets: what this process had handled before says nothing any more."""
        self.subscription.forget_positions()
