"""A rating reopens the inquiry: a new round begins, and the same departments get their parts back.

The policy of the lead's part in the rated answer counts for the whole inquiry. The reopening with the number `limit` is
the last one, and goes to triage: a coordinator chooses who leads now.
"""

from __future__ import annotations

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import Input
from services.router.domain.fold import fold
from services.router.domain.part import Part
from services.router.domain.rules.part_terms import PartTerms, policy_of, terms_now, terms_with
from services.router.domain.rules.preconditions import Facts
from services.router.domain.words import NewFact
from shared.city.policies import Policy, ReopeningPolicy
from shared.clocks.deadlines import CLOCKS, due_times
from shared.clocks.working_time import add, elapsed
from shared.contracts.resident_inputs import InquiryRated
from shared.runtime import timestamps
from shared.runtime.languages import LANGUAGES
from shared.runtime.translations import gettext_noop, translations

DAY_MS = 86_400_000
REOPENED = gettext_noop("reopened because of the resident's rating")


def reopen(case: Case, rating: InquiryRated, given: Input, directory: CityIndex) -> Facts:
    """What follows from the rating of the answer: a new round, or nothing."""
    policy = policy_of_answer(case, directory)
    if policy is None or not displeased(rating, policy.reopening) or not may_reopen(case, given.recorded_at, directory):
        return []
    why = " / ".join(translations(language).gettext(REOPENED) for language in LANGUAGES)
    fact = facts.Reopened(case.round + 1, policy.id, policy.reopening.clock)
    reopened = NewFact(fact, private={"why": why})
    if case.round >= policy.reopening.limit:
        return [reopened, NewFact(facts.Triaged("reopened"))]
    back = [part for part in case.active_parts if part.id in case.released_parts]
    if directory.unknown(tuple(part.department for part in back)):
        return [reopened, NewFact(facts.Triaged("department-retired"))]
    after, offers = fold(case, reopened), list[NewFact]()
    for number, part in enumerate(back, start=len(case.parts) + 1):
        terms = terms_again(case, part, policy.reopening, given, directory)
        offers.append(offered_again(after, part, f"{case.inquiry_id}-p{number}", terms))
    return [reopened, *offers]


def displeased(rating: InquiryRated, policy: ReopeningPolicy) -> bool:
    """Whether the policy reopens a case after such a rating."""
    not_solved = not rating.solved and "not-solved" in policy.when
    return not_solved or (rating.satisfied == "no" and "not-satisfied" in policy.when)


def may_reopen(case: Case, at: str, directory: CityIndex) -> bool:
    """Whether a rating of the answer at this time may reopen the case, as far as the limit and the window go."""
    policy = policy_of_answer(case, directory)
    if policy is None or case.closed is not None or case.round > policy.reopening.limit:
        return False
    until = timestamps.to_ms(timestamps.from_text(case.released_at)) + policy.reopening.window_days * DAY_MS
    return timestamps.to_ms(timestamps.from_text(at)) <= until


def policy_of_answer(case: Case, directory: CityIndex) -> Policy | None:
    """The policy of the lead's part in the last answer; None before there is one."""
    if case.released is None:
        return None
    parts = [case.parts[one.part_id] for one in case.released.paragraphs]
    lead = next((part for part in parts if part.role == "lead"), parts[0])
    return policy_of(case, lead, directory)


def terms_again(case: Case, part: Part, policy: ReopeningPolicy, given: Input, directory: CityIndex) -> PartTerms:
    """The terms of a part that its department gets back.

    `new`: those of any part that is offered now. `restart`: the policy of the part as it was, with all its time again.
    `continue`: that policy with the time that each clock had left when it stopped; a clock that ran out has none.
    """
    if policy.clock == "new":
        return terms_now(case, given, directory).of(part.department)
    now = timestamps.to_ms(timestamps.from_text(given.recorded_at))
    policy_id = policy_of(case, part, directory).id
    terms = directory.terms[policy_id]
    due = due_times(terms, now)
    if policy.clock == "continue":
        left = [elapsed(terms.calendar, *_stop_and_due(case, part, name)) for name in CLOCKS]
        accept, first_reply, resolve = (add(terms.calendar, now, one) for one in left)
        due = (accept, first_reply, resolve)
    return terms_with(policy_id, due, now, directory)


def _stop_and_due(case: Case, part: Part, clock: facts.Clock) -> tuple[int, int]:
    stopped_at = case.stopped.get((part.id, clock), case.released_at)
    stop, due = (timestamps.to_ms(timestamps.from_text(one)) for one in (stopped_at, part.due[clock]))
    return stop, due


def offered_again(case: Case, part: Part, part_id: str, terms: PartTerms) -> NewFact:
    """`part.offered` for the department of an earlier part, in the same role. A part that settled a dispute still does."""
    return NewFact(
        facts.Offered(
            part_id,
            part.department,
            part.role,
            terms.due,
            case.round,
            None if terms.policy_id == case.policy_id else terms.policy_id,
            terms.provisional,
            None if part.binding else terms.return_until,
            part.binding,
        )
    )
