"""What a department does with its part: accept, reply, contribute."""

from __future__ import annotations

from typing import Any

from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import Input
from services.router.domain.rules.preconditions import Facts, Refused, acceptance, open_part, own_part, payload_of
from shared.contracts.facts import Fact
from shared.contracts.inputs import (
    PartContributed,
    PartReplied,
)


def accept(case: Case, given: Input, directory: CityIndex) -> Facts:
    """The department takes its part."""
    part = own_part(case, given)
    if part.state != "offered":
        raise Refused(f"The part {part.id!r} is {part.state} already.", "Accept a part once, while it is offered.")
    return acceptance(part, given)


def contribute(case: Case, given: Input, directory: CityIndex) -> Facts:
    """The department's share of the answer, or a draft of it; it implies that the part is accepted."""
    part, contribution = open_part(case, given), payload_of(given, PartContributed)
    data: dict[str, Any] = {"part_id": part.id, "department": part.department}
    data |= {"text": contribution.text, "by": contribution.by}
    data["actions"] = [action.model_dump(mode="json") for action in contribution.actions]
    return [*acceptance(part, given), Fact("part.contributed" if contribution.final else "part.drafted", data)]


def reply(case: Case, given: Input, directory: CityIndex) -> Facts:
    """An interim word to the resident; it implies that the part is accepted."""
    part, word = open_part(case, given), payload_of(given, PartReplied)
    data = {"part_id": part.id, "department": part.department, "text": word.text, "by": word.by}
    return [*acceptance(part, given), Fact("inquiry.replied", data)]
