"""Compared: Faust, an agent that takes 500 events at a time, sends all their messages, awaits all confirmations, acks."""

import asyncio
import os
from typing import Any

import faust
from faust.transport.drivers.aiokafka import Producer, Transport

from shared.kafka import topics
from shared.kafka.records import Record
from tests.benchmarks.programs.work import Work, rows_of, the_directory

GROUP = "bench-faust"
BATCH = 500


class Idempotent(Producer):  # type: ignore[misc]  # it is not installed where types are checked
    """Faust offers idempotence only with transactions; all contenders publish idempotently."""

    def _settings_extra(self) -> dict[str, Any]:
        return {"acks": "all", "enable_idempotence": True}


Transport.Producer = Idempotent
directory = the_directory()
work = Work(directory)
app = faust.App(
    GROUP,
    broker=f"kafka://{os.environ['CHORUS_KAFKA']}",
    store="memory://",
    key_serializer="raw",
    value_serializer="raw",
    topic_allow_declare=False,
    topic_disable_leader=True,
    web_enabled=False,
    consumer_auto_offset_reset="earliest",
    broker_commit_every=10_000,
    broker_commit_interval=2.0,
    broker_max_poll_records=2_000,
    stream_buffer_maxsize=16_384,
    producer_linger=0.0,
    producer_max_batch_size=1_000_000,
    datadir=os.environ["CHORUS_DATA"] + "/faust",
)
inputs = app.topic(topics.INPUTS, key_type=bytes, value_type=bytes)
names = [topics.EVENTS, topics.RESIDENTS, *map(topics.inbox, directory.departments)]
outputs = {name: app.topic(name, key_type=bytes, value_type=bytes) for name in names}


@app.agent(inputs)  # type: ignore[untyped-decorator]  # it is not installed where types are checked
async def decide(stream: Any) -> None:
    """The core's job, one batch at a time."""
    async for events in stream.take_events(BATCH, within=0.02):
        futures = []
        for event in events:
            raw = event.message
            headers = list(raw.headers.items()) if isinstance(raw.headers, dict) else raw.headers
            record = Record(raw.topic, raw.partition, raw.offset, 0, raw.key, raw.value, headers)
            for topic, key, value, heads in rows_of(work.decide(record)):
                futures.append(await outputs[topic].send(key=key, value=value, headers=heads, force=True))
        await asyncio.gather(*futures)


if __name__ == "__main__":
    app.main()
