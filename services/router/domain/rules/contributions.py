"""What a department does with its part: accept, reply, contribute."""

from __future__ import annotations

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import Input
from services.router.domain.rules.preconditions import Facts, acceptance, payload_of, the_part
from shared.contracts.inputs import (
    PartContributed,
    PartReplied,
)
from shared.runtime import timestamps


def accept(case: Case, given: Input, directory: CityIndex) -> Facts:
    """The department takes its part."""
    return acceptance(the_part(case, given), given)


def contribute(case: Case, given: Input, directory: CityIndex) -> Facts:
    """The department's share of the answer, or a draft of it; it implies that the part is accepted."""
    part, contribution = the_part(case, given), payload_of(given, PartContributed)
    made = facts.Contributed if contribution.final else facts.Drafted
    actions = tuple(facts.ActionTaken(one.kind, timestamps.to_text(one.at), one.note) for one in contribution.actions)
    return [
        *acceptance(part, given),
        made(part.id, part.department, contribution.text, contribution.by, actions),
    ]


def reply(case: Case, given: Input, directory: CityIndex) -> Facts:
    """An interim word to the resident; it implies that the part is accepted."""
    part, word = the_part(case, given), payload_of(given, PartReplied)
    return [*acceptance(part, given), facts.Replied(part.id, part.department, word.text, word.by)]
