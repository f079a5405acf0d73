"""Corrects the settings of existing topics that Chorus requires. All other settings are up to the operator."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from shared.kafka import topics
from shared.kafka.connection import Connection
from shared.kafka.topics import Topic

ANSWER_S = 30.0
COMPRESSION, LARGEST = "compression.type", "max.message.bytes"


def correct(connection: Connection, wanted: Iterable[Topic]) -> list[str]:
    """Set the compression of existing topics, and raise a record size that is too small. Safe to repeat.

    This includes the topics of departments that are not in `wanted`. Returns each change as `topic setting=value`.
    Raises KafkaException when the broker is unavailable or refuses.
    """
    admin = AdminClient(connection.confluent() | {"log_level": 0, "error_cb": lambda _: None})
    existing = admin.list_topics(timeout=ANSWER_S).topics
    departments = {topics.department_of(name) for name in existing if re.match(topics.OUTBOXES, name)}
    table = {topic.name: topic.config() for topic in (*topics.department_topics(departments, 1), *wanted)}
    answers = admin.describe_configs([ConfigResource(ResourceType.TOPIC, name) for name in table if name in existing])
    current = {one.name: answer.result(ANSWER_S) for one, answer in answers.items()}
    changes = {name: changed for name in sorted(current) if (changed := missing(table[name], current[name]))}
    if changes:
        for answer in admin.incremental_alter_configs([_change(*one) for one in changes.items()]).values():
            answer.result(ANSWER_S)
    return [f"{name} {setting}={value}" for name, one in changes.items() for setting, value in one.items()]


def _change(name: str, settings: Mapping[str, str]) -> ConfigResource:
    set_value = AlterConfigOpType.SET
    entries = [ConfigEntry(key, value, incremental_operation=set_value) for key, value in settings.items()]
    return ConfigResource(ResourceType.TOPIC, name, incremental_configs=entries)


def missing(wanted: Mapping[str, str], current: Mapping[str, Any]) -> dict[str, str]:
    """The settings to change. A topic that accepts larger records than necessary keeps its limit."""
    changed = {}
    if current[COMPRESSION].value != wanted[COMPRESSION]:
        changed[COMPRESSION] = wanted[COMPRESSION]
    if int(current[LARGEST].value) < int(wanted[LARGEST]):
        changed[LARGEST] = wanted[LARGEST]
    return changed
