"""Compared: Quix Streams, a dataframe that expands each inquiry into messages and produces each to its topic."""

import os
from typing import Any

from quixstreams import Application
from quixstreams.models.serializers import SerializationContext, Serializer

from shared.kafka import topics
from shared.kafka.records import Record
from tests.benchmarks.programs.work import Row, Work, rows_of, the_directory

GROUP = "bench-quix"


class Value(Serializer):  # type: ignore[misc]  # it is not installed where types are checked
    """A row's value is already bytes; topic and headers are separate."""

    def __call__(self, row: Row, ctx: SerializationContext) -> bytes:
        """The bytes of the record."""
        return row[2]


def main() -> None:
    """Run the application until SIGTERM."""
    directory = the_directory()
    work = Work(directory)
    app = Application(
        broker_address=os.environ["CHORUS_KAFKA"],
        consumer_group=GROUP,
        auto_offset_reset="earliest",
        auto_create_topics=False,
        loglevel="WARNING",
        # A checkpoint flushes the producer, then commits: fewer checkpoints are faster.
        commit_every=10_000,
        commit_interval=2.0,
        producer_extra_config={
            "acks": "all",
            "enable.idempotence": True,
            "partitioner": "murmur2_random",
            "linger.ms": 5,
            "batch.size": 1_000_000,
            "queue.buffering.max.messages": 1_000_000,
        },
        consumer_extra_config={"check.crcs": False},
    )
    inputs = app.topic(topics.INPUTS, value_deserializer="bytes", key_deserializer="bytes")
    names = [topics.EVENTS, topics.RESIDENTS, *map(topics.inbox, directory.departments)]
    outputs = {name: app.topic(name, value_serializer=Value(), key_serializer="bytes") for name in names}

    def decide(value: bytes, key: bytes, timestamp: int, headers: Any) -> list[Row]:
        record = Record(topics.INPUTS, 0, 0, timestamp, key, value, headers)
        return list(rows_of(work.decide(record)))

    frame = app.dataframe(inputs).apply(decide, expand=True, metadata=True)
    frame = frame.set_headers(lambda row, key, timestamp, headers: row[3])
    frame = frame.to_topic(lambda row, key, timestamp, headers: outputs[row[0]])
    app.run()


if __name__ == "__main__":
    main()
