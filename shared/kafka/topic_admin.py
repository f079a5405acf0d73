"""Creates missing topics. Existing topics stay unchanged, so it is safe to repeat."""

from collections.abc import Iterable, Sequence

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from shared.kafka.connection import Connection
from shared.kafka.topics import Topic


async def create_topics(kafka: Connection | str, wanted: Iterable[Topic], replication: int) -> list[str]:
    """Create the topics that do not exist; returns their names. Raises KafkaError when Kafka is unavailable or refuses."""
    admin = AIOKafkaAdminClient(**Connection.of(kafka).aiokafka())
    try:
        await admin.start()
        existing = set(await admin.list_topics())
        missing = [topic for topic in wanted if topic.name not in existing]
        return await _create(admin, missing, replication) if missing else []
    finally:
        await admin.close()


async def _create(admin: AIOKafkaAdminClient, missing: Sequence[Topic], replication: int) -> list[str]:
    # With three replicas a write waits for two: one broker can fail, and every acknowledged record has two copies.
    in_sync = {"min.insync.replicas": str(replication - 1)} if replication > 2 else {}
    answer = await admin.create_topics(
        [NewTopic(one.name, one.partitions, replication, topic_configs=one.config() | in_sync) for one in missing]
    )
    created = []
    for name, code, *messages in answer.topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:
            raise error(f"Kafka did not create the topic {name!r}: {messages[0] if messages else error.__name__}")
        created.append(name)
    return created


__all__ = ["KafkaError", "create_topics"]
