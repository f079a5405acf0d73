"""A decision: what the core made of one input, for ever; and the case that decisions fold into."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from services.router.domain.case import Case, Decided, add, add_draft, copied, note
from services.router.domain.fact_documents import from_event
from services.router.domain.facts import Fact
from services.router.domain.words import NO_WORDS, FactWords, Words
from shared.contracts.envelope import PREFIX, Message, Payload
from shared.contracts.ids import packed_id, unpacked_id
from shared.runtime import timestamps

VERSION = 2
"""Version 1 had free text in its facts; it was never released and is not read."""
DRAFT = "draft/"


class Actor(NamedTuple):
    """Who caused an input: a resident, a department, a staff user with a role."""

    kind: str
    role: str | None = None

    @classmethod
    def read(cls, text: str) -> Self:
        """The actor that `text` names."""
        return cls(*text.split("/", 1))

    @property
    def text(self) -> str:
        """`kind` or `kind/role`, as headers, ledgers and decisions have it."""
        return self.kind if self.role is None else f"{self.kind}/{self.role}"

    @property
    def public(self) -> dict[str, str]:
        """As events have it."""
        return {"kind": self.kind} if self.role is None else {"kind": self.kind, "role": self.role}


class Place(NamedTuple):
    """Where an input lies on the log."""

    partition: int
    offset: int


class Input(NamedTuple):
    """One thing that may change a case, as it lies on the log. `department` is the sender, known by its topic;
    `origin` is the id under which the sender knows its message; `imitates` an earlier input of the same id and other bytes.
    """

    id: str
    type: str
    inquiry_id: str
    payload: Payload
    recorded_at: str
    digest: str
    salt: bytes
    actor: Actor
    at: Place
    department: str | None = None
    origin: str | None = None
    imitates: str | None = None


class Refusal(NamedTuple):
    """Why an input was not taken, and what would be right: a code, and sentences."""

    code: str
    reason: str
    remedy: str


class StoredMessage(NamedTuple):
    """A message as a decision keeps it: texts are references, and events are not here, since facts are events.

    It is stored as one string, `<topic> <type> <value>`: the names of fields would be a tenth of a decision.
    """

    topic: str
    type: str
    value: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The n-th decision of a case; `messages` are the very ones that go out, whoever publishes them, however often.

    Where it was made here, `then` is the case after it. One from the store has its messages only after `with_messages`;
    `picture` is a part that its stored messages to the resident have in common.
    """

    inquiry_id: str
    n: int
    cause: str
    type: str
    digest: str | None
    at: Place
    actor: Actor
    salt: bytes | None
    decided_at: str
    revision: int
    facts: tuple[Fact, ...] = ()
    events: tuple[str, ...] = ()
    head: str | None = None
    words: Words = field(default_factory=lambda: NO_WORDS)
    stored_messages: tuple[StoredMessage, ...] = ()
    picture: str | None = None
    refusal: str | None = None
    messages: tuple[Message, ...] = ()
    then: Case | None = field(default=None, compare=False, repr=False)

    @property
    def refused(self) -> Refusal | None:
        """The refusal with its sentences, which are empty once they are erased."""
        if self.refusal is None:
            return None
        return Refusal(self.refusal, self.words.get("refusal/reason", ""), self.words.get("refusal/remedy", ""))

    def document(self) -> dict[str, Any]:
        """As it is stored: one immutable document, whose `_id` is the compare-and-set."""
        stored: dict[str, Any] = {
            "_id": f"{self.inquiry_id}/{self.n}",
            "v": VERSION,
            "inquiry_id": self.inquiry_id,
            "n": self.n,
            "cause": packed_id(self.cause),
            "type": self.type.removeprefix(PREFIX),
            "digest": bytes.fromhex(self.digest or ""),
            "at": {"partition": self.at.partition, "offset": self.at.offset},
            "actor": self.actor.text,
            "salt": self.salt,
            "decided_at": timestamps.from_text(self.decided_at),
            "revision": self.revision,
            "facts": list(self.events),
            "head": bytes.fromhex(self.head or ""),
            "words": dict(self.words),
            "messages": [" ".join(one) for one in self.stored_messages],
        }
        if self.refusal is not None:
            stored["refusal"] = self.refusal
        if self.picture is not None:
            stored["picture"] = self.picture
        return stored


def from_document(stored: Mapping[str, Any]) -> Decision:
    """A decision as it was stored. Words, salt, digest and messages are absent from one that is erased."""
    digest, salt = stored.get("digest"), stored.get("salt")
    return Decision(
        inquiry_id=stored["inquiry_id"],
        n=stored["n"],
        cause=unpacked_id(stored["cause"]),
        type=PREFIX + stored["type"],
        digest=bytes(digest).hex() if digest is not None else None,
        at=Place(**stored["at"]),
        actor=Actor.read(stored["actor"]),
        salt=bytes(salt) if salt is not None else None,
        decided_at=timestamps.to_text(stored["decided_at"]),
        revision=stored["revision"],
        facts=tuple(map(from_event, stored["facts"])),
        events=tuple(stored["facts"]),
        head=bytes(stored["head"]).hex() or None,
        words=stored.get("words", NO_WORDS),
        stored_messages=tuple(StoredMessage(*one.split(" ", 2)) for one in stored.get("messages", ())),
        picture=stored.get("picture"),
        refusal=stored.get("refusal"),
    )


def after(case: Case, decision: Decision) -> Case:
    """The case with one more decision folded in."""
    if decision.then is not None:
        return decision.then
    then = copied(case)
    for index, fact in enumerate(decision.facts):
        add(then, fact, FactWords(decision.words, decision.n, index))
    for place, draft in decision.words.items():
        if place.startswith(DRAFT) and place.endswith("/text"):
            add_draft(then, place.split("/")[1], draft)
    then.sequence += len(decision.facts)
    then.head = decision.head
    note(then, decision.cause, Decided(decision.n, decision.digest, *decision.at))
    return then


def case_of(inquiry_id: str, decisions: Iterable[Decision]) -> Case:
    """A case from all its decisions, in the order of n."""
    case = Case(inquiry_id)
    for decision in sorted(decisions, key=lambda one: one.n):
        case = after(case, decision)
    return case
