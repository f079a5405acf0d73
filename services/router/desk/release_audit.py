"""The audit trail of a case's replies: who composed, approved, released, changed and published which text, and when."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from services.router.domain import facts
from services.router.domain.decision import Decision
from services.router.domain.facts import TYPES, Fact
from services.router.domain.words import FactWords

RELEASE_FACTS: tuple[type[Fact], ...] = (
    facts.Composed,
    facts.AwaitingRelease,
    facts.ReplyEdited,
    facts.Approved,
    facts.ReleaseRefused,
    facts.ReplyReleased,
    facts.Answered,
    facts.Omitted,
    facts.Supplemented,
    facts.CorrectionSent,
    facts.Corrected,
    facts.Retracted,
)
HALL_FACTS: tuple[type[Fact], ...] = (
    facts.HallPublished,
    facts.HallHidden,
    facts.HallRedacted,
    facts.Reported,
)


def audit_of(decisions: Iterable[Decision]) -> list[dict[str, Any]]:
    """The fields of `AuditShown` for each fact about a reply or the hall, in order."""
    hashes: dict[tuple[str, int], str] = {}
    return [line for one in decisions for line in _of_decision(one, hashes)]


def _of_decision(decision: Decision, hashes: dict[tuple[str, int], str]) -> Iterator[dict[str, Any]]:
    for index, fact in enumerate(decision.facts):
        words = FactWords(decision.words, decision.n, index)
        if isinstance(fact, facts.Composed) and (made := words.get("sha256")):
            hashes[fact.reply_id, fact.version] = made
        if not isinstance(fact, RELEASE_FACTS + HALL_FACTS):
            continue
        yield {
            "at": decision.decided_at,
            "type": TYPES[type(fact)],
            "actor": decision.actor.public,
            "user": decision.user,
            "by": words.get("by"),
            "version": getattr(fact, "version", None),
            "sha256": _hash(fact, words, hashes),
            "parts": list(getattr(fact, "parts", ()) or filter(None, [getattr(fact, "part_id", None)])),
            # Of a redaction, `words` is what it hides: the trail has the reason, the decision has the words.
            "words": words.get("why") or (None if isinstance(fact, facts.HallRedacted) else words.get("words")),
        }


def _hash(fact: Fact, words: FactWords, hashes: Mapping[tuple[str, int], str]) -> str | None:
    """The hash of the text that a fact is about: of a version of the reply, or of a masked version in the hall."""
    if isinstance(fact, HALL_FACTS):
        return words.get("text_hash")
    reply_id, version = getattr(fact, "reply_id", ""), getattr(fact, "version", 0)
    return hashes.get((reply_id, version))
