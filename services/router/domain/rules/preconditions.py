"""What rules are given and may answer: the payload, the part it concerns, a refusal."""

from typing import NamedTuple, TypeVar

from services.router.domain import facts
from services.router.domain.case import Case, Part
from services.router.domain.decision import Input, Refusal
from services.router.domain.words import Draft, Stated
from shared.contracts.envelope import Payload
from shared.contracts.inputs import CaseRecallPart, CaseWithdrawPart, PartMessage

Facts = list[Stated | Draft]
P = TypeVar("P", bound=Payload)


class Refused(Exception):
    """The case's state forbids the input; becomes the decision's refusal. `code` names the reason in the table."""

    def __init__(self, code: str, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.refusal = Refusal(code, reason, remedy)


def payload_of(given: Input, kind: type[P]) -> P:
    """The input's payload, as the class that its type promises."""
    assert isinstance(given.payload, kind)
    return given.payload


def part_of(case: Case, given: Input) -> Part | None:
    """The part that an input concerns; None for one that does not exist, and for a department's input about another's."""
    message = given.payload
    if not isinstance(message, PartMessage | CaseWithdrawPart | CaseRecallPart):
        return None
    part = case.parts.get(message.part_id)
    foreign = isinstance(message, PartMessage) and part is not None and part.department != given.department
    return None if foreign else part


def the_part(case: Case, given: Input) -> Part:
    """The part of an input that the transition table lets pass only with one."""
    part = part_of(case, given)
    assert part is not None
    return part


def acceptance(part: Part, given: Input) -> Facts:
    """Whoever works on a part has accepted it."""
    if part.state != "offered":
        return []
    return [Stated(facts.Accepted(part.id, part.department), private=by(given))]


def by(given: Input) -> dict[str, str]:
    """The name that a department or an operator has put under its message, if any: words, without a commitment."""
    name = getattr(given.payload, "by", None)
    return {} if name is None else {"by": name}


class Refuse(NamedTuple):
    """A refusal by state: its code, and sentences filled in from the case and the input."""

    code: str
    reason: str
    remedy: str

    def of(self, case: Case, given: Input) -> Refused:
        """The refusal of this input."""
        part = part_of(case, given)
        values = {
            "inquiry_id": case.inquiry_id,
            "state": case.state,
            "round": case.round,
            "given_round": getattr(given.payload, "round", None),
            "part_id": part.id if part else getattr(given.payload, "part_id", None),
            "part_state": part.state if part else "none",
            "department": given.department,
        }
        return Refused(self.code, self.reason.format(**values), self.remedy.format(**values))


# The transition table refuses with these, and so does a rule for what no state tells.
NOT_ANSWERED = Refuse(
    "not-answered",
    "Round {given_round} of {inquiry_id!r} has no answer to rate.",
    "Rate round {round} once it is answered.",
)
NOT_WITHDRAWABLE = Refuse(
    "part-not-withdrawable",
    "The part {part_id!r} cannot be withdrawn.",
    "Withdraw a part that is open or was returned.",
)
