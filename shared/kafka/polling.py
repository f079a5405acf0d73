"""Polling without loss: after any failed fetch, every record is handled or becomes a dead letter."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import (
    ConsumerStoppedError,
    CorruptRecordException,
    KafkaError,
    UnsupportedCodecError,
)
from faststream.kafka.message import KafkaMessage

from shared.kafka.failures import FORBIDDEN
from shared.kafka.open_transactions import readable_end
from shared.kafka.options import Progress
from shared.kafka.records import Record
from shared.runtime import metrics
from shared.runtime.logging import log

UNPACKABLE = (CorruptRecordException, UnsupportedCodecError)
UNPACK_MS = 100


@dataclass
class Polling:
    """The polls of one consumer.

    By partition: `handled` is the offset before which every record is handled here, `handed_over` the offset after the last
    record that aiokafka returned, `committed` the committed offset.
    """

    service: str
    group: str | None
    send_to_dead_letters: Callable[[Record, str, str, int], Awaitable[None]]
    broken: Callable[[BaseException], None]
    handled: dict[TopicPartition, int] = field(default_factory=dict)
    handed_over: dict[TopicPartition, int] = field(default_factory=dict)
    committed: dict[TopicPartition, int] = field(default_factory=dict)
    failure: str | None = None
    _positions_wrong: bool = False
    """Whether a failed poll has moved positions past records that it did not return."""

    async def poll(self, polling: Callable[[AIOKafkaConsumer], Awaitable[Any]], consumer: AIOKafkaConsumer) -> Any:
        """Poll once. After a failure, every partition is rewound to its first record that is not handled yet.

        When aiokafka cannot unpack a record of one partition, it drops records of other partitions that it has already
        moved past.
        """
        try:
            if self._positions_wrong:
                await self.rewind(consumer)
            found = await polling(consumer)
        except ConsumerStoppedError:
            raise
        except Exception as error:
            self.failure = type(error).__name__
            metrics.POLL_FAILURES.labels(self.service).inc()
            log.error("a poll failed; its records are read again", group=self.group, error=self.failure)
            if isinstance(error, FORBIDDEN) or ended_inside(error):
                self.broken(error)
                raise
            self._positions_wrong = True
            await self.rewind(consumer)
            if isinstance(error, KafkaError) and not isinstance(error, UNPACKABLE):
                raise
            found = await self.one_by_one(consumer)
        self.failure = None
        return found

    def note_fetched(self, found: Mapping[TopicPartition, Sequence[Any]]) -> None:
        """Note the records of a fetch. Call it without an await after the fetch, or a rebalance would go unnoticed."""
        for partition, records in found.items():
            self.handled.setdefault(partition, records[0].offset)
            self.handed_over[partition] = records[-1].offset + 1

    def passed(self, consumer: AIOKafkaConsumer, partition: TopicPartition) -> int | None:
        """The offset before which nothing is left to handle in this partition; None while it is unknown.

        aiokafka returns no control records and no aborted records; only its position shows that it is past them.
        """
        handled, position = self.handled.get(partition), position_of(consumer, partition)
        if self._positions_wrong or position is None or (handled or 0) < self.handed_over.get(partition, 0):
            return handled
        return max(position, handled or 0)

    def forget(self) -> None:
        """After a rebalance: other members may have continued."""
        for known in (self.handled, self.handed_over, self.committed):
            known.clear()

    def go_on_from(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Record these as the next offsets to handle; never moves back before a record that could not be unpacked."""
        self.handled |= {place: max(offset, self.handled.get(place, 0)) for place, offset in offsets.items()}

    async def resume(self, consumer: AIOKafkaConsumer, progress: Progress) -> None:
        """After an assignment, continue from the committed offset, or from the store's offset if that is earlier.

        Raises PyMongoError or KafkaError when a dependency is unavailable or the partitions were revoked meanwhile.
        """
        partitions = sorted(consumer.assignment())
        stored = await progress.next_offsets([one.partition for one in partitions])
        committed = {one: await consumer.committed(one) for one in partitions}
        places = {one: min(at, stored.get(one.partition, 0)) for one, at in committed.items() if at is not None}
        self.handled.update(places)
        await self.rewind(consumer)
        for one, offset in places.items():
            if offset < committed[one]:
                log.warning(
                    "the store is older than the committed offset; inputs are read again",
                    group=self.group,
                    partition=f"{one.topic}-{one.partition}",
                    committed=committed[one],
                    read_from=offset,
                )

    async def rewind(self, consumer: AIOKafkaConsumer) -> None:
        for partition in consumer.assignment():
            if (offset := self.handled.get(partition)) is not None:
                consumer.seek(partition, offset)
            elif self.group is not None and (committed := await consumer.committed(partition)) is not None:
                # Not seek_to_committed: aiokafka ignores a committed offset of 0 there.
                consumer.seek(partition, committed)
            else:
                await consumer.seek_to_beginning(partition)
        self._positions_wrong = False

    async def one_by_one(self, consumer: AIOKafkaConsumer) -> tuple[Any, ...]:
        """Read one record of each partition; one that cannot be unpacked becomes a dead letter without its bytes."""
        found: list[Any] = []
        for partition in sorted(consumer.assignment()):
            offset = await consumer.position(partition)
            end = readable_end(consumer, partition)
            if end is not None and offset >= end:
                continue  # an empty partition would make the poll wait for UNPACK_MS
            try:
                records = await consumer.getmany(partition, timeout_ms=UNPACK_MS, max_records=1)
                self.note_fetched(records)
            except ConsumerStoppedError:
                raise
            except Exception as error:
                record = Record(partition.topic, partition.partition, offset, 0, None, None, ())
                await self.send_to_dead_letters(record, "permanent", f"It could not be unpacked: {error!r}", 1)
                consumer.seek(partition, offset + 1)
                self.go_on_from({partition: offset + 1})
            else:
                found += [record for some in records.values() for record in some]
        return tuple(found)


def position_of(consumer: AIOKafkaConsumer, partition: TopicPartition) -> int | None:
    """The offset that aiokafka reads next; None while it is unknown."""
    assignment: Any = consumer._subscription.subscription.assignment
    state = assignment.state_value(partition)
    return state.position if state is not None and state.has_valid_position else None


def ended_inside(error: BaseException) -> bool:
    """Whether a background task of aiokafka's consumer has ended; it never restarts, so every later poll would fail too.

    It happens when a connection breaks while aiokafka writes to it (uvloop raises RuntimeError there).
    """
    return type(error) is KafkaError and str(error.args[0] if error.args else "").startswith("Unexpected error during")


async def unparsed_batch(batch: tuple[ConsumerRecord[bytes, bytes], ...]) -> KafkaMessage:
    """Replaces FastStream's parser, which decodes header values and loses the batch when one is not valid UTF-8."""
    return KafkaMessage(body=b"", headers={}, raw_message=batch, consumer=None)  # type: ignore[arg-type]


async def undecoded_body(message: KafkaMessage) -> Any:
    """The raw records. The pipeline validates each one, so that an invalid record does not fail the whole batch."""
    return message.raw_message
