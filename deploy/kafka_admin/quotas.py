"""Client quotas of Kafka's users, set with the AlterClientQuotas request, which no Python client offers."""

from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Float64, Int16, Int32, Schema, String

from shared.kafka.connection import Connection

Quota = Mapping[str, float]
# Protects the others from a department in a busy loop; normal use stays far below. Bytes per second, and percent of one
# request handler thread.
DEPARTMENT: Quota = {"producer_byte_rate": 2_097_152, "consumer_byte_rate": 10_485_760, "request_percentage": 50}

_ENTITY = Array(("entity_type", String("utf-8")), ("entity_name", String("utf-8")))


class _AlterClientQuotasResponse(Response):  # type: ignore[misc]
    API_KEY = 49
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("entries", Array(("error_code", Int16), ("error_message", String("utf-8")), ("entity", _ENTITY))),
    )


class _AlterClientQuotasRequest(RequestStruct):  # type: ignore[misc]
    API_KEY = 49
    API_VERSION = 0
    RESPONSE_TYPE = _AlterClientQuotasResponse
    SCHEMA = Schema(
        (
            "entries",
            Array(
                ("entity", _ENTITY),
                ("ops", Array(("key", String("utf-8")), ("value", Float64), ("remove", Boolean))),
            ),
        ),
        ("validate_only", Boolean),
    )


class _AlterClientQuotas(Request[_AlterClientQuotasRequest]):  # type: ignore[misc]
    API_KEY = 49

    def __init__(self, entries: list[Any]) -> None:
        self.entries = entries

    def build(self, request_struct_class: type[_AlterClientQuotasRequest]) -> _AlterClientQuotasRequest:
        return request_struct_class(self.entries, False)


async def limit(connection: Connection, users: Iterable[str], quota: Quota = DEPARTMENT) -> None:
    """Set the users' quota; safe to repeat. Raises KafkaError when Kafka is unavailable or rejects the request."""
    settings = [(name, float(value), False) for name, value in quota.items()]
    await _alter(connection, [([("user", user)], settings) for user in users])


async def unlimit(connection: Connection, users: Iterable[str], quota: Quota = DEPARTMENT) -> None:
    """Remove the users' quota."""
    removals = [(name, 0.0, True) for name in quota]
    await _alter(connection, [([("user", user)], removals) for user in users])


async def _alter(connection: Connection, entries: list[Any]) -> None:
    if not entries:
        return
    client = AIOKafkaClient(**connection.aiokafka())
    try:
        await client.bootstrap()
        response = await client.send(client.get_random_node(), _AlterClientQuotas(entries))
    finally:
        await client.close()
    for code, reason, entity in response.entries:
        if code:
            raise for_code(code)(f"Cannot set the quota of {entity[0][1]!r}: {reason or for_code(code).__name__}")
