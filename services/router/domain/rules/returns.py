"""A part leaves its department: the department returns it (退单), or the desk withdraws or recalls it.

The policy of a part limits returns: until when, for which reasons, and how often before an arbiter decides. Parts whose
policy says nothing about returns can be returned at any time while they are open.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from services.router.domain import facts
from services.router.domain.assignment_rules import Assignment, assign, compile_rules
from services.router.domain.case import Case, Part
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import Input
from services.router.domain.fold import fold
from services.router.domain.near_codes import near_codes
from services.router.domain.rules.assignment import assigned_parts, part_changed
from services.router.domain.rules.part_terms import return_until, terms_by_hand
from services.router.domain.rules.preconditions import NOT_WITHDRAWABLE, Facts, Refused, by, payload_of, the_part
from services.router.domain.words import NewFact
from shared.city.policies import ReturnPolicy
from shared.contracts.inputs import CaseRecallPart, CaseWithdrawPart, PartReturned
from shared.runtime import timestamps

ASK_THE_DESK = "Contribute to the answer, or ask the city's desk to reassign the part."


def give_back(case: Case, given: Input, directory: CityIndex) -> Facts:
    """The department returns its part. The joint reply waits until another department has it, or triage has settled it.

    By policy, the rules are asked again, and a dispute goes to an arbiter. Without one, the part goes to triage.
    """
    part, back = the_part(case, given), payload_of(given, PartReturned)
    policy = directory.returns.get(part.policy_id)
    check_return(part, back, given, policy)
    if back.suggest is not None and directory.unknown((back.suggest,)):
        raise unknown_suggestion(back.suggest, directory)
    reason = cast(facts.ReturnReason, back.reason if back.reason in facts.RETURN_REASONS else "other")
    private = by(given)
    if reason != back.reason:
        private["reason"] = back.reason
    texts = {"words": back.words} if back.words else {}
    returned = NewFact(facts.Returned(part.id, part.department, reason, back.suggest), texts=texts, private=private)
    after = fold(case, returned)
    if policy is not None and (again := next_by_rules(after, part, back.suggest, policy, directory)) is not None:
        return [returned, *assigned_parts(after, again, terms_by_hand(case, given, directory))]
    return [returned, NewFact(waiting(after, part, back.suggest, given, policy, directory))]


def check_return(part: Part, back: PartReturned, given: Input, policy: ReturnPolicy | None) -> None:
    """Refuse the return of a binding part, a late one, a reason that the policy does not have, and one without words."""
    if part.binding:
        raise Refused(
            "part-binding",
            f"The part {part.id!r} was assigned to settle a dispute, so {part.department!r} cannot return it.",
            ASK_THE_DESK,
        )
    if part.return_until is not None and given.recorded_at > part.return_until:
        raise Refused(
            "return-too-late",
            f"The part {part.id!r} could be returned until {part.return_until}; this return came at {given.recorded_at}.",
            ASK_THE_DESK,
        )
    if policy is None:
        return
    if back.reason not in policy.reasons:
        raise Refused(
            "return-reason-unknown",
            f"{back.reason!r} is not one of the city's reasons for a return.",
            f"Return the part with one of {', '.join(policy.reasons)}.",
        )
    if not back.words:
        raise Refused(
            "return-without-words", "The return has no `words`.", "Write in `words` why another department must answer."
        )


def next_by_rules(
    after: Case, part: Part, suggest: str | None, policy: ReturnPolicy, directory: CityIndex
) -> Assignment | None:
    """The departments that the city's rules find without those that have returned the inquiry.

    None when triage must decide: nobody or somebody else than the suggested department is found, the inquiry has other
    departments or open points, or there is a dispute.
    """
    inquiry = after.inquiry
    if after.active_parts or after.unsettled != (part.id,) or inquiry is None or is_disputed(after, suggest, policy):
        return None
    back = {one.department for one, _ in after.returned_parts}
    found = assign(
        compile_rules(directory.city, without=back),
        subject=inquiry.subject.text,
        body=inquiry.body.text,
        area=inquiry.area,
        channel=inquiry.channel,
        named=inquiry.departments,
    )
    if found is None or not back.isdisjoint((found.lead, *found.co_handlers)) or suggest not in (None, found.lead):
        return None
    return found


def waiting(
    after: Case, part: Part, suggest: str | None, given: Input, policy: ReturnPolicy | None, directory: CityIndex
) -> facts.Triaged:
    """What the returned part waits for: triage, or an arbiter."""
    if policy is None or not is_disputed(after, suggest, policy):
        return facts.Triaged("returned", part.id, part.department)
    if after.arbitration is not None:
        until = after.arbitration.until
    else:
        since = timestamps.to_ms(timestamps.from_text(given.recorded_at))
        until = return_until(part.policy_id, since, directory)
    return facts.Triaged("arbitration", part.id, part.department, until)


def is_disputed(after: Case, suggest: str | None, policy: ReturnPolicy) -> bool:
    """Whether this return, the last of the case, needs an arbiter: it reaches the limit, or goes back and forth.

    Two departments send an inquiry back and forth (A→B→A) when the one that returned it before also returned it the time
    before that, or is the one that the last return suggests.
    """
    back = sorted(after.returned_parts, key=lambda one: one[1].number)
    if len(back) >= policy.limit:
        return True
    departments = [one.department for one, _ in back]
    return back_and_forth(departments) or (suggest is not None and back_and_forth([*departments, suggest]))


def back_and_forth(path: Sequence[str]) -> bool:
    """Whether the last three are A, B and A again."""
    return len(path) >= 3 and path[-3] == path[-1] != path[-2]


def unknown_suggestion(code: str, directory: CityIndex) -> Refused:
    """The refusal of a return that suggests a department which cannot take the part."""
    near = " or ".join(map(repr, near_codes(code, directory)))
    return Refused(
        "unknown-department",
        f"The city has no active department {code!r} to suggest.",
        f"Suggest {near}, or return the part without a suggestion." if near else "Return it without a suggestion.",
    )


def withdraw_part(case: Case, given: Input, directory: CityIndex) -> Facts:
    """The desk withdraws an open or returned part. The joint reply then needs the other parts only.

    Without a lead, the first of the other departments leads; without any department, the inquiry goes to triage.
    """
    command = payload_of(given, CaseWithdrawPart)
    part = the_part(case, given)
    if part.state == "returned" and part.id not in case.unsettled:
        raise NOT_WITHDRAWABLE.of(case, given)
    withdrawn = NewFact(facts.Withdrawn(part.id, part.department), texts={"why": command.why}, private=by(given))
    after = fold(case, withdrawn)
    if not after.active_parts:
        return [withdrawn, NewFact(facts.Triaged("no-department"))]
    new_lead = after.active_parts[0] if after.lead is None else None
    return [withdrawn, *(part_changed(part, "lead" if part is new_lead else part.role) for part in after.active_parts)]


def recall_part(case: Case, given: Input, directory: CityIndex) -> Facts:
    """A retirement takes an open part back to triage. The joint reply waits until triage has settled it."""
    command = payload_of(given, CaseRecallPart)
    part = the_part(case, given)
    reason = cast(facts.TriageReason, command.reason if command.reason in facts.TRIAGE_REASONS else "other")
    private = {} if reason == command.reason else {"reason": command.reason}
    return [
        NewFact(facts.Withdrawn(part.id, part.department), texts={"why": command.why}, private=by(given)),
        NewFact(facts.Triaged(reason, part.id, part.department), private=private),
    ]
