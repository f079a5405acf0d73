"""A plain Kafka client of a department: reads its inbox topic and writes its outbox topic."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)

from deploy.cli import kafka_login
from deploy.cli.console import say_progress
from deploy.cli.department.inbox_message import InboxMessage, inbox_message
from deploy.failure import FAILED, REFUSED, UNAVAILABLE, Failure
from shared.kafka.connection import READ_COMMITTED, Connection
from shared.kafka.topics import inbox, outbox

FIRST_S = 1.0
ANSWER_S = 4.0
WRITE_S = 10.0
POLL_S = 0.1
BATCH = 200
FORBIDDEN = (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED)


@dataclass(frozen=True)
class DepartmentTopics:
    """The two topics of the department `code`."""

    kafka: Connection
    code: str

    @property
    def inbox(self) -> str:
        return inbox(self.code)

    @property
    def outbox(self) -> str:
        return outbox(self.code)

    def follow(self, group: str) -> Iterator[InboxMessage]:
        """Messages after the group's committed offset, then new ones; commits after the caller has used them."""
        with self._open(group) as (consumer, _):
            consumer.subscribe([self.inbox])
            while True:
                if messages := self._read(consumer):
                    yield from messages
                    consumer.commit(asynchronous=False)

    def replay(self) -> Iterator[InboxMessage]:
        """All messages from the beginning, then new ones; commits no offsets."""
        with self._assigned(OFFSET_BEGINNING) as (consumer, _):
            while True:
                yield from self._read(consumer)

    def so_far(self) -> list[InboxMessage]:
        """All messages up to the current end. Raises Failure 3 when the broker stops answering."""
        messages: list[InboxMessage] = []
        with self._assigned(OFFSET_BEGINNING) as (consumer, ends):
            until = time.monotonic() + ANSWER_S
            unread = {partition for partition, end in ends.items() if end}
            while unread:
                if batch := self._read(consumer, unread):
                    messages += batch
                    until = time.monotonic() + ANSWER_S
                elif time.monotonic() > until:
                    raise Failure(
                        UNAVAILABLE, f"The broker at {self.kafka.kafka!r} stopped answering: check `chorus status`."
                    )
        return messages

    def write(self, kind: str, key: str, data: Mapping[str, Any], wait_s: float) -> tuple[str, InboxMessage | None]:
        """Publish a message to the outbox; returns its ce_id, and the refusal if one arrives within `wait_s`."""
        with self._assigned(OFFSET_END) as (consumer, _):
            id_ = str(uuid4())
            self._produce(key, json.dumps(data, ensure_ascii=False), _headers(id_, kind, self.code))
            until = time.monotonic() + wait_s
            while time.monotonic() < until:
                for message in self._read(consumer):
                    if message.type.endswith("message.refused") and message.get("cause") == id_:
                        return id_, message
        return id_, None

    def _produce(self, key: str, value: str, headers: list[tuple[str, str | bytes | None]]) -> None:
        settings = {"enable.idempotence": True, "message.timeout.ms": int(WRITE_S * 1000)}
        producer = Producer(self._client(_Outage(self.kafka.kafka)) | settings)
        failed: list[KafkaError] = []

        def delivered(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                failed.append(error)

        try:
            producer.produce(self.outbox, value.encode(), key.encode(), headers=headers, on_delivery=delivered)
            left = producer.flush(WRITE_S + 1)
        except KafkaException as error:
            raise self._failure(error) from error
        if failed or left:
            raise self._failure(KafkaException(failed[0] if failed else KafkaError(KafkaError._MSG_TIMED_OUT)))

    @contextmanager
    def _assigned(self, start: int) -> Iterator[tuple[Consumer, dict[int, int]]]:
        """A consumer of all partitions from the offset `start`, and the current end offset of each partition."""
        with self._open(f"departments.{self.code}.cli") as (consumer, partitions):
            ends = {one: _end(consumer, self.inbox, one) for one in partitions}
            # OFFSET_END is resolved at the first fetch, and would skip messages written before it.
            starts = {one: ends[one] if start == OFFSET_END else start for one in partitions}
            consumer.assign([TopicPartition(self.inbox, one, starts[one]) for one in partitions])
            yield consumer, ends

    @contextmanager
    def _open(self, group: str) -> Iterator[tuple[Consumer, list[int]]]:
        """A consumer and the inbox's partitions.

        Errors are raised after the consumer is closed, so that librdkafka prints nothing after them.
        """
        outage = _Outage(self.kafka.kafka)
        settings = {"group.id": group, "auto.offset.reset": "earliest", "enable.auto.commit": False}
        settings |= {"isolation.level": READ_COMMITTED, "enable.partition.eof": True, "fetch.wait.max.ms": 100}
        consumer = Consumer(self._client(outage) | settings)
        try:
            try:
                yield consumer, self._partitions(consumer, outage)
            finally:
                consumer.close()
        except KafkaException as error:
            raise self._failure(error) from error

    def _partitions(self, consumer: Consumer, outage: "_Outage") -> list[int]:
        try:
            known = consumer.list_topics(self.inbox, timeout=FIRST_S)
        except KafkaException:
            consumer.poll(0)  # calls error_cb with the cause
            if outage.refused:
                raise
            known = consumer.list_topics(self.inbox, timeout=ANSWER_S)
        found = known.topics.get(self.inbox)
        if found is not None and found.error is not None and found.error.code() in FORBIDDEN:
            raise KafkaException(found.error)
        if found is None or found.error is not None:
            raise Failure(
                FAILED,
                f"The topic {self.inbox!r} does not exist: `chorus department list` shows the departments, "
                f"`chorus department add {self.code}` adds one.",
            )
        return list(found.partitions)

    def _read(self, consumer: Consumer, unread: set[int] | None = None) -> list[InboxMessage]:
        """The next messages. Removes a partition from `unread` at its end; the last offset need not have a message."""
        messages = consumer.consume(BATCH, timeout=POLL_S)
        for message in messages:
            error = message.error()
            if error is not None and error.code() in FORBIDDEN:
                raise KafkaException(error)
            if error is not None and error.code() == KafkaError._PARTITION_EOF and unread is not None:
                unread.discard(message.partition() or 0)
        return [inbox_message(message) for message in messages if message.error() is None]

    def _client(self, outage: "_Outage") -> dict[str, Any]:
        return {
            **self.kafka.confluent(),
            "client.id": f"chorus-inbox-{self.code}",
            "allow.auto.create.topics": False,
            "log_level": 0,
            "error_cb": outage,
        }

    def _failure(self, error: KafkaException) -> Failure:
        if error.args[0].code() == KafkaError.MSG_SIZE_TOO_LARGE:
            return Failure(REFUSED, f"The message is too large for {self.outbox!r}: write at most 20,000 characters.")
        return kafka_login.to_failure(error, self.kafka)


class _Outage:
    """librdkafka's error callback: reports once that no broker is available. librdkafka reconnects by itself."""

    def __init__(self, kafka: str) -> None:
        self.kafka = kafka
        self.reported = False
        self.refused = False
        self.since = time.monotonic()

    def __call__(self, error: KafkaError) -> None:
        self.refused = self.refused or error.code() in (KafkaError._AUTHENTICATION, KafkaError._SSL)
        # In the first seconds the caller's first request fails and reports the cause.
        waited_s = time.monotonic() - self.since
        if error.code() == KafkaError._ALL_BROKERS_DOWN and not self.reported and waited_s > 2 * ANSWER_S:
            self.reported = True
            say_progress(f"chorus: Kafka at {self.kafka!r} is unavailable; reconnecting")


def _headers(id_: str, kind: str, code: str) -> list[tuple[str, str | bytes | None]]:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    named = {"id": id_, "type": kind, "specversion": "1.0", "source": f"departments/{code}", "time": now}
    return [*((f"ce_{name}", text.encode()) for name, text in named.items()), ("content-type", b"application/json")]


def _end(consumer: Consumer, topic: str, partition: int) -> int:
    marks = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=ANSWER_S, cached=False)
    if marks is None:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
    return int(marks[1])
