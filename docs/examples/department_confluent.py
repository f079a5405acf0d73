"""A department on Chorus with confluent-kafka: accepts every part that it is offered and answers it.

Usage: python department_confluent.py BOOTSTRAP CODE TEXT
If Kafka has users, set CHORUS_KAFKA_SECURITY, …_USER, …_PASSWORD_FILE and …_CA_FILE.
"""

import json
import os
import sys
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaException, Producer


def main(bootstrap: str, code: str, text: str) -> None:
    consumer = Consumer(
        login()
        | {
            "bootstrap.servers": bootstrap,
            "group.id": f"departments.{code}.answering",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
        }
    )
    producer = Producer(login() | {"bootstrap.servers": bootstrap, "enable.idempotence": True})
    consumer.subscribe([f"departments.{code}.inbox"])
    try:
        while True:
            record = consumer.poll(1.0)
            if record is None:
                continue
            if record.error():
                raise KafkaException(record.error())
            headers = {name: value.decode() for name, value in record.headers()}
            message = json.loads(record.value())
            if headers["ce_type"] == "chorus.part.offered":
                part_id = message["part_id"]
                write(producer, code, headers, "chorus.part.accepted", {"part_id": part_id})
                write(producer, code, headers, "chorus.part.contributed", {"part_id": part_id, "text": text})
                print(f"answered {part_id}: {message['subject']}", flush=True)
            elif headers["ce_type"] == "chorus.message.refused":
                print(f"refused: {message['reason']} {message['remedy']}", flush=True)
            consumer.commit(message=record, asynchronous=False)  # only now: a crash before this repeats the record
    finally:
        consumer.close()


def login() -> dict[str, Any]:
    """The log-in from the environment; empty if Kafka has no users."""
    if "CHORUS_KAFKA_USER" not in os.environ:
        return {}
    return {
        "security.protocol": os.environ["CHORUS_KAFKA_SECURITY"].upper(),
        "ssl.ca.location": os.environ.get("CHORUS_KAFKA_CA_FILE", "probe"),
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": os.environ["CHORUS_KAFKA_USER"],
        "sasl.password": Path(os.environ["CHORUS_KAFKA_PASSWORD_FILE"]).read_text().strip(),
    }


def write(producer: Producer, code: str, offered: dict[str, str], kind: str, value: dict[str, str]) -> None:
    """Write to the outbox. The id follows from the inbox message, so a repeat has the same id."""
    id_ = uuid.uuid5(uuid.UUID(offered["ce_id"]), kind)
    failed = []
    producer.produce(
        f"departments.{code}.outbox",
        json.dumps(value, ensure_ascii=False).encode(),
        key=offered["ce_subject"].encode(),
        headers=[("ce_id", str(id_).encode()), ("ce_type", kind.encode())],
        on_delivery=lambda error, _: failed.append(error) if error else None,
    )
    if producer.flush(30) or failed:
        raise RuntimeError(f"the broker did not confirm {kind}: {failed or 'no answer within 30 s'}")


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main(*sys.argv[1:])
