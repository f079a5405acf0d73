"""Departments reading their inboxes: prints a line `key seconds` for each received message, until SIGTERM."""

import os
import sys
import time
from pathlib import Path

from confluent_kafka import Consumer, KafkaException, TopicPartition

from tests.benchmarks.broker import Broker
from tests.benchmarks.programs.librdkafka import told_to_end

POLL_S = 0.5
STARTED = "reading\n"


def main() -> None:
    """Read the topics named after the file argument, from their current end."""
    noted, names = Path(sys.argv[1]), sys.argv[2:]
    kafka = os.environ["CHORUS_KAFKA"]
    ends = Broker(kafka).ends(names)
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": "bench-inboxes", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, partition, end) for (topic, partition), end in ends.items()])
    with noted.open("w", buffering=1) as lines:
        lines.write(STARTED)
        while True:
            record = consumer.poll(POLL_S)
            if record is None:
                continue
            at = time.time()
            if record.error():
                raise KafkaException(record.error())
            lines.write(f"{(record.key() or b'').decode()} {at:.6f}\n")


if __name__ == "__main__":
    import signal

    signal.signal(signal.SIGTERM, told_to_end)
    main()
