"""Compared with the path to an inbox: reads from the bare endpoint, journals, publishes, commits; without rules or cases."""

import asyncio
import os

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from shared.kafka import topics
from shared.store.mongo import connect
from tests.benchmarks.programs.loops import run

GROUP = "bench-hop"


async def main() -> None:
    """Insert each batch with one write, as the core does."""
    kafka = os.environ["CHORUS_KAFKA"]
    cases = connect(os.environ["CHORUS_MONGODB"], "bench")["cases"]
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
            batches = await consumer.getmany(timeout_ms=200, max_records=500)
            records = [record for some in batches.values() for record in some]
            if not records:
                continue
            await cases.insert_many([{"_id": one.key.decode(), "value": one.value.decode()} for one in records])
            sent = [
                await producer.send(topics.inbox(one.headers[0][1].decode()), one.value, one.key) for one in records
            ]
            await asyncio.gather(*sent)
            await consumer.commit({place: some[-1].offset + 1 for place, some in batches.items()})


if __name__ == "__main__":
    run(main)
