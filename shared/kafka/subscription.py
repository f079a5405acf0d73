"""How a record becomes an effect exactly as often as it must: effect durable, publishes confirmed, then the offsets committed.

A record is wrong (put aside at once), or a dependency is away (wait in place), or it fails again and again (put aside).
While what follows from one batch is being confirmed, the next is polled and its effects are stored, and the one before is
being committed; commits stay in order.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker

from shared.kafka import topics
from shared.kafka.membership import Membership
from shared.kafka.polling import Polling, as_it_is, undecoded
from shared.kafka.publisher import Publisher
from shared.kafka.records import InvalidRecord, Record, dead_letter, dependency
from shared.runtime import metrics
from shared.runtime.logging import log
from shared.runtime.tasks import cancel_and_wait

BATCH_RECORDS = 2_000
POLL_MS = 500
LEISURE_S = 0.05
ATTEMPTS = 5
LONGEST_PAUSE_S = 5.0
SESSION_S = 10
STATIC_SESSION_S = 30
NO_POLL_S = 30.0
Item = TypeVar("Item")
Taker = TypeVar("Taker", contravariant=True)
Confirm = Callable[[], Awaitable[None]]
Pair = tuple[Record, Item]
Raw: TypeAlias = "ConsumerRecord[bytes, bytes]"


class Parking(Protocol[Taker]):
    """Where an item that fails for good is kept, and whatever must not overtake it."""

    async def refresh(self) -> None:
        """Learn what is parked; called before the first batch after partitions came."""

    def waits(self, item: Taker) -> str | None:
        """Why this item queues behind a parked one; asked in the order of the log."""

    async def park(self, record: Record, item: Taker, kind: str, reason: str) -> None:
        """Keep the record, durably; safe to repeat."""


@dataclass
class Subscription(Generic[Item]):
    """One group's reading in one process: which topics, how a record is read, what is done with a batch.

    `read` turns a record into an item, None to skip it, or raises Wrong. `handle` makes the effects durable and may return
    what is still to be confirmed; both must be safe to repeat. At most three batches are in memory: one whose effects
    are being stored, the former, whose publishes are being confirmed, and the one before, whose offsets are being committed.
    `most` is the number of records in a batch. What is read `at_leisure` may be a moment late: it is polled seldom, and many
    records are taken at once.
    """

    service: str
    group: str | None
    read: Callable[[Record], Item | None]
    handle: Callable[[Sequence[Item]], Awaitable[Confirm | None]]
    publisher: Publisher
    topics: Collection[str] = ()
    pattern: str | None = None
    schema: Any = bytes
    instance: str | None = None
    parking: Parking[Item] | None = None
    most: int = BATCH_RECORDS
    at_leisure: bool = False
    last_poll: float = field(default_factory=time.monotonic)
    put_aside_at: float | None = None
    subscriber: Any = None
    on_broken: Callable[[BaseException], None] = lambda error: None
    _idle: asyncio.Event = field(default_factory=asyncio.Event)
    _confirming: asyncio.Task[None] | None = None
    _committing: asyncio.Task[None] | None = None
    _before: asyncio.Task[None] | None = None
    _moved: float = field(default_factory=time.monotonic)
    _waiting: dict[object, str] = field(default_factory=dict)
    _oldest_ms: deque[dict[str, int]] = field(default_factory=deque)
    _more: bool = False
    _assignment: int = 0
    _refreshed: int = -1

    # ── wiring ───────────────────────────────────────────────────────────────

    @cached_property
    def polling(self) -> Polling:
        """This reading's polls."""
        return Polling(self.service, self.group, self._put_aside, self.on_broken)

    @cached_property
    def membership(self) -> Membership:
        """This reading's place in its group."""
        return Membership(lambda: self.drained(SESSION_S / 2), self.forget)

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
            session_timeout_ms=session_ms,
            heartbeat_interval_ms=session_ms // 10,
            max_poll_interval_ms=2**31 - 1,
            listener=self.membership,
        )

        async def consume(batch: Any) -> None:
            await self.consume(batch)

        # FastStream names a message's form after the function that takes it.
        consume.__name__ = consume.__qualname__ = (self.group or "city").replace("-", "_")
        consume.__annotations__["batch"] = list[self.schema]  # type: ignore[name-defined]
        self.subscriber(consume)

        async def polling(consumer: AIOKafkaConsumer) -> tuple[Raw, ...]:
            if self.at_leisure and not self._more:
                await asyncio.sleep(self.last_poll + LEISURE_S - time.monotonic())
            # FastStream's own sleeps after each empty poll, and a message that comes then waits for it.
            found = await consumer.getmany(timeout_ms=POLL_MS, max_records=self.most)
            batch = tuple(chain.from_iterable(found.values()))
            self._more = len(batch) >= self.most
            return batch

        async def careful(consumer: AIOKafkaConsumer) -> Any:
            batch = await self.polling.poll(polling, consumer)
            self.last_poll = time.monotonic()
            return batch

        self.subscriber.get_msg = careful

    # ── a batch ──────────────────────────────────────────────────────────────

    async def consume(self, records: Sequence[Raw]) -> None:
        """Store the effects of one poll's records; when the former batch is confirmed, confirm and commit this one."""
        self._idle.clear()
        self._moved = time.monotonic()
        assignment = self._assignment
        self._oldest_ms.append({self._label(raw.topic): raw.timestamp for raw in reversed(records)})
        try:
            await self._take(records, assignment)
        except asyncio.CancelledError:
            # Nobody will finish this one: it is not in hand any more.
            self._oldest_ms.pop()
            if not self._oldest_ms:
                self._idle.set()
            raise

    async def _take(self, records: Sequence[Raw], assignment: int) -> None:
        async with self._unbroken():
            good = await self._read(records)
            failure, confirm = await self._stored(good)
            for former in filter(None, (self._confirming, self._before)):
                await asyncio.shield(former)
            if failure is not None:
                log.warning("a batch failed", extra={"group": self.group, "error": type(failure).__name__})
                await self._settle(good)
            self._confirming = asyncio.create_task(self._confirm(good, confirm), name=f"{self.group}-confirms")
            commit = self._finish(assignment, records, self._confirming, self._committing)
            self._before = self._committing
            self._committing = asyncio.create_task(commit, name=f"{self.group}-commits")

    async def _confirm(self, good: Sequence[Pair[Item]], confirm: Confirm | None) -> None:
        async with self._unbroken():
            if confirm is not None and await self._in_place(confirm) is not None:
                await self._settle(good)

    async def _finish(self, assignment: int, records: Sequence[Raw], *former: asyncio.Task[None] | None) -> None:
        """Commit what is confirmed, after what came before."""
        for one in filter(None, former):
            await one
        async with self._unbroken():
            if assignment == self._assignment:
                await self._commit(records)
            else:
                metrics.COMMIT_FAILURES.labels(self.service).inc()
        metrics.LAST_PROCESSED.labels(self.service).set_to_current_time()
        self._moved = time.monotonic()
        self._oldest_ms.popleft()
        if not self._oldest_ms:
            self._idle.set()

    @asynccontextmanager
    async def _unbroken(self) -> AsyncIterator[None]:
        """A failure that nothing here can heal ends the process; until then neither this batch nor a later one is committed."""
        try:
            yield
        except Exception as error:
            # FastStream would log it and go on, and the next commit would pass over these records.
            log.error("broken", exc_info=error, extra={"group": self.group})
            self.on_broken(error)
            self._idle.set()
            await asyncio.Event().wait()

    async def _read(self, records: Sequence[Raw]) -> list[Pair[Item]]:
        """The items of a poll; what is wrong is put aside, and what must wait behind a parked one is parked."""
        good: list[Pair[Item]] = []
        for raw in records:
            record = Record(raw.topic, raw.partition, raw.offset, raw.timestamp, raw.key, raw.value, raw.headers)
            try:
                item = self.read(record)
            except InvalidRecord as wrong:
                await self._put_aside(record, "permanent", str(wrong), attempts=1)
            except Exception as error:
                await self._put_aside(record, "permanent", f"It could not be read: {error!r}", attempts=1)
            else:
                if item is not None:
                    good.append((record, item))
        return await self._unparked(good)

    async def _unparked(self, batch: Sequence[Pair[Item]]) -> list[Pair[Item]]:
        """The batch without what queues behind a parked item: that is parked too."""
        if self.parking is None:
            return list(batch)
        if self._refreshed != (assignment := self._assignment):
            await self._surely(self.parking.refresh)
            self._refreshed = assignment
        free: list[Pair[Item]] = []
        for record, item in batch:
            if (reason := self.parking.waits(item)) is None:
                free.append((record, item))
            else:
                await self._give_up(record, item, "parked", reason, attempts=0)
        return free

    async def _stored(self, batch: Sequence[Pair[Item]]) -> tuple[Exception | None, Confirm | None]:
        """Handle a batch once: what went wrong, or what is still to be confirmed."""
        if not batch:
            return None, None
        confirm: Confirm | None = None

        async def handle() -> None:
            nonlocal confirm
            confirm = await self.handle([item for _, item in batch])

        return await self._in_place(handle), confirm

    async def _settle(self, batch: Sequence[Pair[Item]]) -> None:
        """Handle and confirm a batch; when it goes on failing, its halves, so that only the culprit is put aside."""
        batch = await self._unparked(batch)
        for attempt in range(1, ATTEMPTS + 1):
            failure, confirm = await self._stored(batch)
            if failure is None and confirm is not None:
                failure = await self._in_place(confirm)
            if failure is None:
                return
            if len(batch) > 1 and attempt > 1:
                middle = len(batch) // 2
                await self._settle(batch[:middle])
                await self._settle(batch[middle:])
                return
            extra = {"group": self.group, "attempt": attempt, "error": type(failure).__name__}
            log.warning("a batch failed", extra=extra)
            await asyncio.sleep(min(0.05 * 2**attempt, LONGEST_PAUSE_S))
        record, item = batch[0]
        await self._give_up(record, item, "exhausted", repr(failure), attempts=ATTEMPTS)

    async def _give_up(self, record: Record, item: Item, kind: str, reason: str, attempts: int) -> None:
        if (parking := self.parking) is not None:
            await self._surely(lambda: parking.park(record, item, kind, reason))
        await self._put_aside(record, kind, reason, attempts)

    async def _surely(self, act: Callable[[], Awaitable[None]]) -> None:
        """Do it, waiting while a dependency is away; any other failure is raised."""
        if (failure := await self._in_place(act)) is not None:
            raise failure

    async def _in_place(self, act: Callable[[], Awaitable[None]]) -> Exception | None:
        """Do it, waiting as long as a dependency is away; return the failure that speaks of the records."""
        pause_s = 0.05
        began = time.monotonic()
        try:
            while True:
                try:
                    await act()
                except Exception as error:
                    away = dependency(error)
                    if away is None:
                        return error
                    if self._waiting.get(act) != away:
                        extra = {"group": self.group, "dependency": away, "error": type(error).__name__}
                        log.warning("waiting", extra=extra)
                    self._waiting[act] = away
                    await asyncio.sleep(pause_s)
                    metrics.BLOCKED_SECONDS.labels(self.service, away).inc(time.monotonic() - began)
                    began = time.monotonic()
                    pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
                else:
                    return None
        finally:
            self._waiting.pop(act, None)
            self._moved = time.monotonic()

    async def _put_aside(self, record: Record, kind: str, reason: str, attempts: int) -> None:
        letter = dead_letter(self.service, record, kind, reason, attempts)
        topic = topics.dead_letters(self.service)
        await self._surely(lambda: self.publisher.publish_raw({topic: [letter]}))
        metrics.DEAD_LETTERS.labels(self.service, kind).inc()
        self.put_aside_at = time.monotonic()
        log.warning("put aside", extra={"service": self.service, "place": record.place, "kind": kind})

    async def _commit(self, records: Sequence[Raw]) -> None:
        """Commit what this batch has finished; a partition that was taken away meanwhile is its new owner's to repeat."""
        offsets: dict[TopicPartition, int] = {}
        for record in records:
            partition = TopicPartition(record.topic, record.partition)
            offsets[partition] = max(offsets.get(partition, 0), record.offset + 1)
        self.polling.go_on_from(offsets)
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
        consumer: AIOKafkaConsumer | None = self.subscriber.consumer if self.subscriber else None
        if self.waiting_for:
            return f"{self.name} waits for {self.waiting_for}"
        if self.polling.failure:
            return f"{self.name} cannot poll: {self.polling.failure}"
        if self.group is None and (consumer is None or not consumer.assignment()):
            return f"{self.name} has no partitions assigned"
        if self.group is not None and (reason := self.membership.standing(consumer).why_not_ready()):
            return f"{self.name} {reason}"
        return self.stands_still(NO_POLL_S)

    def stands_still(self, for_s: float) -> str | None:
        """A sentence when this reading has neither polled nor got on with its batch for so long; None when it has."""
        if not self._idle.is_set() and time.monotonic() - self._moved > for_s:
            return f"{self.name} has had one batch in hand for more than {for_s:.0f} s"
        if self._idle.is_set() and time.monotonic() - self.last_poll > for_s:
            return f"{self.name} has not polled for {for_s:.0f} s"
        return None

    @property
    def name(self) -> str:
        """What people call this reading."""
        return self.group or ", ".join(self.topics)

    @property
    def waiting_for(self) -> str | None:
        """The dependency for which a batch waits in place."""
        return next(iter(self._waiting.values()), None)

    async def behind(self) -> bool:
        """Whether something lies in its topics now that is not handled here yet; asks the broker, raises KafkaError."""
        consumer: AIOKafkaConsumer | None = self.subscriber.consumer if self.subscriber else None
        ends = await consumer.end_offsets(consumer.assignment()) if consumer else {}
        return not ends or any(self.polling.handled.get(partition, 0) < end for partition, end in ends.items())

    def lag(self) -> dict[str, tuple[int, float]]:
        """By topic, as far as the last fetch knows: messages that are not handled, and the age in seconds of the oldest
        one in hand. Outboxes are summed."""
        consumer: AIOKafkaConsumer | None = self.subscriber.consumer if self.subscriber else None
        lag: dict[str, tuple[int, float]] = {}
        for partition in consumer.assignment() if consumer else ():
            end = consumer.highwater(partition) if consumer else None
            state = consumer._subscription.subscription.assignment.state_value(partition) if consumer else None
            position = state.position if state is not None and state.has_valid_position else None
            handled = self.polling.handled.get(partition, position)
            topic = self._label(partition.topic)
            behind = max(end - handled, 0) if end is not None and handled is not None else 0
            oldest_ms = min((batch[topic] for batch in self._oldest_ms if topic in batch), default=None)
            waited_s = max(time.time() - oldest_ms / 1000, 0.0) if oldest_ms is not None else 0.0
            lag[topic] = (lag.get(topic, (0, 0.0))[0] + behind, waited_s)
        return lag

    def _label(self, topic: str) -> str:
        return "departments.*.outbox" if self.pattern else topic

    def forget(self) -> None:
        """Another member may have gone on from where this one was: batches in hand are not committed any more."""
        self.polling.handled.clear()
        self._assignment += 1

    @property
    def going(self) -> list[asyncio.Task[None]]:
        """What is at work on the batches in hand."""
        return [one for one in (self._confirming, self._before, self._committing) if one is not None]

    async def drained(self, limit_s: float) -> None:
        """Wait until the batches in hand are committed, or the limit is over: then they are abandoned."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), limit_s)

    async def stop(self) -> None:
        """Let go of what is still being confirmed: it comes again."""
        await cancel_and_wait(self.going)
