"""Kafka clients of a department, with aiokafka and with confluent-kafka: the same operations and the errors they raise."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, for_code
from confluent_kafka import Consumer, KafkaException, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin import NewTopic as Wanted  # type: ignore[attr-defined]

from shared.kafka.connection import Connection

LIMIT_S = 15.0
Headers = Sequence[tuple[str, bytes]]


class Denied(Exception):
    """The error of a refused operation: its name in the client library."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True)
class Aiokafka:
    """A program with aiokafka."""

    connection: Connection

    async def read(self, topic: str, group: str) -> list[bytes]:
        """The values of the topic's first records, as a member of this group; committed."""
        consumer = AIOKafkaConsumer(
            topic,
            **self.connection.aiokafka(),
            group_id=group,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            consumer_timeout_ms=200,
        )
        try:
            await consumer.start()
            found: list[bytes] = []
            while not found:
                records = await consumer.getmany(timeout_ms=500)
                found += [one.value for some in records.values() for one in some]
            await consumer.commit()
            return found
        except KafkaError as error:
            raise Denied(type(error).__name__) from error
        finally:
            await consumer.stop()

    async def commit(self, topic: str, group: str) -> None:
        """Commit offsets for a group without being its member."""
        consumer = AIOKafkaConsumer(**self.connection.aiokafka(), group_id=group, enable_auto_commit=False)
        try:
            await consumer.start()
            consumer.assign([TopicPartition(topic, 0)])
            await consumer.commit({TopicPartition(topic, 0): 1})
        except KafkaError as error:
            raise Denied(type(error).__name__) from error
        finally:
            await consumer.stop()

    async def write(self, topic: str, value: bytes, headers: Headers = ()) -> None:
        """Write one record, confirmed."""
        producer = AIOKafkaProducer(**self.connection.aiokafka(), acks="all", enable_idempotence=True)
        try:
            await producer.start()
            await producer.send_and_wait(topic, value, headers=list(headers))
        except KafkaError as error:
            raise Denied(type(error).__name__) from error
        finally:
            await producer.stop()

    async def create(self, topic: str) -> None:
        """Make a topic."""
        await self._as_admin(lambda admin: admin.create_topics([NewTopic(topic, 1, 1)]))

    async def delete(self, topic: str) -> None:
        """Remove a topic."""
        await self._as_admin(lambda admin: admin.delete_topics([topic]))

    async def listing(self) -> set[str]:
        """The topics that it can see."""
        admin = AIOKafkaAdminClient(**self.connection.aiokafka())
        try:
            await admin.start()
            return set(await admin.list_topics())
        finally:
            await admin.close()

    async def _as_admin(self, deed: Callable[[AIOKafkaAdminClient], Any]) -> None:
        admin = AIOKafkaAdminClient(**self.connection.aiokafka())
        try:
            await admin.start()
            answer = await deed(admin)
            codes = getattr(answer, "topic_errors", None) or answer.topic_error_codes
            for _, code, *_ in codes:
                if code:
                    raise Denied(for_code(code).__name__)
        except KafkaError as error:
            raise Denied(type(error).__name__) from error
        finally:
            await admin.close()


@dataclass(frozen=True)
class Librdkafka:
    """A program with confluent-kafka."""

    connection: Connection

    async def read(self, topic: str, group: str) -> list[bytes]:
        """The values of the topic's first records, as a member of this group; committed."""
        with self._consumer(group) as consumer:
            consumer.subscribe([topic])
            found = [consumer.poll(LIMIT_S)]
            found += consumer.consume(500, 0.2)
            for message in found:
                if message is None:
                    raise Denied("nothing")
                if (error := message.error()) is not None:
                    raise Denied(error.name())
            consumer.commit(asynchronous=False)
            return [message.value() or b"" for message in found if message is not None]

    async def write(self, topic: str, value: bytes, headers: Headers = ()) -> None:
        """Write one record, confirmed."""
        producer = Producer(self._settings() | {"enable.idempotence": True, "message.timeout.ms": int(LIMIT_S * 1000)})
        errors: list[Any] = []
        producer.produce(
            topic, value, headers=list(headers), on_delivery=lambda error, _: errors.append(error) if error else None
        )
        if producer.flush(LIMIT_S):
            raise Denied("nothing")
        if errors:
            raise Denied(errors[0].name())

    async def create(self, topic: str) -> None:
        """Make a topic."""
        admin = AdminClient(self._settings())
        self._finished(admin.create_topics([Wanted(topic, 1, 1)]))

    async def delete(self, topic: str) -> None:
        """Remove a topic."""
        admin = AdminClient(self._settings())
        self._finished(admin.delete_topics([topic]))

    async def listing(self) -> set[str]:
        """The topics that it can see."""
        return set(AdminClient(self._settings()).list_topics(timeout=LIMIT_S).topics)

    def _finished(self, answers: Any) -> None:
        for answer in answers.values():
            try:
                answer.result(LIMIT_S)
            except KafkaException as error:
                raise Denied(error.args[0].name()) from error

    @contextmanager
    def _consumer(self, group: str) -> Iterator[Consumer]:
        reading = {"group.id": group, "auto.offset.reset": "earliest", "enable.auto.commit": False}
        consumer = Consumer(self._settings() | reading)
        try:
            yield consumer
        except KafkaException as error:
            raise Denied(error.args[0].name()) from error
        finally:
            consumer.close()

    def _settings(self) -> dict[str, Any]:
        return self.connection.confluent() | {"log_level": 0, "error_cb": lambda _: None}
