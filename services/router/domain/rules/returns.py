"""Parts that go back: returned by their department, withdrawn or recalled by the desk."""

from __future__ import annotations

from typing import cast

from services.router.domain import facts
from services.router.domain.case import Case, fold
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import Input
from services.router.domain.rules.assignment import part_changed
from services.router.domain.rules.preconditions import NOT_WITHDRAWABLE, Facts, by, payload_of, the_part
from services.router.domain.words import Stated
from shared.contracts.inputs import (
    CaseRecallPart,
    CaseWithdrawPart,
    PartReturned,
)


def give_back(case: Case, given: Input, directory: CityIndex) -> Facts:
    """A part comes back: it lies in triage, and the joint reply waits."""
    part, back = the_part(case, given), payload_of(given, PartReturned)
    reason = cast(facts.ReturnReason, back.reason if back.reason in facts.RETURN_REASONS else "other")
    suggest = back.suggest if back.suggest in directory.departments else None
    private = by(given)
    if reason != back.reason:
        private["reason"] = back.reason
    if back.suggest is not None and suggest is None:
        private["suggest"] = back.suggest
    texts = {"words": back.words} if back.words else {}
    returned = facts.Returned(part.id, part.department, reason, suggest)
    return [
        Stated(returned, texts=texts, private=private),
        Stated(facts.Triaged("returned", part.id, part.department)),
    ]


def withdraw_part(case: Case, given: Input, directory: CityIndex) -> Facts:
    """Take a part away from its department, returned or not; the others' answer then stands without it."""
    command = payload_of(given, CaseWithdrawPart)
    part = the_part(case, given)
    if part.state == "returned" and part.id not in case.unsettled:
        raise NOT_WITHDRAWABLE.of(case, given)
    withdrawn = Stated(facts.Withdrawn(part.id, part.department), texts={"why": command.why}, private=by(given))
    then = fold(case, withdrawn)
    if not then.active_parts:
        return [withdrawn, Stated(facts.Triaged("no-department"))]
    heir = then.active_parts[0] if then.lead is None else None
    return [withdrawn, *(part_changed(part, "lead" if part is heir else part.role) for part in then.active_parts)]


def recall_part(case: Case, given: Input, directory: CityIndex) -> Facts:
    """An open part goes back to triage; the joint reply waits until somebody else has it, or those who have one suffice."""
    command = payload_of(given, CaseRecallPart)
    part = the_part(case, given)
    reason = cast(facts.TriageReason, command.reason if command.reason in facts.TRIAGE_REASONS else "other")
    private = {} if reason == command.reason else {"reason": command.reason}
    return [
        Stated(facts.Withdrawn(part.id, part.department), texts={"why": command.why}, private=by(given)),
        Stated(facts.Triaged(reason, part.id, part.department), private=private),
    ]
