"""The envelope of every message: type, key, value and headers (CloudEvents 1.0, binary mode)."""

from collections.abc import Mapping
from functools import lru_cache
from typing import ClassVar, NamedTuple

from pydantic import ConfigDict
from pydantic_core import to_json

from shared.contracts.documented import Documented

PREFIX = "chorus."


Header = tuple[str, bytes | None]


class Origin(NamedTuple):
    """The CloudEvents attributes that all messages of one cause have alike.

    `recorded_at` is the time stamped at the entry point, RFC 3339. Only inputs have the others: `digest` tells which bytes
    the sender sent (the same id with another digest is another message), `actor` who sent it, as `kind` or `kind/role`,
    and `salt`, 64 hexadecimal digits, what its texts are committed with.
    """

    source: str
    subject: str
    recorded_at: str
    causation: str | None = None
    digest: str | None = None
    actor: str | None = None
    salt: str | None = None


@lru_cache(maxsize=4)
def _alike(origin: Origin) -> tuple[Header, list[Header], list[Header]]:
    """The headers of an origin: source, then what stands before and after the sequence."""
    at = origin.recorded_at.encode()
    before: list[Header] = [
        ("ce_specversion", b"1.0"),
        ("ce_time", at),
        ("ce_subject", origin.subject.encode()),
        ("ce_recordedtime", at),
        ("content-type", b"application/json"),
    ]
    told = (
        ("ce_causationid", origin.causation),
        ("ce_digest", origin.digest),
        ("ce_actor", origin.actor),
        ("ce_salt", origin.salt),
    )
    after: list[Header] = [(name, text.encode()) for name, text in told if text is not None]
    return ("ce_source", origin.source.encode()), before, after


class Message(NamedTuple):
    """One message to publish: where, under which key, its own attributes, and its JSON."""

    topic: str
    key: str
    id: str
    type: str
    origin: Origin
    value: bytes
    sequence: int | None = None

    @property
    def record(self) -> tuple[bytes, bytes, list[Header]]:
        """Key, value and headers, in the fixed names of the project; made when it goes out: thousands wait for that."""
        _, key, id_, type_, origin, value, sequence = self
        source, before, after = _alike(origin)
        number: list[Header] = [] if sequence is None else [("ce_sequence", b"%d" % sequence)]
        own = ("ce_id", id_.encode()), source, ("ce_type", type_.encode())
        return key.encode(), value, [*own, *before, *number, *after]


class Payload(Documented):
    """What every message body has in common: unknown fields are skipped, so that fields can be added."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    type: ClassVar[str]


def as_json(data: Mapping[str, object]) -> bytes:
    """Compact JSON, characters as they are. The serialiser of pydantic: many times as fast as the standard library's."""
    return to_json(data)
