"""Publishes with confirmation: one batch for each partition; keys go to the same partitions as with Java's clients."""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError
from aiokafka.partitioner import murmur2
from aiokafka.producer.message_accumulator import BatchBuilder

from shared.contracts.envelope import Header, Message
from shared.kafka.client_settings import PRODUCER
from shared.kafka.connection import Connection
from shared.runtime import metrics
from shared.runtime.logging import log

BATCH_BYTES = 1_000_000
RECORD_BYTES_MAX = 9_000_000
# The rest of RECORD_BYTES_MAX is more than the key and headers of any message of Chorus.
VALUE_BYTES_MAX = RECORD_BYTES_MAX - 16_384
STOP_LIMIT_S = 5.0
PING_LIMIT_S = 2.0
LOOK_EVERY_S = 1.0
RawRecord = tuple[bytes | None, bytes | None, Sequence[Header]]
Row = tuple[str, RawRecord]
"""A record and its topic."""


class PreparedRecord(NamedTuple):
    """A record to publish unchanged: a dead letter."""

    topic: str
    record: RawRecord

    @property
    def value(self) -> bytes:
        return self.record[1] or b""


Publishable = Message | PreparedRecord


class TooLarge(ValueError):
    """A record that is too large for every topic. Refused here, because aiokafka's producer is unusable after the
    broker refuses a record."""


@lru_cache(maxsize=65_536)
def placement(key: bytes) -> int:
    """The hash of a key; modulo the number of partitions it is the key's partition, as in Java's default partitioner.

    Cached, because the 6.55 messages of an inquiry have the same key: computing it takes 3.4 µs, so that the cache saves
    an eighth of the core's time for one inquiry, some 150 µs.
    """
    return int(murmur2(key)) & 0x7FFFFFFF


def size_of(record: RawRecord) -> int:
    """The size of a record in bytes, without compression."""
    key, value, headers = record
    size = len(key or b"") + len(value or b"")
    for name, text in headers:
        size += len(name) + len(text or b"")
    return size


