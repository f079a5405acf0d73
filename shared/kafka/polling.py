"""Polling that passes over nothing: whatever goes wrong with a fetch, every record is handled or leaves a dead letter."""

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
    """One consumer's polls.

    `handled` is, for each partition, the offset before which every record is handled here, `handed_over` the offset after
    the last record that aiokafka has given, `committed` the offset that is committed.
    """

    service: str
    group: str | None
    send_to_dead_letters: Callable[[Record, str, str, int], Awaitable[None]]
    broken: Callable[[BaseException], None]
    handled: dict[TopicPartition, int] = field(default_factory=dict)
    handed_over: dict[TopicPartition, int] = field(default_factory=dict)
    committed: dict[TopicPartition, int] = field(default_factory=dict)
    failure: str | None = None
    _astray: bool = False
    """Whether a failed poll has moved positions past records that nobody was given."""

    async def poll(self, polling: Callable[[AIOKafkaConsumer], Awaitable[Any]], consumer: AIOKafkaConsumer) -> Any:
        """Poll; whatever goes wrong, nothing that was fetched is passed over.

        When a record of one partition cannot be unpacked, aiokafka has moved past records of others that it then drops:
        every partition goes back to the first record that was not handled.
        """
        try:
            if self._astray:
                await self.rewind(consumer)
            found = await polling(consumer)
        except ConsumerStoppedError:
            raise
        except Exception as error:
            self.failure = type(error).__name__
            metrics.POLL_FAILURES.labels(self.service).inc()
            log.error("a poll failed", group=self.group, error=self.failure)
            if isinstance(error, FORBIDDEN) or ended_inside(error):
                self.broken(error)
                raise
            self._astray = True
            await self.rewind(consumer)
            if isinstance(error, KafkaError) and not isinstance(error, UNPACKABLE):
                raise
            found = await self.one_by_one(consumer)
        self.failure = None
        return found

    def deliver(self, found: Mapping[TopicPartition, Sequence[Any]]) -> None:
        """Note what a fetch has given. Nothing may be awaited in between, or a rebalance would be overlooked."""
        for partition, records in found.items():
            self.handled.setdefault(partition, records[0].offset)
            self.handed_over[partition] = records[-1].offset + 1

    def passed(self, consumer: AIOKafkaConsumer, partition: TopicPartition) -> int | None:
        """The offset before which nothing of this partition is left to handle; None while nobody knows.

        Nobody is given control records and aborted ones: that the position is past them is all that tells of them.
        """
        handled, position = self.handled.get(partition), position_of(consumer, partition)
        if self._astray or position is None or (handled or 0) < self.handed_over.get(partition, 0):
            return handled
        return max(position, handled or 0)

    def forget(self) -> None:
        """After a rebalance: other members may have gone on meanwhile."""
        for known in (self.handled, self.handed_over, self.committed):
            known.clear()

    def go_on_from(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Everything before these is handled; what was passed over, because it cannot be unpacked, is not gone back to."""
        self.handled |= {place: max(offset, self.handled.get(place, 0)) for place, offset in offsets.items()}

    async def resume(self, consumer: AIOKafkaConsumer, progress: Progress) -> None:
        """After an assignment: go on from the committed offset, or from the store's where that one is earlier.

        Raises what store and broker raise when they are away, and KafkaError when the partitions have gone meanwhile.
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
                    "the store is older than the committed offset, so inputs are read again",
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
                # aiokafka's seek_to_committed stays where it is when 0 is committed.
                consumer.seek(partition, committed)
            else:
                await consumer.seek_to_beginning(partition)
        self._astray = False

    async def one_by_one(self, consumer: AIOKafkaConsumer) -> tuple[Any, ...]:
        """One record of each partition; one that cannot be unpacked leaves a dead letter that says where it lies."""
        found: list[Any] = []
        for partition in sorted(consumer.assignment()):
            offset = await consumer.position(partition)
            end = readable_end(consumer, partition)
            if end is not None and offset >= end:
                continue  # waiting where nothing lies would make each of these rounds long
            try:
                records = await consumer.getmany(partition, timeout_ms=UNPACK_MS, max_records=1)
                self.deliver(records)
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
    """Where the next record is taken from; None while nobody knows."""
    assignment: Any = consumer._subscription.subscription.assignment
    state = assignment.state_value(partition)
    return state.position if state is not None and state.has_valid_position else None


def ended_inside(error: BaseException) -> bool:
    """Whether a background task of aiokafka's consumer has ended: it never starts again, so every later poll fails alike.

    A connection that breaks while aiokafka writes to it can do that (uvloop raises RuntimeError there).
    """
    return type(error) is KafkaError and str(error.args[0] if error.args else "").startswith("Unexpected error during")


async def unparsed_batch(batch: tuple[ConsumerRecord[bytes, bytes], ...]) -> KafkaMessage:
    """FastStream's parser decodes header values and loses the batch on one that is not UTF-8; this one decodes nothing."""
    return KafkaMessage(body=b"", headers={}, raw_message=batch, consumer=None)  # type: ignore[arg-type]


async def undecoded_body(message: KafkaMessage) -> Any:
    """The records themselves: validation is ours, so that one bad record never hurts its neighbours."""
    return message.raw_message
