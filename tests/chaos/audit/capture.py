"""What was captured of a run: topics, stores, mails, hall, tickets and scoreboards, as they lay there."""

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
    """What a value holds, empty where it is no object. Remembered for a while only: a long run has millions of them."""
    try:
        read = json.loads(value or b"{}")
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a topic, with those headers that an audit looks at."""

    topic: str
    partition: int
    offset: int
    key: str
    headers: Mapping[str, str]
    value: bytes

    @property
    def id(self) -> str:
        """Its `ce_id`, or its place where it has none."""
        return self.headers.get("ce_id") or f"{self.topic}-{self.partition}-{self.offset}"

    @property
    def kind(self) -> str:
        """Its type without the prefix."""
        return self.headers.get("ce_type", "").removeprefix(PREFIX)

    @property
    def inquiry_id(self) -> str:
        """The inquiry that it speaks of."""
        return self.headers.get("ce_subject") or str(self.data.get("part_id", "")).rpartition("-p")[0] or self.key

    @property
    def data(self) -> Mapping[str, Any]:
        """Its JSON; empty where there is none."""
        return read_json(self.value)


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision as it is stored; id, salt, hash and time as text. `facts` are the values of events, as text."""

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
    """A message that somebody wrote, and every number that intake gave for it; `mark` stands in its body."""

    mark: str
    inquiry_ids: tuple[str, ...]
    email: str | None
    public: bool


@dataclass(frozen=True)
class Mail:
    """One mail as it lay in the folder."""

    event: str
    to: str


@dataclass(frozen=True)
class Capture:
    """Everything.

    `ledger` holds of every entry of both ledgers the inquiry, `unpublished` what their notes still name, `boards` the
    scoreboard of each month in JSON, `promised` of every rating and command that was answered 202 the inquiry.
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
    """Of each department its address, as the city's directory has it."""
    areas: Collection[str] = frozenset()
    """The areas that the city's directory names."""
