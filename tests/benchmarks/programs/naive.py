"""Compared: the handler of FastStream's tutorial, made safe: for each message, await each publish, then commit."""

import os
from typing import Annotated, Any

from faststream import AckPolicy, Context
from faststream.kafka import KafkaBroker

from shared.contracts.resident_inputs import InquiryReceived
from shared.kafka import topics
from shared.kafka.records import Record
from tests.benchmarks.programs.loops import run
from tests.benchmarks.programs.work import Work, rows_of, the_directory

GROUP = "bench-naive"


async def main() -> None:
    """Run until SIGTERM."""
    import asyncio

    work = Work(the_directory())
    broker = KafkaBroker(os.environ["CHORUS_KAFKA"], acks="all", enable_idempotence=True, logger=None)

    @broker.subscriber(topics.INPUTS, group_id=GROUP, auto_offset_reset="earliest", ack_policy=AckPolicy.NACK_ON_ERROR)
    async def receive(inquiry: InquiryReceived, message: Annotated[Any, Context("message")]) -> None:
        raw = message.raw_message
        record = Record(raw.topic, raw.partition, raw.offset, raw.timestamp, raw.key, raw.value, raw.headers)
        for topic, key, value, headers in rows_of(work.decide(record)):
            texts = {name: (text or b"").decode() for name, text in headers}
            await broker.publish(value, topic, key=key, headers=texts)

    async with broker:
        await broker.start()
        await asyncio.Event().wait()


if __name__ == "__main__":
    run(main)
