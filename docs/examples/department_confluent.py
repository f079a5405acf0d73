"""A department on Chorus with confluent-kafka: shows the inbox, and answers the one part that it is asked to answer.

Usage: python department_confluent.py BOOTSTRAP CODE [PART [TEXT]]

Without PART it only shows the inbox. PART alone is accepted; with TEXT it is answered. The program ends with 0 when the
part is closed, and with 1 when Chorus refuses the message or the part is not open. Without PART, end it with Ctrl-C.
If Kafka has users, set CHORUS_KAFKA_SECURITY, …_USER, …_PASSWORD_FILE and …_CA_FILE.
"""

import json
import os
import sys
import uuid
from pathlib import Path
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition

OVER = ("chorus.part.closed", "chorus.part.withdrawn", "chorus.part.erased")


def main(bootstrap: str, code: str, part: str = "", text: str = "") -> int:
    # This program commits nothing, and each start reads the whole inbox. A program that keeps its own list of parts
    # subscribes instead, and commits a record once the broker has confirmed the answer to it.
    group = {"group.id": f"departments.{code}.answering", "enable.auto.commit": False}
    consumer = Consumer(login() | {"bootstrap.servers": bootstrap, "isolation.level": "read_committed"} | group)
    producer = Producer(login() | {"bootstrap.servers": bootstrap, "enable.idempotence": True})
    inbox = f"departments.{code}.inbox"
    partitions = consumer.list_topics(inbox, timeout=30).topics[inbox].partitions
    consumer.assign([TopicPartition(inbox, one, OFFSET_BEGINNING) for one in partitions])
    offer: dict[str, str] = {}
    sent = ""
    try:
        while True:
            record = consumer.poll(1.0)
            if record is None:
                # Only at the end of the inbox: what was written there before may say that the part is over.
                if offer and not sent:
                    sent = write(producer, code, offer, part, text)
                continue
            if record.error():
                raise KafkaException(record.error())
            headers = {name: value.decode() for name, value in record.headers()}
            kind, message = headers["ce_type"], json.loads(record.value())
            if kind == "chorus.part.offered":
                print(f"offered {message['part_id']}: {message['subject']}", flush=True)
                offer = headers if message["part_id"] == part else offer
            elif kind == "chorus.message.refused":
                print(f"refused: {message['reason']} {message['remedy']}", flush=True)
                if sent and message["cause"] == sent:
                    return 1
            elif kind in OVER and message["part_id"] == part:
                print(f"{kind}: {part}", flush=True)
                return 0 if sent else 1
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


def write(producer: Producer, code: str, offer: dict[str, str], part: str, text: str) -> str:
    """Accept the part, or answer it if there is a text; returns the id. A repeat has the same id, so it counts once."""
    kind = "chorus.part.contributed" if text else "chorus.part.accepted"
    id_ = str(uuid.uuid5(uuid.UUID(offer["ce_id"]), kind + text))
    value = {"part_id": part, "text": text} if text else {"part_id": part}
    failed = []
    producer.produce(
        f"departments.{code}.outbox",
        json.dumps(value, ensure_ascii=False).encode(),
        key=offer["ce_subject"].encode(),
        headers=[("ce_id", id_.encode()), ("ce_type", kind.encode())],
        on_delivery=lambda error, _: failed.append(error) if error else None,
    )
    if producer.flush(30) or failed:
        raise RuntimeError(f"the broker did not confirm {kind}: {failed or 'no answer within 30 s'}")
    print(f"sent {kind} for {part}", flush=True)
    return id_


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(0)
