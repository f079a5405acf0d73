"""A department on Chorus with aiokafka: shows the inbox, and answers the one part that it is asked to answer.

Usage: python department_aiokafka.py BOOTSTRAP CODE [PART [TEXT]]

Without PART it only shows the inbox. PART alone is accepted; with TEXT it is answered. The program ends with 0 when the
part is closed, and with 1 when Chorus refuses the message or the part is not open. Without PART, end it with Ctrl-C.
If Kafka has users, set CHORUS_KAFKA_SECURITY, …_USER, …_PASSWORD_FILE and …_CA_FILE.
"""

import asyncio
import json
import os
import ssl
import sys
import uuid
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

OVER = ("chorus.part.closed", "chorus.part.withdrawn", "chorus.part.erased")


async def main(bootstrap: str, code: str, part: str = "", text: str = "") -> int:
    # Without a group, each start reads the whole inbox. A program that keeps its own list of parts uses a group, and
    # commits a record once the broker has confirmed the answer to it.
    consumer = AIOKafkaConsumer(
        f"departments.{code}.inbox",
        bootstrap_servers=bootstrap,
        **login(),
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, **login(), acks="all", enable_idempotence=True)
    offer: dict[str, str] = {}
    sent = ""
    async with consumer, producer:
        while True:
            batches = await consumer.getmany(timeout_ms=1000)
            for record in (record for batch in batches.values() for record in batch):
                headers = {name: value.decode() for name, value in record.headers}
                kind, message = headers["ce_type"], json.loads(record.value)
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
            # Only at the end of the inbox: what was written there before may say that the part is over.
            if offer and not sent and not batches:
                sent = await write(producer, code, offer, part, text)


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


async def write(producer: AIOKafkaProducer, code: str, offer: dict[str, str], part: str, text: str) -> str:
    """Accept the part, or answer it if there is a text; returns the id. A repeat has the same id, so it counts once."""
    kind = "chorus.part.contributed" if text else "chorus.part.accepted"
    id_ = str(uuid.uuid5(uuid.UUID(offer["ce_id"]), kind + text))
    value = {"part_id": part, "text": text} if text else {"part_id": part}
    await producer.send_and_wait(
        f"departments.{code}.outbox",
        json.dumps(value, ensure_ascii=False).encode(),
        key=offer["ce_subject"].encode(),
        headers=[("ce_id", id_.encode()), ("ce_type", kind.encode())],
    )
    print(f"sent {kind} for {part}", flush=True)
    return id_


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(main(*sys.argv[1:])))
    except KeyboardInterrupt:
        sys.exit(0)
