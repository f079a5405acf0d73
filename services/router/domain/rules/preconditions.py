"""What all rules use: the payload of an input, the part it names, refusals."""

from typing import NamedTuple, TypeVar

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.decision import Input, Refusal
from services.router.domain.part import Part
from services.router.domain.words import Draft, NewFact
from shared.contracts.case_commands import CaseReassign, CaseRecallPart, CaseWithdrawPart
from shared.contracts.department_outbox import PartCorrected, PartDelegated, PartMessage
from shared.contracts.envelope import Payload
from shared.contracts.extensions import CaseExtend, CaseRefuseExtension

Facts = list[NewFact | Draft]
P = TypeVar("P", bound=Payload)
NAMES_A_PART = (PartMessage, CaseReassign, CaseWithdrawPart, CaseRecallPart, CaseExtend, CaseRefuseExtension)
"""The inputs that concern one part."""


class Refused(Exception):
    """A rule refuses the input. `decide` stores it as the refusal of the decision."""

    def __init__(self, code: str, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.refusal = Refusal(code, reason, remedy)


def payload_of(given: Input, kind: type[P]) -> P:
    # `input_decoder` has made the payload of the class that belongs to the type of the input.
    assert isinstance(given.payload, kind)
    return given.payload


def part_of(case: Case, given: Input) -> Part | None:
    """The part that an input names; None when it does not exist or belongs to another department than the sender."""
    message = given.payload
    if not isinstance(message, NAMES_A_PART):
        return None
    part = case.parts.get(message.part_id)
    if part is None or not isinstance(message, PartMessage) or part.department == given.department:
        return part
    # A user of the whole city, who has no department, corrects and delegates for every department.
    of_the_city = isinstance(message, PartCorrected | PartDelegated) and given.department is None
    return part if of_the_city and given.user is not None else None


def the_part(case: Case, given: Input) -> Part:
    part = part_of(case, given)
    # The transition table refuses an input without its part before it calls a rule that uses this.
    assert part is not None
    return part


def acceptance(part: Part, given: Input) -> Facts:
    """`part.accepted` when the part is still offered, else nothing."""
    if part.state != "offered":
        return []
    return [NewFact(facts.Accepted(part.id, part.department), private=by(given))]


def by(given: Input) -> dict[str, str]:
    """The name of the person who sent the input, as words without a commitment; empty when the sender gave none."""
    name = getattr(given.payload, "by", None)
    return {} if name is None else {"by": name}


class Refuse(NamedTuple):
    """A refusal with its reason code and templates of its sentences."""

    code: str
    reason: str
    remedy: str

    def of(self, case: Case, given: Input) -> Refused:
        """The refusal, with the values of this case and input in its sentences."""
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


def not_the_lead(case: Case, department: str, what: str) -> Refused:
    """The refusal of a message that only the lead may send; `what` completes "Ask the lead to …"."""
    return Refused(
        "not-the-lead",
        f"The department {department!r} does not lead the inquiry {case.inquiry_id!r}.",
        f"Ask the lead, {case.lead!r}, to {what}." if case.lead else "Nobody leads it now; ask the city's desk.",
    )


# These are here because both the transition table and a rule refuse with them, or several rules do.
AWAITS_ARBITRATION = Refuse(
    "awaits-arbitration",
    "The inquiry {inquiry_id!r} waits for an arbiter.",
    "A coordinator or a supervisor decides with the command `arbitrate`.",
)
NOT_IN_ARBITRATION = Refuse(
    "not-in-arbitration",
    "The inquiry {inquiry_id!r} is {state} and does not wait for an arbiter.",
    "Arbitrate an inquiry that `chorus triage list` shows with `arbitration`.",
)
DELEGATED_PART = Refuse(
    "delegated-part",
    "The part {part_id!r} is a piece of another department's part.",
    "Contribute, or return the part; both go to the department that delegated it.",
)
PART_RELEASED = Refuse(
    "part-released",
    "The contribution of the part {part_id!r} is released already.",
    "A released text is not replaced; ask the city's desk to correct it.",
)
NOT_AWAITING = Refuse(
    "not-awaiting-release",
    "The inquiry {inquiry_id!r} is {state}; none of its replies waits for release.",
    "Look at the case again.",
)
NOT_REFUSABLE = Refuse(
    "not-refusable",
    "The inquiry {inquiry_id!r} is {state}; departments are working on it, or have answered.",
    "Refuse an inquiry in triage, or one that no department has accepted.",
)
ANSWERED_BEFORE = Refuse(
    "already-answered",
    "The inquiry {inquiry_id!r} is {state}, so it cannot be withdrawn.",
    "Rate the answer instead.",
)
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
