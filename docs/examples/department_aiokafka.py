"""A department on Chorus with aiokafka: accepts every part that it is offered and answers it.

Usage: python department_aiokafka.py BOOTSTRAP CODE TEXT
If Kafka has users, set CHORUS_KAFKA_SECURITY, …_USER, …_PASSWORD_FILE and …_CA_FILE.
"""

import asyncio
import json
import os
import ssl
import sys
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer


async def main(bootstrap: str, code: str, text: str) -> None:
    consumer = AIOKafkaConsumer(
        f"departments.{code}.inbox",
        bootstrap_servers=bootstrap,
        **login(),
        group_id=f"departments.{code}.answering",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        isolation_level="read_committed",
    )
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, **login(), acks="all", enable_idempotence=True)
    async with consumer, producer:
        async for record in consumer:
            headers = {name: value.decode() for name, value in record.headers}
            message = json.loads(record.value)
            if headers["ce_type"] == "chorus.part.offered":
                part_id = message["part_id"]
                await write(producer, code, headers, "chorus.part.accepted", {"part_id": part_id})
                await write(producer, code, headers, "chorus.part.contributed", {"part_id": part_id, "text": text})
                print(f"answered {part_id}: {message['subject']}", flush=True)
            elif headers["ce_type"] == "chorus.message.refused":
                print(f"refused: {message['reason']} {message['remedy']}", flush=True)
            await consumer.commit()  # only now: a crash before this repeats the record


def login() -> dict[str, Any]:
    """The log-in from the environment; empty if Kafka has no users."""
    if "CHORUS_KAFKA_USER" not in os.environ:
        return {}
    return {
        "security_protocol": os.environ["CHORUS_KAFKA_SECURITY"].upper(),
        "ssl_context": ssl.create_default_context(cafile=os.environ.get("CHORUS_KAFKA_CA_FILE")),
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": os.environ["CHORUS_KAFKA_USER"],
        "sasl_plain_password": Path(os.environ["CHORUS_KAFKA_PASSWORD_FILE"]).read_text().strip(),
    }


async def write(
    producer: AIOKafkaProducer, code: str, offered: dict[str, str], kind: str, value: dict[str, str]
) -> None:
    """Write to the outbox. The id follows from the inbox message, so a repeat has the same id."""
    id_ = uuid.uuid5(uuid.UUID(offered["ce_id"]), kind)
    await producer.send_and_wait(
        f"departments.{code}.outbox",
        json.dumps(value, ensure_ascii=False).encode(),
        key=offered["ce_subject"].encode(),
        headers=[("ce_id", str(id_).encode()), ("ce_type", kind.encode())],
    )


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main(*sys.argv[1:]))
