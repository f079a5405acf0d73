"""Polling without loss: after any failed fetch, every record is handled or becomes a dead letter."""

from collections.abc import Awaitable, Callable, Mapping
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
from shared.kafka.options import Progress
from shared.kafka.records import Record
from shared.runtime import metrics
from shared.runtime.logging import log

UNPACKABLE = (CorruptRecordException, UnsupportedCodecError)
UNPACK_MS = 100


@dataclass
class Polling:
    """The polls of one consumer. `handled` is, for each partition, the offset after the last record handled here."""

    service: str
    group: str | None
    send_to_dead_letters: Callable[[Record, str, str, int], Awaitable[None]]
    broken: Callable[[BaseException], None]
    handled: dict[TopicPartition, int] = field(default_factory=dict)
    failure: str | None = None

    async def poll(self, polling: Callable[[AIOKafkaConsumer], Awaitable[Any]], consumer: AIOKafkaConsumer) -> Any:
        """Poll once. After a failure, every partition is rewound to its first record that is not handled yet.

        When aiokafka cannot unpack a record of one partition, it drops records of other partitions that it has already
        moved past.
        """
        try:
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
            await self.rewind(consumer)
            if isinstance(error, KafkaError) and not isinstance(error, UNPACKABLE):
                raise
            found = await self.one_by_one(consumer)
        self.failure = None
        return found

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

    async def one_by_one(self, consumer: AIOKafkaConsumer) -> tuple[Any, ...]:
        """Read one record of each partition; one that cannot be unpacked becomes a dead letter without its bytes."""
        found: list[Any] = []
        for partition in sorted(consumer.assignment()):
            offset = await consumer.position(partition)
            end = consumer.highwater(partition)
            if end is not None and offset >= end:
                continue  # an empty partition would make the poll wait for UNPACK_MS
            try:
                records = await consumer.getmany(partition, timeout_ms=UNPACK_MS, max_records=1)
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
