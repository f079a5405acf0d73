"""A decision: what the core made of one input, for ever; and the case that decisions fold into."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from services.router.domain import fact_documents
from services.router.domain.case import Case, fold, note
from services.router.domain.facts import Fact
from shared.contracts.envelope import Message, Origin, Payload
from shared.contracts.sources import ROUTER_SOURCE

VERSION = 1


class Input(NamedTuple):
    """One thing that may change a case, as it lies on the log. `department` is the sender, known by its topic;
    `origin` is the id under which the sender knows its message; `imitates` an earlier input of the same id and other bytes."""

    id: str
    type: str
    inquiry_id: str
    payload: Payload
    recorded_at: str
    digest: str
    department: str | None = None
    origin: str | None = None
    imitates: str | None = None


class Refusal(NamedTuple):
    """Why an input was not taken, and what would be right: sentences."""

    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The n-th decision of a case; `messages` are the very ones that go out, whoever publishes them, however often.

    `then` is the case after it, where it was made here; one that comes from the store is folded.
    """

    inquiry_id: str
    n: int
    cause: str
    type: str
    digest: str
    decided_at: str
    revision: int
    facts: tuple[Fact, ...] = ()
    messages: tuple[Message, ...] = ()
    refusal: Refusal | None = None
    sequence: int = 0
    then: Case | None = field(default=None, compare=False, repr=False)

    def document(self) -> dict[str, Any]:
        """As it is stored: one immutable document, whose `_id` is the compare-and-set."""
        refusal = self.refusal and {"reason": self.refusal.reason, "remedy": self.refusal.remedy}
        return {
            "_id": f"{self.inquiry_id}/{self.n}",
            "v": VERSION,
            "inquiry_id": self.inquiry_id,
            "n": self.n,
            "cause": self.cause,
            "type": self.type,
            "digest": self.digest,
            "decided_at": self.decided_at,
            "revision": self.revision,
            "refusal": refusal,
            "sequence": self.sequence,
            "facts": list(map(fact_documents.document, self.facts)),
            "messages": [
                {
                    "topic": message.topic,
                    "key": message.key,
                    "id": message.id,
                    "type": message.type,
                    "sequence": message.sequence,
                    "value": message.value.decode(),
                }
                for message in self.messages
            ],
        }


def from_document(stored: Mapping[str, Any]) -> Decision:
    """A decision as it was stored, by this version or an earlier one."""
    refusal = stored.get("refusal")
    origin = Origin(ROUTER_SOURCE, stored["inquiry_id"], stored["decided_at"], stored["cause"])
    return Decision(
        inquiry_id=stored["inquiry_id"],
        n=stored["n"],
        cause=stored["cause"],
        type=stored["type"],
        digest=stored["digest"],
        decided_at=stored["decided_at"],
        revision=stored["revision"],
        facts=tuple(map(fact_documents.from_document, stored["facts"])),
        messages=tuple(
            Message(one["topic"], one["key"], one["id"], one["type"], origin, one["value"].encode(), one["sequence"])
            for one in stored["messages"]
        ),
        refusal=Refusal(refusal["reason"], refusal["remedy"]) if refusal else None,
        sequence=stored["sequence"],
    )


def after(case: Case, decision: Decision) -> Case:
    """The case with one more decision folded in."""
    if decision.then is not None:
        return decision.then
    then = fold(case, *decision.facts)
    return note(then, decision.n, decision.sequence, decision.cause, decision.digest)


def case_of(inquiry_id: str, decisions: Iterable[Decision]) -> Case:
    """A case from all its decisions, in the order of n."""
    case = Case(inquiry_id)
    for decision in sorted(decisions, key=lambda one: one.n):
        case = after(case, decision)
    return case
