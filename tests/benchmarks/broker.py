"""The broker during a benchmark: creates and empties topics, writes, reads and times records."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec  # type: ignore[attr-defined]

from shared.kafka.publisher import RawRecord
from shared.kafka.topics import Topic

ALREADY_THERE, UNKNOWN_TOPIC, UNKNOWN_GROUP = 36, 3, 69
NO_LEADER_YET = (UNKNOWN_TOPIC, 5, 6)
LIMIT_S = 60.0
LOOK_EVERY_S = 0.05
FETCHED = 5_000

# The client library's types are incomplete.
LATEST: Any = OffsetSpec.latest()  # type: ignore[no-untyped-call]
NEWEST: Any = OffsetSpec.max_timestamp()  # type: ignore[no-untyped-call]


class Broker:
    """One Apache Kafka, for preparing and checking a run."""

    def __init__(self, kafka: str) -> None:
        self.kafka = kafka
        self.admin = AdminClient({"bootstrap.servers": kafka, "log_level": 2})

    # ── before a run ─────────────────────────────────────────────────────────

    def renew(self, topics: Sequence[Topic]) -> None:
        """Recreate these topics."""
        _wait(self.admin.delete_topics([topic.name for topic in topics]).values(), UNKNOWN_TOPIC)
        self.make(topics)

    def make(self, topics: Sequence[Topic]) -> None:
        """Create topics as provisioning does; retries while a topic is still being deleted."""
        until = time.monotonic() + LIMIT_S
        wanted = [NewTopic(one.name, one.partitions, 1, config=one.config()) for one in topics]
        while wanted:
            made = self.admin.create_topics(wanted)
            wanted = [one for one in wanted if not _done(made[one.topic], ALREADY_THERE)]
            if time.monotonic() > until:
                raise RuntimeError(f"The topic {wanted[0].topic!r} could not be recreated.")
            time.sleep(LOOK_EVERY_S if wanted else 0)

    def forget(self, *groups: str) -> None:
        """Delete these groups' offsets; waits until their last members have left."""
        for group in groups:
            self._coordinated(group)
            until = time.monotonic() + LIMIT_S
            # A new client: one that has seen the broker restart may wait forever for a response.
            admin = AdminClient({"bootstrap.servers": self.kafka, "log_level": 2})
            while error := _refusal(admin.delete_consumer_groups([group])[group]):
                if error.code() == UNKNOWN_GROUP:
                    break
                if time.monotonic() > until:
                    raise RuntimeError(f"The group {group!r} cannot be removed: {error.str()}.")
                time.sleep(LOOK_EVERY_S)

    def write(self, records: Iterable[tuple[str, RawRecord]]) -> None:
        """Write records with confirmation, partitioned as by Java clients."""
        producer = Producer(
            {
                "bootstrap.servers": self.kafka,
                "log_level": 2,
                "enable.idempotence": True,
                "partitioner": "murmur2_random",
                "linger.ms": 20,
                "queue.buffering.max.messages": 1_000_000,
                "delivery.report.only.error": True,
                "on_delivery": _refused,
            }
        )
        for topic, (key, value, headers) in records:
            producer.produce(topic, value, key, headers=list(headers))
        if left := producer.flush(LIMIT_S):
            raise RuntimeError(f"{left} records were not confirmed within {LIMIT_S:g} s.")

    # ── after it ─────────────────────────────────────────────────────────────

    def ends(self, topics: Sequence[str]) -> dict[tuple[str, int], int]:
        """The next offset of every partition."""
        return {place: int(found.offset) for place, found in self._offsets(topics, LATEST).items()}

    def last_append_ms(self, topics: Sequence[str]) -> int:
        """The broker's timestamp of the last record on these topics."""
        return max(int(found.timestamp) for found in self._offsets(topics, NEWEST).values())

    def _offsets(self, topics: Sequence[str], which: Any) -> dict[tuple[str, int], Any]:
        """The offsets of each partition; new partitions may not have a leader yet."""
        until = time.monotonic() + LIMIT_S
        while True:
            asked = self.admin.list_offsets(dict.fromkeys(self._partitions(topics), which))
            try:
                return {(one.topic, one.partition): future.result() for one, future in asked.items()}
            except KafkaException as error:
                if error.args[0].code() not in NO_LEADER_YET or time.monotonic() > until:
                    raise
                time.sleep(LOOK_EVERY_S)

    def committed(self, group: str, topics: Sequence[str]) -> int:
        """The number of records of these topics that the group has committed."""
        consumer = Consumer({"bootstrap.servers": self.kafka, "group.id": group, "log_level": 2})
        try:
            return sum(max(one.offset, 0) for one in consumer.committed(self._partitions(topics), timeout=LIMIT_S))
        finally:
            consumer.close()

    def until_committed(
        self,
        group: str,
        topics: Sequence[str],
        count: int,
        alive: Callable[[], None],
        limit_s: float,
        seen: Callable[[int], None] = lambda have: None,
    ) -> None:
        """Wait until the group has committed this many records; `alive` raises when the processes have ended.

        `seen` is called at each check with the number.
        """
        consumer = Consumer({"bootstrap.servers": self.kafka, "group.id": group, "log_level": 2})
        partitions = self._partitions(topics)
        until = time.monotonic() + limit_s
        try:
            while (have := sum(max(one.offset, 0) for one in consumer.committed(partitions, timeout=LIMIT_S))) < count:
                alive()
                seen(have)
                if time.monotonic() > until:
                    raise RuntimeError(f"{group!r} has committed {have} of {count} records within {limit_s:g} s.")
                time.sleep(LOOK_EVERY_S)
        finally:
            consumer.close()

    def read(self, topics: Sequence[str]) -> Iterator[Any]:
        """Every record of these topics, up to their current end."""
        ends = {place: end for place, end in self.ends(topics).items() if end}
        consumer = Consumer({"bootstrap.servers": self.kafka, "group.id": "bench-reader", "log_level": 2})
        consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for topic, partition in ends])
        seen: Counter[tuple[str, int]] = Counter()
        until = time.monotonic() + LIMIT_S
        try:
            while any(seen[place] < end for place, end in ends.items()):
                found: list[Any] = consumer.consume(FETCHED, timeout=0.1)
                for record in found:
                    if record.error():
                        raise KafkaException(record.error())
                    seen[(record.topic(), record.partition())] = record.offset() + 1
                    yield record
                if time.monotonic() > until:
                    raise RuntimeError(f"Not all of {len(topics)} topics could be read within {LIMIT_S:g} s.")
        finally:
            consumer.close()

    def _coordinated(self, group: str) -> None:
        """Wait until the group has a coordinator: a broker that has just started has none, and the admin client would
        keep asking a wrong one until its timeout.
        """
        consumer = Consumer({"bootstrap.servers": self.kafka, "group.id": group, "log_level": 2})
        until = time.monotonic() + LIMIT_S
        try:
            while time.monotonic() < until:
                with suppress(KafkaException):
                    consumer.committed([TopicPartition("any", 0)], timeout=5.0)
                    return
            raise RuntimeError(f"The broker coordinates no groups within {LIMIT_S:g} s.")
        finally:
            consumer.close()

    def _partitions(self, topics: Sequence[str]) -> list[TopicPartition]:
        known = self.admin.list_topics(timeout=LIMIT_S).topics
        return [TopicPartition(topic, partition) for topic in topics for partition in known[topic].partitions]


def _refused(error: Any, record: Any) -> None:
    if error is not None:
        raise RuntimeError(f"A record for {record.topic()!r} was refused: {error}")


def _wait(futures: Iterable[Any], *passing: int) -> None:
    for future in futures:
        _done(future, *passing)


def _done(future: Any, *passing: int) -> bool:
    """Whether it succeeded; retriable errors are left to the caller, others are raised."""
    error = _refusal(future)
    if error is None or (error.code() == UNKNOWN_TOPIC and UNKNOWN_TOPIC in passing):
        return True
    if error.code() not in passing:
        raise KafkaException(error)
    return False


def _refusal(future: Any) -> Any:
    """The broker's error; None for success."""
    try:
        future.result()
    except KafkaException as error:
        return error.args[0]
    return None
