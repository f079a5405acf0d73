"""Compared: a plain loop with a store: 500 records, upsert a case document for each, `send` each message."""

import asyncio
import os
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from services.router.domain.decision import Decision
from shared.kafka import topics
from shared.store.mongo import Collection, UpdateOne, connect
from tests.benchmarks.programs.loops import run
from tests.benchmarks.programs.work import Work, record_of, rows_of, the_directory

GROUP = "bench-upserts"
BATCH = 500


async def main() -> None:
    """Read, decide, upsert, send, confirm, commit."""
    kafka = os.environ["CHORUS_KAFKA"]
    work, cases = Work(the_directory()), connect(os.environ["CHORUS_MONGODB"], "bench")["cases"]
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
            raws = [raw for records in batches.values() for raw in records]
            decisions = [one for raw in raws if (one := work.decide(record_of(raw)))]
            await upsert(cases, decisions)
            futures = []
            for decision in decisions:
                for topic, key, value, headers in rows_of(decision):
                    futures.append(await producer.send(topic, value, key, headers=headers))
            await asyncio.gather(*futures)
            if batches:
                await consumer.commit({place: records[-1].offset + 1 for place, records in batches.items()})


async def upsert(cases: Collection, decisions: list[Decision]) -> None:
    """The current cases with their unpublished messages, in one round trip."""
    if decisions:
        await cases.bulk_write([UpdateOne(*row(one), upsert=True) for one in decisions], ordered=False)


def row(decision: Decision) -> tuple[dict[str, Any], dict[str, Any]]:
    """The filter and the update of a case."""
    document = decision.document()
    del document["_id"]
    return {"_id": decision.inquiry_id}, {"$set": document}


if __name__ == "__main__":
    run(main)
