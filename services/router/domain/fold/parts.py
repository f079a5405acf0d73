"""Folds the facts of parts into a case."""

from collections.abc import Callable, Mapping
from typing import Any

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.facts import Fact
from services.router.domain.fold.corrections import corrected_parts
from services.router.domain.fold.status import outdate, set_part
from services.router.domain.part import Author, Part, PartReturn
from services.router.domain.words import FactWords


def _offered(case: Case, fact: facts.Offered, words: FactWords) -> None:
    part = Part(
        fact.part_id,
        fact.department,
        fact.role,
        fact.due,
        policy_id=fact.policy_id or case.policy_id,
        return_until=fact.return_until,
        binding=fact.binding,
        parent=fact.parent,
        instructions=case.parts[fact.parent].instructions if fact.parent else None,
        round=fact.round,
    )
    set_part(case, part)


def _changed(case: Case, fact: facts.Changed, words: FactWords) -> None:
    part = case.parts[fact.part_id]
    # The reply never goes ahead without the lead.
    omitted = part.omitted and fact.role != "lead"
    set_part(case, part._replace(role=fact.role, binding=part.binding or fact.binding, omitted=omitted))


def _accepted(case: Case, fact: facts.Accepted, words: FactWords) -> None:
    set_part(case, case.parts[fact.part_id]._replace(state="accepted"))


def _contributed(case: Case, fact: facts.Contributed, words: FactWords) -> None:
    author = Author(fact.department, words.user)
    # A correction that waits keeps its approvals: a late part becomes an addendum after it.
    if case.parts[fact.part_id].parent is None and not corrected_parts(case):
        outdate(case)
    set_part(
        case,
        case.parts[fact.part_id]._replace(
            state="contributed", text=words.text("text"), draft=None, author=author, omitted=False
        ),
    )


def _returned(case: Case, fact: facts.Returned, words: FactWords) -> None:
    if case.parts[fact.part_id].parent is None:
        case.unsettled = (*case.unsettled, fact.part_id)
    number = 1 + sum(1 for _ in case.returned_parts)
    back = PartReturn(words.get("reason") or fact.reason, words.text("words"), number)
    set_part(case, case.parts[fact.part_id]._replace(state="returned", returned=back))


def _withdrawn(case: Case, fact: facts.Withdrawn, words: FactWords) -> None:
    case.unsettled = tuple(one for one in case.unsettled if one != fact.part_id)
    if case.arbitration is not None:
        disputed = tuple(one for one in case.arbitration.part_ids if one != fact.part_id)
        case.arbitration = case.arbitration._replace(part_ids=disputed) if disputed else None
    set_part(case, case.parts[fact.part_id]._replace(state="withdrawn"))


FOLD: Mapping[type[Fact], Callable[[Case, Any, FactWords], None]] = {
    facts.Offered: _offered,
    facts.Changed: _changed,
    facts.Accepted: _accepted,
    facts.Contributed: _contributed,
    facts.Returned: _returned,
    facts.Withdrawn: _withdrawn,
}
