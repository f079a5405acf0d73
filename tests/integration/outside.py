"""The system from outside: a resident over HTTP, departments as Kafka clients, an auditor who reads whole topics."""

import json
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, get_args
from uuid import uuid4

import httpx
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

from services.router.domain.case import Status
from tests.patience import PATIENCE_S

STATES = get_args(Status)
"""The states of a ticket, in the order in which a case passes them."""


@dataclass(frozen=True)
class ReadRecord:
    """One record with its headers as text; `data` is what its value holds if that is a JSON object."""

    topic: str
    key: str
    headers: dict[str, str]
    data: dict[str, Any]
    value: bytes = b""


def letter(message: Any) -> ReadRecord:
    """Decode a record of confluent-kafka."""
    headers = {name: value.decode(errors="replace") for name, value in message.headers() or [] if value is not None}
    try:
        data = json.loads(message.value() or b"{}")
    except (ValueError, RecursionError):
        data = {}
    return ReadRecord(
        message.topic(),
        (message.key() or b"").decode(errors="replace"),
        headers,
        data if isinstance(data, dict) else {},
        message.value() or b"",
    )


def read_all(kafka: str, topics: Iterable[str], inquiry_id: str | None = None) -> list[ReadRecord]:
    """All records in the topics now, or those of one inquiry, in order within each partition."""
    subject = ("ce_subject", inquiry_id.encode()) if inquiry_id else None
    consumer = Consumer(
        {
            "bootstrap.servers": kafka,
            "group.id": f"audit-{uuid4()}",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    try:
        known = consumer.list_topics(timeout=PATIENCE_S).topics
        places = [TopicPartition(topic, p, OFFSET_BEGINNING) for topic in topics for p in known[topic].partitions]
        consumer.assign(places)
        letters, open_places = [], len(places)
        while open_places:
            message = consumer.poll(PATIENCE_S)
            assert message is not None, "the broker did not answer"
            if message.error():
                open_places -= 1
            elif subject is None or subject in (message.headers() or []):
                letters.append(letter(message))
        return letters
    finally:
        consumer.close()


def await_rest(kafka: str, topic: str, still_s: float = 1.0) -> None:
    """Wait until nobody has written to the topic for a while: cheaper than reading it again and again."""
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": f"audit-{uuid4()}", "enable.auto.commit": False})
    try:
        places = [TopicPartition(topic, p) for p in consumer.list_topics(topic, PATIENCE_S).topics[topic].partitions]
        before = None
        end = time.monotonic() + PATIENCE_S
        while before != (ends := [consumer.get_watermark_offsets(one, PATIENCE_S) for one in places]):
            assert time.monotonic() < end, f"{topic} does not come to rest"
            before = ends
            time.sleep(still_s)
    finally:
        consumer.close()


def departments_write(kafka: str, code: str, kind: str, body: dict[str, Any], ce_id: str | None = None) -> str:
    """Write to an outbox as a department's client; returns the ce_id."""
    ce_id = ce_id or str(uuid4())
    producer = Producer({"bootstrap.servers": kafka, "acks": "all"})
    producer.produce(
        f"departments.{code}.outbox",
        value=json.dumps(body, ensure_ascii=False).encode(),
        headers=[("ce_type", f"chorus.{kind}".encode()), ("ce_id", ce_id.encode())],
    )
    assert producer.flush(PATIENCE_S) == 0, "the broker did not confirm"
    return ce_id


@dataclass
class Resident:
    """A resident who writes with retries and reads the ticket."""

    intake: str
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=30))

    def write(self, body: dict[str, Any]) -> dict[str, Any]:
        """Send until the message is accepted, with one idempotency key."""
        key = str(uuid4())
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                answer = self.http.post(f"{self.intake}/inquiries", json=body, headers={"Idempotency-Key": key})
                if answer.status_code == 202:
                    receipt: dict[str, Any] = answer.json()
                    return receipt
                assert answer.status_code in (409, 503), answer.text
            except httpx.TransportError:
                pass
            assert time.monotonic() < until, "nobody accepted the message"
            time.sleep(0.1)

    def look(self, receipt: dict[str, Any]) -> dict[str, Any]:
        """The ticket; empty while intake is unavailable."""
        try:
            answer = self.http.get(
                f"{self.intake}/inquiries/{receipt['inquiry_id']}", headers={"X-Query-Code": receipt["query_code"]}
            )
        except httpx.TransportError:
            return {"state": None, "departments": [], "reply": None}
        seen: dict[str, Any] = answer.json()
        return seen

    def wait_for(self, receipt: dict[str, Any], state: str) -> dict[str, Any]:
        """Wait until the ticket has this state or a later one: a state may pass between two looks."""
        reached = STATES[STATES.index(state) :]
        until = time.monotonic() + PATIENCE_S
        while True:
            seen = self.look(receipt)
            if seen["state"] in reached:
                return seen
            assert time.monotonic() < until, f"still {seen['state']}: {receipt['inquiry_id']}"
            time.sleep(0.05)


def ids_by(letters: Iterable[ReadRecord], *fields: str) -> dict[tuple[str, ...], set[str]]:
    """The ce_ids of messages about the same thing; more than one means a duplicate."""
    found: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for letter in letters:
        what = (letter.headers["ce_type"], *(str(letter.data.get(name)) for name in fields))
        found[what].add(letter.headers["ce_id"])
    return found
