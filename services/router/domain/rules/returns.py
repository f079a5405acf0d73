"""A part leaves its department: the department returns it (退单), or the desk withdraws or recalls it."""

from __future__ import annotations

from typing import cast

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import Input
from services.router.domain.fold import fold
from services.router.domain.near_codes import near_codes
from services.router.domain.rules.assignment import assigned_parts, part_changed
from services.router.domain.rules.delegation import withdrawn_pieces
from services.router.domain.rules.part_terms import terms_now
from services.router.domain.rules.preconditions import NOT_WITHDRAWABLE, Facts, Refused, by, payload_of, the_part
from services.router.domain.rules.return_policy import check_return, next_by_rules, waiting
from services.router.domain.words import NewFact
from shared.contracts.case_commands import CaseRecallPart, CaseWithdrawPart
from shared.contracts.department_outbox import PartReturned


def give_back(case: Case, given: Input, directory: CityIndex) -> Facts:
    """The department returns its part. The joint reply waits until another department has it, or triage has settled it.

    `return_policy.py` has what the policy of the part says; without it, the part goes to triage.
    """
    part, back = the_part(case, given), payload_of(given, PartReturned)
    policy = directory.returns(part.policy_id)
    check_return(part, back, given, policy)
    if back.suggest is not None and directory.unknown((back.suggest,)):
        raise unknown_suggestion(back.suggest, directory)
    reason = cast(facts.ReturnReason, back.reason if back.reason in facts.RETURN_REASONS else "other")
    private = by(given)
    if reason != back.reason:
        private["reason"] = back.reason
    texts = {"words": back.words} if back.words else {}
    back_fact = NewFact(facts.Returned(part.id, part.department, reason, back.suggest), texts=texts, private=private)
    if part.parent is not None:
        # The department above decides what follows; it is responsible for the whole part.
        return [back_fact]
    returned = [back_fact, *withdrawn_pieces(case, part.id)]
    after = fold(case, *returned)
    if policy is not None and (again := next_by_rules(after, part, back.suggest, policy, directory)) is not None:
        return [*returned, *assigned_parts(after, again, terms_now(case, given, directory, again.rule))]
    return [*returned, NewFact(waiting(after, part, back.suggest, given, policy, directory))]


def unknown_suggestion(code: str, directory: CityIndex) -> Refused:
    """The refusal of a return that suggests a department which cannot take the part."""
    near = " or ".join(map(repr, near_codes(code, directory)))
    return Refused(
        "unknown-department",
        f"The city has no active department {code!r} to suggest.",
        f"Suggest {near}, or return the part without a suggestion." if near else "Return it without a suggestion.",
    )


def withdraw_part(case: Case, given: Input, directory: CityIndex) -> Facts:
    """The desk withdraws an open or returned part, and its delegated pieces. The joint reply needs the other parts only.

    Without a lead, the first of the other departments leads; without any department, the inquiry goes to triage.
    """
    command = payload_of(given, CaseWithdrawPart)
    part = the_part(case, given)
    if part.state == "returned" and part.id not in case.unsettled:
        raise NOT_WITHDRAWABLE.of(case, given)
    this = NewFact(facts.Withdrawn(part.id, part.department), texts={"why": command.why}, private=by(given))
    if part.parent is not None:
        return [this]
    withdrawn = [this, *withdrawn_pieces(case, part.id, command.why)]
    after = fold(case, *withdrawn)
    if not after.active_parts:
        return [*withdrawn, NewFact(facts.Triaged("no-department"))]
    new_lead = after.active_parts[0] if after.lead is None else None
    return [*withdrawn, *(part_changed(part, "lead" if part is new_lead else part.role) for part in after.active_parts)]


def recall_part(case: Case, given: Input, directory: CityIndex) -> Facts:
    """A retirement takes an open part back to triage. The joint reply waits until triage has settled it.

    A delegated part goes back to the department above instead, which reads it in its inbox.
    """
    command = payload_of(given, CaseRecallPart)
    part = the_part(case, given)
    reason = cast(facts.TriageReason, command.reason if command.reason in facts.TRIAGE_REASONS else "other")
    private = {} if reason == command.reason else {"reason": command.reason}
    this = NewFact(facts.Withdrawn(part.id, part.department), texts={"why": command.why}, private=by(given))
    if part.parent is not None:
        return [this]
    return [
        this,
        *withdrawn_pieces(case, part.id, command.why),
        NewFact(facts.Triaged(reason, part.id, part.department), private=private),
    ]
