"""A department on Chorus with aiokafka: takes every part it is offered and answers it.

Usage: python department_aiokafka.py BOOTSTRAP CODE TEXT
"""

import asyncio
import json
import sys
import uuid
from contextlib import suppress

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer


async def main(bootstrap: str, code: str, text: str) -> None:
    consumer = AIOKafkaConsumer(
        f"departments.{code}.inbox",
        bootstrap_servers=bootstrap,
        group_id=f"departments.{code}.answering",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
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
            await consumer.commit()  # only now: killed before, the record is read again


async def write(
    producer: AIOKafkaProducer, code: str, offered: dict[str, str], kind: str, value: dict[str, str]
) -> None:
    """Write to the outbox. The id follows from the message that is answered: read again, it is written under the same id."""
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
