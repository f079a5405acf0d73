"""The settings of a service's Kafka clients that never change, each with its reason: broker, consumers, producer."""

from typing import Any

from faststream import AckPolicy

from shared.kafka.connection import READ_COMMITTED

DRAIN_S = 15.0
SESSION_S = 10
STATIC_SESSION_S = 30

BROKER: dict[str, Any] = {
    # `Publisher` publishes; FastStream only consumes.
    "consumer_only": True,
    # Only provisioning creates topics: a mistyped name must fail, not become a topic with the broker's defaults.
    "allow_auto_create_topics": False,
    # Handlers receive the records that the pipeline has validated, not what FastStream would convert.
    "apply_types": False,
    "graceful_timeout": DRAIN_S,
    # A subscription by pattern reads a new department's outbox after this time at most; the default is 5 minutes.
    "metadata_max_age_ms": 5_000,
    "logger": None,
}
"""Arguments of FastStream's broker."""

PRODUCER: dict[str, Any] = {
    # A confirmed message is on every in-sync replica, and a retry inside the client does not duplicate it.
    "acks": "all",
    "enable_idempotence": True,
    "metadata_max_age_ms": 30_000,
}
"""Arguments of aiokafka's producer."""


def consumer_settings(group: str | None, instance: str | None) -> dict[str, Any]:
    """Arguments of FastStream's subscriber."""
    static = group is not None and instance is not None
    session_ms = (STATIC_SESSION_S if static else SESSION_S) * 1000
    return {
        "batch": True,
        "group_id": group,
        # Static membership: a restarted process gets its partitions back at once. The group is part of the name, because
        # one process is a member of several groups.
        "group_instance_id": f"{instance}.{group}" if static else None,
        # After this time a process that was killed loses its partitions to the others.
        "session_timeout_ms": session_ms,
        "heartbeat_interval_ms": session_ms // 10,
        # A new group starts at the oldest record; with `latest` it would miss the first records of a new outbox.
        "auto_offset_reset": "earliest",
        # Otherwise records of an aborted transaction would be handled, and those of an open one too early.
        "isolation_level": READ_COMMITTED,
        # The pipeline commits: after the effects of a batch are stored and its messages confirmed.
        "ack_policy": AckPolicy.MANUAL,
        # Otherwise a `reply_to` header makes FastStream publish to any topic with the service's permissions.
        "no_reply": True,
        # A batch may wait for a dependency without limit. `watchdog` ends a process that makes no progress instead.
        "max_poll_interval_ms": 2**31 - 1,
    }
