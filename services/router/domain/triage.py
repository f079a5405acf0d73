"""Says why a case is in triage: what each open point of triage waits for, with the words of the department that left."""

from collections.abc import Iterable
from typing import NamedTuple

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.decision import Decision
from services.router.domain.words import FactWords


class WaitingReason(NamedTuple):
    """Why the inquiry, or the part `part_id` of it, waits for a person.

    `reason` is the reason of the fact. Of a part that a department returned, `returned_for` is its reason, `words` its
    explanation, `suggest` the department that it suggests and `by` the person. Of a part that the desk took back, `words`
    is the desk's reason; of a reopened inquiry, what the resident wrote with the rating. `named` has the codes that the
    resident chose when the city does not have all of them. `until` is when the time of an arbiter ends.
    """

    reason: str
    since: str
    part_id: str | None = None
    department: str | None = None
    returned_for: str | None = None
    words: str | None = None
    suggest: str | None = None
    by: str | None = None
    named: tuple[str, ...] = ()
    until: str | None = None


def reasons(case: Case, decisions: Iterable[Decision]) -> tuple[WaitingReason, ...]:
    """The reasons of each open point of a case in triage, in the order in which they arose; empty for another case."""
    found: dict[str | None, WaitingReason] = {}
    for decision in sorted(decisions, key=lambda one: one.n):
        left: WaitingReason | None = None
        for index, fact in enumerate(decision.facts):
            words = FactWords(decision.words, decision.n, index)
            if isinstance(fact, facts.Returned | facts.Withdrawn):
                left = _left(fact, words, decision.decided_at)
            elif isinstance(fact, facts.Rated):
                left = WaitingReason("", decision.decided_at, words=words.get("words"))
            elif isinstance(fact, facts.Triaged):
                found[fact.part_id] = _reason(case, fact, words, left, decision.decided_at)
    return tuple(found[one] for one in case.unsettled if one in found)


def _left(fact: facts.Returned | facts.Withdrawn, words: FactWords, at: str) -> WaitingReason:
    if isinstance(fact, facts.Withdrawn):
        return WaitingReason("", at, fact.part_id, fact.department, words=words.get("why"), by=words.get("by"))
    return WaitingReason(
        "",
        at,
        fact.part_id,
        fact.department,
        returned_for=words.get("reason") or fact.reason,
        words=words.get("words"),
        suggest=words.get("suggest") or fact.suggest,
        by=words.get("by"),
    )


def _reason(case: Case, fact: facts.Triaged, words: FactWords, left: WaitingReason | None, at: str) -> WaitingReason:
    reason = words.get("reason") or fact.reason
    if left is not None:
        return left._replace(reason=reason, since=at, until=fact.until)
    named = case.inquiry.departments if case.inquiry and fact.reason == "unknown-department" else ()
    return WaitingReason(reason, at, named=named)