class Publisher:
    """The only producer of a process: idempotent, acks=all. It is replaced after the broker has refused a record."""

    def __init__(self, kafka: Connection | str, service: str, client_id: str | None = None) -> None:
        self.kafka = Connection.of(kafka)
        self.service = service
        self.client_id = client_id or f"chorus-{service}"
        self.producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()
        self._unconfirmed: dict[object, float] = {}
        self.refusal: str | None = None
        """The last error that a retry does not fix; None again after a confirmed publish."""

    async def start(self) -> None:
        """Connect. Raises KafkaError when Kafka is unavailable. Safe to repeat."""
        async with self._starting:
            if self.producer is not None:
                return
            producer = AIOKafkaProducer(
                **self.kafka.aiokafka(),
                **PRODUCER,
                client_id=self.client_id,
                max_request_size=RECORD_BYTES_MAX,
                max_batch_size=BATCH_BYTES,
            )
            try:
                await producer.start()
            except BaseException:
                await self._discard(producer)
                raise
            self.producer = producer

    async def stop(self) -> None:
        """Wait at most STOP_LIMIT_S for confirmations. Unconfirmed messages are published again after the restart."""
        producer, self.producer = self.producer, None
        await self._discard(producer)

    async def _discard(self, producer: AIOKafkaProducer | None) -> None:
        if producer is not None:
            with suppress(KafkaError, TimeoutError):
                await asyncio.wait_for(producer.stop(), STOP_LIMIT_S)

    async def answers(self) -> bool:
        """Whether the broker answers within PING_LIMIT_S."""
        producer = self.producer
        if producer is None:
            return False
        with suppress(KafkaError, TimeoutError):
            return bool(await asyncio.wait_for(producer.client.force_metadata_update(), PING_LIMIT_S))
        return False

    def unconfirmed_s(self) -> float:
        """For how many seconds the oldest unconfirmed publish has waited; 0 when there is none."""
        return time.monotonic() - min(self._unconfirmed.values(), default=time.monotonic())

    async def publish(self, messages: Iterable[Publishable]) -> None:
        """Publish and wait until every message is confirmed. Raises KafkaError or TooLarge when one is not.

        Safe to repeat: the ids are derived from causes, so readers recognise a repeated message.
        """
        batch = list(messages)
        for one in batch:
            if (size := len(one.value)) > VALUE_BYTES_MAX:
                raise TooLarge(f"A value of {size} bytes for {one.topic!r} is larger than {VALUE_BYTES_MAX} bytes.")
        await self.deliver({one.topic for one in batch}, ((one.topic, one.record) for one in batch))

    async def publish_raw(self, records: Mapping[str, Sequence[RawRecord]]) -> None:
        """Publish records unchanged, by topic, in order within a partition, and wait for every confirmation."""
        for topic, rows in records.items():
            if (largest := max(map(size_of, rows), default=0)) > RECORD_BYTES_MAX:
                raise TooLarge(f"A record of {largest} bytes for {topic!r} is larger than {RECORD_BYTES_MAX} bytes.")
        await self.deliver(records.keys(), ((topic, row) for topic, rows in records.items() for row in rows))

    async def deliver(self, topics: AbstractSet[str], rows: Iterable[Row]) -> None:
        """Publish records whose size is already checked, and wait until every one is confirmed."""
        if not topics:
            return
        await self.start()
        producer = self.producer
        if producer is None:
            raise KafkaConnectionError("The producer is stopped.")
        token = object()
        self._unconfirmed[token] = time.monotonic()
        try:
            known = producer.client.cluster.partitions_for_topic
            # Concurrently: each topic that is used for the first time needs a metadata request, and cold inboxes are many.
            await asyncio.gather(*[producer.partitions_for(topic) for topic in topics if not known(topic)])
            counts = {topic: len(await producer.partitions_for(topic)) for topic in topics}
            batches = packed(producer, counts, rows)
            sent = [await producer.send_batch(batch, topic, partition=at) for (topic, at), batch in batches]
            await self._confirmed(producer, sent)
            self.refusal = None
        except KafkaError as error:
            if not error.retriable:
                self.refusal = type(error).__name__
                await self._renew(producer, error)
            raise
        finally:
            del self._unconfirmed[token]

    async def _confirmed(self, producer: AIOKafkaProducer, sent: Sequence["asyncio.Future[object]"]) -> None:
        """Wait without limit: publishing again while a publish is unconfirmed would only multiply the load."""
        going = set(sent)
        while going:
            _, going = await asyncio.wait(going, timeout=LOOK_EVERY_S)
            if going:
                metrics.BLOCKED_SECONDS.labels(self.service, "kafka").inc(LOOK_EVERY_S)
                if self.producer is not producer:
                    raise KafkaConnectionError("The producer was replaced while a publish waited for its confirmation.")
        for future in sent:
            future.result()

    async def _renew(self, producer: AIOKafkaProducer, error: BaseException) -> None:
        """Replace a producer whose record was refused: it fails every later write to that partition."""
        if self.producer is producer:
            self.producer = None
            metrics.PRODUCER_RENEWALS.labels(self.service).inc()
            log.warning("Kafka refused a record; the producer is replaced", error=type(error).__name__)
            await self._discard(producer)


def packed(
    producer: AIOKafkaProducer, counts: Mapping[str, int], rows: Iterable[Row]
) -> list[tuple[tuple[str, int], BatchBuilder]]:
    """Batches in sending order, each with its topic and partition; `counts` is the number of partitions by topic."""
    full: list[tuple[tuple[str, int], BatchBuilder]] = []
    filling: dict[tuple[str, int], BatchBuilder] = {}
    for topic, (key, value, headers) in rows:
        place = topic, placement(key) % counts[topic] if key else 0
        batch = filling.get(place)
        if batch is None or batch.append(key=key, value=value, timestamp=None, headers=headers) is None:
            if batch is not None:
                full.append((place, batch))
            batch = filling[place] = producer.create_batch()
            batch.append(key=key, value=value, timestamp=None, headers=headers)
    return [*full, *filling.items()]
