"""The settings of existing topics that Chorus relies on; everything else about a topic is its operator's."""

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


def settle(connection: Connection, wanted: Iterable[Topic]) -> list[str]:
    """Give existing topics the compression and at least the record size they need; safe to repeat.

    They are those of the table and the topics of every department, whoever added it. Returns each change as
    `topic setting=value`. Raises KafkaException when the broker is away or refuses.
    """
    admin = AdminClient(connection.confluent() | {"log_level": 0, "error_cb": lambda _: None})
    there = admin.list_topics(timeout=ANSWER_S).topics
    departments = {topics.department_of(name) for name in there if re.match(topics.OUTBOXES, name)}
    table = {topic.name: topic.config() for topic in (*topics.department_topics(departments, 1), *wanted)}
    asked = admin.describe_configs([ConfigResource(ResourceType.TOPIC, name) for name in table if name in there])
    have = {one.name: answer.result(ANSWER_S) for one, answer in asked.items()}
    changes = {name: changed for name in sorted(have) if (changed := missing(table[name], have[name]))}
    if changes:
        for answer in admin.incremental_alter_configs([_change(*one) for one in changes.items()]).values():
            answer.result(ANSWER_S)
    return [f"{name} {setting}={value}" for name, one in changes.items() for setting, value in one.items()]


def _change(name: str, settings: Mapping[str, str]) -> ConfigResource:
    to_set = AlterConfigOpType.SET
    entries = [ConfigEntry(key, value, incremental_operation=to_set) for key, value in settings.items()]
    return ConfigResource(ResourceType.TOPIC, name, incremental_configs=entries)


def missing(wanted: Mapping[str, str], have: Mapping[str, Any]) -> dict[str, str]:
    """The settings to change; a topic that takes larger records than it must keeps doing so."""
    changed = {}
    if have[COMPRESSION].value != wanted[COMPRESSION]:
        changed[COMPRESSION] = wanted[COMPRESSION]
    if int(have[LARGEST].value) < int(wanted[LARGEST]):
        changed[LARGEST] = wanted[LARGEST]
    return changed
