"""A decision: the facts, words and messages that the core made of one input; how it is stored; the case after it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from services.router.domain import facts
from services.router.domain.case import Case, DecidedInput
from services.router.domain.fact_documents import from_event
from services.router.domain.facts import Fact
from services.router.domain.fold import copy_of, fold_cause, fold_draft, fold_fact
from services.router.domain.words import NO_WORDS, FactWords, Words
from shared.contracts.envelope import PREFIX, Message, Payload
from shared.contracts.ids import packed_id, unpacked_id
from shared.runtime import timestamps

VERSION, OLDEST_VERSION = 3, 2
"""The newest and the oldest version of stored decisions that this router reads.

Version 1 had free text in facts, was never released, and cannot be read. A decision has version 3 if it has a fact
without which a router of version 2 would decide wrongly, for example release a reply that waits for approvals.
"""
READ_BY_VERSION_2: frozenset[type[Fact]] = frozenset(
    {
        facts.Registered,
        facts.Triaged,
        facts.Assigned,
        facts.Replied,
        facts.Composed,
        facts.Answered,
        facts.Rated,
        facts.LinkRequested,
        facts.Offered,
        facts.Changed,
        facts.Accepted,
        facts.Contributed,
        facts.Returned,
        facts.Withdrawn,
        facts.Released,
        facts.DueSoon,
        facts.Broken,
    }
)
"""The facts of decisions of version 2: a router of version 2 knows them, or decides the same without them."""
DRAFT = "draft/"


class Actor(NamedTuple):
    """Who caused an input: a resident, a department, a staff user with a role."""

    kind: str
    role: str | None = None

    @classmethod
    def read(cls, text: str) -> Self:
        """Parses `kind` or `kind/role`."""
        return cls(*text.split("/", 1))

    @property
    def text(self) -> str:
        """`kind` or `kind/role`, the form in headers, ledgers and stored decisions."""
        return self.kind if self.role is None else f"{self.kind}/{self.role}"

    @property
    def public(self) -> dict[str, str]:
        """The actor as a JSON object, the form in events."""
        return {"kind": self.kind} if self.role is None else {"kind": self.kind, "role": self.role}


class Place(NamedTuple):
    """The position of an input in `inquiries.inputs`."""

    partition: int
    offset: int


class Input(NamedTuple):
    """A decoded record of `inquiries.inputs`.

    `department` is the sender by its outbox topic or by the department of its user at the desk, `origin` the id that the
    sender gave its message, `reused_id` the original id when an earlier input with other bytes has the same id, and `user`
    the number of a staff user.
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
    reused_id: str | None = None
    user: int | None = None


class Refusal(NamedTuple):
    """Why an input is refused: a reason code, a sentence with the reason, and a sentence with the remedy."""

    code: str
    reason: str
    remedy: str


class StoredMessage(NamedTuple):
    """A message as a decision stores it, with references instead of texts. Events are not stored: facts are events.

    MongoDB holds it as one string, `<topic> <type> <value>`, because field names would be a tenth of a decision.
    """

    topic: str
    type: str
    value: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The n-th decision of a case.

    `messages` are complete messages; publishing them again is safe, because ids and bytes are the same each time. A
    decision that is read from the store has none until `with_messages` adds them. `picture` is the JSON that its stored
    messages to the resident have in common. `user` is the number of the staff user who caused the input; no event has it.
    `case_after` is set only for a decision that this process has made.
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
    user: int | None = None
    messages: tuple[Message, ...] = ()
    case_after: Case | None = field(default=None, compare=False, repr=False)

    @property
    def refused(self) -> Refusal | None:
        """The refusal; its sentences are empty when the inquiry is erased. None when the input was not refused."""
        if self.refusal is None:
            return None
        return Refusal(self.refusal, self.words.get("refusal/reason", ""), self.words.get("refusal/remedy", ""))

    def document(self) -> dict[str, Any]:
        """The MongoDB document. Its `_id` is unique, so of two processes that decide at once only one inserts it."""
        stored: dict[str, Any] = {
            "_id": f"{self.inquiry_id}/{self.n}",
            "v": OLDEST_VERSION if READ_BY_VERSION_2.issuperset(map(type, self.facts)) else VERSION,
            "inquiry_id": self.inquiry_id,
            "n": self.n,
            "cause": packed_id(self.cause),
            "type": self.type.removeprefix(PREFIX),
            "digest": None if self.digest is None else bytes.fromhex(self.digest),
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
        for name in ("digest", "salt"):
            if stored[name] is None:  # of an erased case
                del stored[name]
        if self.refusal is not None:
            stored["refusal"] = self.refusal
        if self.picture is not None:
            stored["picture"] = self.picture
        if self.user is not None:
            stored["user"] = self.user
        return stored


def from_document(stored: Mapping[str, Any]) -> Decision:
    """The decision in a MongoDB document. An erasure has deleted words, salt, digest and messages from some."""
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
        user=stored.get("user"),
    )


def after(case: Case, decision: Decision) -> Case:
    """The case after one more decision."""
    if decision.case_after is not None:
        return decision.case_after
    case_after = copy_of(case)
    case_after.recorded_at = decision.decided_at
    for index, fact in enumerate(decision.facts):
        fold_fact(case_after, fact, FactWords(decision.words, decision.n, index, decision.user))
    for place, draft in decision.words.items():
        if place.startswith(DRAFT) and place.endswith("/text"):
            fold_draft(case_after, place.split("/")[1], draft)
    case_after.sequence += len(decision.facts)
    case_after.head = decision.head
    fold_cause(case_after, decision.cause, DecidedInput(decision.n, decision.digest, *decision.at))
    return case_after


def case_of(inquiry_id: str, decisions: Iterable[Decision]) -> Case:
    """The case after all its decisions, given in any order."""
    case = Case(inquiry_id)
    for decision in sorted(decisions, key=lambda one: one.n):
        case = after(case, decision)
    return case
