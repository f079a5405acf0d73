"""Compared: the same loop with librdkafka, a C library with its own threads, with its best settings."""

import os
import signal
from types import FrameType
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition

from shared.kafka import topics
from shared.kafka.records import Record
from tests.benchmarks.programs.work import Work, rows_of, the_directory

GROUP = "bench-librdkafka"
BATCH = int(os.environ.get("BENCH_BATCH", "2000"))
LINGER_MS = float(os.environ.get("BENCH_LINGER", "1"))


def main() -> None:
    """Read, decide, produce, flush, commit."""
    kafka = os.environ["CHORUS_KAFKA"]
    work = Work(the_directory())
    consumer = Consumer(
        {
            "bootstrap.servers": kafka,
            "group.id": GROUP,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "earliest",
            "check.crcs": False,
        }
    )
    producer = Producer(
        {
            "bootstrap.servers": kafka,
            "acks": "all",
            "enable.idempotence": True,
            "partitioner": "murmur2_random",
            "linger.ms": LINGER_MS,
            "queue.buffering.max.messages": 1_000_000,
            "queue.buffering.max.kbytes": 1_048_576,
            "batch.size": 1_000_000,
            # A callback for each confirmation would dominate its running time.
            "delivery.report.only.error": True,
            "on_delivery": refused,
        }
    )
    consumer.subscribe([topics.INPUTS])
    while True:
        records: list[Any] = consumer.consume(BATCH, timeout=0.2)
        offsets: dict[int, int] = {}
        for raw in records:
            record = Record(raw.topic(), raw.partition(), raw.offset(), 0, raw.key(), raw.value(), raw.headers())
            for topic, key, value, headers in rows_of(work.decide(record)):
                producer.produce(topic, value, key, headers=list(headers))
            offsets[raw.partition()] = raw.offset() + 1
        if producer.flush(30):
            raise RuntimeError("not everything was confirmed")
        if offsets:
            places = [TopicPartition(topics.INPUTS, partition, offset) for partition, offset in offsets.items()]
            consumer.commit(offsets=places, asynchronous=False)


def refused(error: object, record: object) -> None:
    """An unconfirmed message ends the program before the commit of its batch."""
    if error is not None:
        raise RuntimeError(f"not confirmed: {error}")


def told_to_end(number: int, frame: FrameType | None) -> None:
    """SIGTERM ends the program."""
    raise SystemExit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, told_to_end)
    main()
