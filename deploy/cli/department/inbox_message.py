"""A message of a department's inbox, decoded from a Kafka record."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from confluent_kafka import Message


@dataclass(frozen=True)
class InboxMessage:
    """A message of an inbox; `data` is its parsed JSON, or its text if that is not JSON."""

    id: str
    type: str
    time: str
    causation: str
    sequence: str
    partition: int
    offset: int
    data: Any

    def document(self) -> dict[str, Any]:
        """The output of `--json`."""
        return asdict(self)

    def get(self, field: str) -> Any:
        """A field of the message; None when it is missing."""
        return self.data.get(field) if isinstance(self.data, dict) else None


def inbox_message(message: Message) -> InboxMessage:
    given = message.headers() or []
    headers = _texts(given.items() if isinstance(given, dict) else given)
    return InboxMessage(
        id=headers.get("ce_id", ""),
        type=headers.get("ce_type", ""),
        time=headers.get("ce_time", ""),
        causation=headers.get("ce_causationid", ""),
        sequence=headers.get("ce_sequence", ""),
        partition=message.partition() or 0,
        offset=message.offset() or 0,
        data=_value(message.value()),
    )


def _texts(headers: Iterable[tuple[str, Any]]) -> dict[str, str]:
    return {name: one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one) for name, one in headers}


def _value(content: bytes | None) -> Any:
    text = (content or b"").decode("utf-8", "replace")
    try:
        return json.loads(text)
    except ValueError:
        return text
