"""What several rules check first: the part exists, is the sender's, and is open."""

from __future__ import annotations

from typing import TypeVar

from services.router.domain import facts
from services.router.domain.case import OPEN, Case, Part
from services.router.domain.decision import Input, Refusal
from services.router.domain.facts import Fact
from shared.contracts.envelope import Payload
from shared.contracts.inputs import (
    PartMessage,
)

Facts = list[Fact]
P = TypeVar("P", bound=Payload)


class Refused(Exception):
    """Raised by a move that the case's state forbids; becomes the decision's refusal."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.refusal = Refusal(reason, remedy)


def payload_of(given: Input, kind: type[P]) -> P:
    assert isinstance(given.payload, kind)
    return given.payload


def own_part(case: Case, given: Input) -> Part:
    message = payload_of(given, PartMessage)
    part = case.parts.get(message.part_id)
    if part is None or part.department != given.department:
        raise Refused(
            f"The part {message.part_id!r} is not {given.department!r}'s.",
            "Use the part_id of a part.offered in your inbox.",
        )
    return part


def open_part(case: Case, given: Input) -> Part:
    part = own_part(case, given)
    if part.state not in OPEN:
        raise Refused(
            f"The part {part.id!r} is {part.state} already.", "Nothing more can be said on it; ask the desk if it must."
        )
    return part


def acceptance(part: Part, given: Input) -> Facts:
    if part.state != "offered":
        return []
    by = payload_of(given, PartMessage).by
    return [facts.Accepted(part.id, part.department, by)]
