"""Compared: the product's pipeline written by hand: the same inserts, a batch for each partition, overlapping batches."""

import asyncio
import os
from collections import defaultdict
from functools import lru_cache
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.partitioner import murmur2

from services.router.core.handlers import earlier_looks
from services.router.domain.case import Case
from services.router.stores.case_timers import CaseTimers
from shared.contracts.envelope import Header
from shared.kafka import topics
from shared.store.mongo import connect, insert_new
from tests.benchmarks.programs.loops import run
from tests.benchmarks.programs.work import Work, record_of, rows_of, the_directory

GROUP = "bench-same"
BATCH = 2_000
BATCH_BYTES = 1_000_000
Rows = dict[tuple[str, int], list[tuple[bytes, bytes, list[Header]]]]


@lru_cache(65_536)
def place(key: bytes) -> int:
    """The partition of a key, before the number of partitions is known."""
    return int(murmur2(key)) & 0x7FFFFFFF


async def main() -> None:
    """Read, decide and insert a batch while the previous one is confirmed and committed."""
    kafka = os.environ["CHORUS_KAFKA"]
    database = connect(os.environ["CHORUS_MONGODB"], "bench")
    work, decided, timers = Work(the_directory()), database["decisions"], CaseTimers(database)
    await decided.create_index([("inquiry_id", 1), ("n", 1)])
    await timers.prepare()
    consumer = AIOKafkaConsumer(
        topics.INPUTS,
        bootstrap_servers=kafka,
        group_id=GROUP,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka, acks="all", enable_idempotence=True, max_batch_size=BATCH_BYTES
    )
    former: asyncio.Task[None] | None = None
    async with consumer, producer:
        while True:
            batches = await consumer.getmany(timeout_ms=20, max_records=BATCH)
            if not batches:
                continue
            raws = [raw for records in batches.values() for raw in records]
            decisions = [one for raw in raws if (one := work.decide(record_of(raw)))]
            made = [(Case(one.inquiry_id), one) for one in decisions]
            await timers.look(list(earlier_looks(made, work.city)))
            await insert_new(decided, [one.document() for one in decisions])
            if former is not None:
                await former
            rows: Rows = defaultdict(list)
            for decision in decisions:
                for topic, key, value, headers in rows_of(decision):
                    count = len(await producer.partitions_for(topic))
                    rows[topic, place(key) % count].append((key, value, headers))
            offsets = {place: records[-1].offset + 1 for place, records in batches.items()}
            former = asyncio.create_task(finish(producer, consumer, rows, offsets))


async def finish(producer: AIOKafkaProducer, consumer: AIOKafkaConsumer, rows: Rows, offsets: dict[Any, int]) -> None:
    """Send a batch for each partition, await all confirmations, commit."""
    futures = []
    for (topic, partition), some in rows.items():
        batch = producer.create_batch()
        for key, value, headers in some:
            if batch.append(key=key, value=value, timestamp=None, headers=headers) is None:
                futures.append(await producer.send_batch(batch, topic, partition=partition))
                batch = producer.create_batch()
                batch.append(key=key, value=value, timestamp=None, headers=headers)
        futures.append(await producer.send_batch(batch, topic, partition=partition))
    await asyncio.gather(*futures)
    await consumer.commit(offsets)


if __name__ == "__main__":
    run(main)
