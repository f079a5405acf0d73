"""The captured data of a run: topics, stores, mails, hall, tickets and scoreboards."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

INPUTS = "inquiries.inputs"
EVENTS = "inquiries.events"
RESIDENTS = "residents.inbox"
PREFIX = "chorus."
HEADERS = (
    *("ce_id", "ce_type", "ce_subject", "ce_sequence", "ce_time", "ce_recordedtime", "ce_actor", "ce_salt"),
    *("dl_kind", "dl_reason"),
)


@lru_cache(maxsize=10_000)
def read_json(value: bytes) -> Mapping[str, Any]:
    """The JSON object of a value, or an empty one. The cache is bounded: a long run has millions of values."""
    try:
        read = json.loads(value or b"{}")
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a topic, with the headers that the audit uses."""

    topic: str
    partition: int
    offset: int
    key: str
    headers: Mapping[str, str]
    value: bytes

    @property
    def id(self) -> str:
        """Its `ce_id`, or its offset if it has none."""
        return self.headers.get("ce_id") or f"{self.topic}-{self.partition}-{self.offset}"

    @property
    def kind(self) -> str:
        """Its type without the prefix."""
        return self.headers.get("ce_type", "").removeprefix(PREFIX)

    @property
    def inquiry_id(self) -> str:
        """The inquiry of the record."""
        return self.headers.get("ce_subject") or str(self.data.get("part_id", "")).rpartition("-p")[0] or self.key

    @property
    def data(self) -> Mapping[str, Any]:
        """Its JSON object, or an empty one."""
        return read_json(self.value)


@dataclass(frozen=True, slots=True)
class Decision:
    """A stored decision; id, salt, hash and time as text. `facts` has the values of its events."""

    inquiry_id: str
    n: int
    cause: str
    type: str
    at: tuple[int, int]
    actor: str
    salt: str
    decided_at: str
    facts: Sequence[str]
    head: str
    words: Mapping[str, str]
    messages: Sequence[str]
    picture: str = ""
    refusal: str = ""

    @property
    def facts_read(self) -> list[Mapping[str, Any]]:
        """Its facts as JSON objects."""
        return [read_json(one.encode()) for one in self.facts]


@dataclass(frozen=True)
class Accepted:
    """A message that was sent, and every ticket number for it; its body contains `mark`."""

    mark: str
    inquiry_ids: tuple[str, ...]
    email: str | None
    public: bool


@dataclass(frozen=True)
class Mail:
    """One mail from the folder."""

    event: str
    to: str


@dataclass(frozen=True)
class Capture:
    """All captured data.

    `ledger` has the inquiry of every entry of both ledgers, `unpublished` the entries that notes still name, `boards` the
    scoreboard of each month, `promised` the inquiry of every rating and command that was accepted.
    """

    accepted: Sequence[Accepted]
    records: Sequence[Record]
    decisions: Sequence[Decision]
    ledger: Mapping[str, str]
    unpublished: Sequence[str]
    scored: Sequence[Mapping[str, Any]]
    mails: Sequence[Mail]
    hall: Sequence[str]
    tickets: Mapping[str, Mapping[str, Any]]
    boards: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    promised: Mapping[str, str] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)
    """The address of each department in the city's directory."""
    areas: Collection[str] = frozenset()
    """The areas in the city's directory."""
