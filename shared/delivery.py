"""How a record becomes an effect exactly as often as it must: effect durable, publishes confirmed, then the offsets committed.

A record is wrong (put aside at once), or a dependency is away (wait in place), or it fails again and again (put aside).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import (
    CommitFailedError,
    ConsumerStoppedError,
    CorruptRecordException,
    GroupAuthorizationFailedError,
    IllegalStateError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordTooLargeError,
    TopicAuthorizationFailedError,
    UnsupportedCodecError,
)
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaMessage

from shared import metrics, topics
from shared.logs import log
from shared.mongo import StoreAway
from shared.publishing import RECORD_BYTES_MAX, Publisher, RawRecord, size_of

BATCH_RECORDS = 2_000
POLL_MS = 20
ATTEMPTS = 5
LONGEST_PAUSE_S = 5.0
SESSION_S = 10
STATIC_SESSION_S = 30
NO_POLL_S = 30.0
Item = TypeVar("Item")
TOO_LARGE = (MessageSizeTooLargeError, RecordTooLargeError)
FORBIDDEN = (TopicAuthorizationFailedError, GroupAuthorizationFailedError)
UNPACKABLE = (CorruptRecordException, UnsupportedCodecError)
UNPACK_MS = 100


class Wrong(Exception):
    """The record itself is wrong, and would be wrong again: it goes to the dead letters at once."""


class Away(Exception):
    """Something this work needs is not there yet; it is waited for, in place."""

    def __init__(self, dependency: str, sentence: str) -> None:
        super().__init__(sentence)
        self.dependency = dependency


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it lies in its topic; `headers` may hold anything a stranger's client wrote."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]

    def header(self, name: str) -> str | None:
        """A header as text, undecodable bytes replaced; None when absent or null. The last of several counts."""
        for key, value in reversed(self.headers):
            if key == name and value is not None:
                return bytes(value).decode(errors="replace")
        return None

    @property
    def place(self) -> str:
        """Where the record lies, for people and as its identity."""
        return f"{self.topic}-{self.partition}-{self.offset}"


def dependency(error: BaseException) -> str | None:
    """Which dependency is away when `error` says so; None when the error speaks of the record."""
    if isinstance(error, Away):
        return error.dependency
    if isinstance(error, StoreAway):
        return "mongodb"
    if isinstance(error, KafkaError) and not isinstance(error, TOO_LARGE):
        return "kafka"
    return None


def dead_letter(service: str, record: Record, kind: str, reason: str, attempts: int) -> RawRecord:
    """The record as it was, with where it came from and why it is here."""
    origin = {
        "dl_service": service,
        "dl_topic": record.topic,
        "dl_partition": str(record.partition),
        "dl_offset": str(record.offset),
        "dl_timestamp": str(record.timestamp_ms),
        "dl_attempts": str(attempts),
        "dl_kind": kind,
        "dl_reason": reason[:2_000],
    }
    marks: list[tuple[str, bytes | None]] = [(name, text.encode()) for name, text in origin.items()]
    letter = (record.key, record.value, [*record.headers, *marks])
    if size_of(letter) < RECORD_BYTES_MAX:
        return letter
    # Larger than any topic takes: what is left of it says where it lies.
    return None, None, [*marks, ("dl_cut", str(size_of(letter)).encode())]


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
    metadata_max_age_s: int = 30
    waiting_for: str | None = None
    last_poll: float = field(default_factory=time.monotonic)
    subscriber: Any = None
    on_broken: Callable[[BaseException], None] = lambda error: None
    _idle: asyncio.Event = field(default_factory=asyncio.Event)
    _handled: dict[TopicPartition, int] = field(default_factory=dict)
    _in_hand_since: float = field(default_factory=time.monotonic)

    # ── wiring ───────────────────────────────────────────────────────────────

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
            batch = await self._poll(polling, consumer)
            self.last_poll = time.monotonic()
            return batch

        self.subscriber.get_msg = careful

    # ── a poll ───────────────────────────────────────────────────────────────

    async def _poll(self, polling: Callable[[AIOKafkaConsumer], Awaitable[Any]], consumer: AIOKafkaConsumer) -> Any:
        """Poll; whatever goes wrong, nothing that was fetched is passed over.

        When a record of one partition cannot be unpacked, aiokafka has moved past records of others that it then drops:
        every partition goes back to the first record that was not handled.
        """
        try:
            return await polling(consumer)
        except ConsumerStoppedError:
            raise
        except FORBIDDEN as error:
            self.on_broken(error)
            raise
        except Exception as error:
            log.error("a poll failed", extra={"group": self.group, "error": type(error).__name__})
            await self._rewind(consumer)
            if isinstance(error, KafkaError) and not isinstance(error, UNPACKABLE):
                raise
            return await self._poll_one_by_one(consumer)

    async def _rewind(self, consumer: AIOKafkaConsumer) -> None:
        for partition in consumer.assignment():
            if (offset := self._handled.get(partition)) is not None:
                consumer.seek(partition, offset)
            elif self.group is not None and await consumer.committed(partition) is not None:
                await consumer.seek_to_committed(partition)
            else:
                await consumer.seek_to_beginning(partition)

    async def _poll_one_by_one(self, consumer: AIOKafkaConsumer) -> tuple[Any, ...]:
        """One record of each partition; one that cannot be unpacked leaves a dead letter that says where it lies."""
        found: list[Any] = []
        for partition in sorted(consumer.assignment()):
            offset = await consumer.position(partition)
            try:
                records = await consumer.getmany(partition, timeout_ms=UNPACK_MS, max_records=1)
            except ConsumerStoppedError:
                raise
            except Exception as error:
                record = Record(partition.topic, partition.partition, offset, 0, None, None, ())
                await self._put_aside(record, "permanent", f"It could not be unpacked: {error!r}", attempts=1)
                consumer.seek(partition, offset + 1)
                self._handled[partition] = offset + 1
            else:
                found += [record for some in records.values() for record in some]
        return tuple(found)

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
        self._handled |= offsets
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
        self._handled.clear()

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


async def as_it_is(batch: tuple[ConsumerRecord[bytes, bytes], ...]) -> KafkaMessage:
    """FastStream's parser decodes header values and loses the batch on one that is not UTF-8; this one decodes nothing."""
    return KafkaMessage(body=b"", headers={}, raw_message=batch, consumer=None)  # type: ignore[arg-type]


async def undecoded(message: KafkaMessage) -> Any:
    """The records themselves: validation is ours, so that one bad record never hurts its neighbours."""
    return message.raw_message
