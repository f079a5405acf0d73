"""Compared: a plain aiokafka loop: 500 records, `send` for each message, await all, commit."""

import asyncio
import os

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from shared.kafka import topics
from tests.benchmarks.programs.loops import run
from tests.benchmarks.programs.work import Work, record_of, rows_of, the_directory

GROUP = "bench-send-loop"
BATCH = 500


async def main() -> None:
    """Read, decide, send, confirm, commit."""
    kafka = os.environ["CHORUS_KAFKA"]
    work = Work(the_directory())
    consumer = AIOKafkaConsumer(
        topics.INPUTS,
        bootstrap_servers=kafka,
        group_id=GROUP,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all", enable_idempotence=True)
    async with consumer, producer:
        while True:
            batches = await consumer.getmany(timeout_ms=200, max_records=BATCH)
            futures = []
            for records in batches.values():
                for raw in records:
                    for topic, key, value, headers in rows_of(work.decide(record_of(raw))):
                        futures.append(await producer.send(topic, value, key, headers=headers))
            await asyncio.gather(*futures)
            if batches:
                await consumer.commit({place: records[-1].offset + 1 for place, records in batches.items()})


if __name__ == "__main__":
    run(main)
