"""The state machine as data: for each case status, part state and input type, the rule that decides or the refusal.

`docs/states.md` is drawn from this table. Rules may refuse for reasons that no state tells: an unknown department, a
round that was rated before.
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import product
from typing import NamedTuple, get_args

from services.router.domain.case import Case, PartState, Status
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import Input
from services.router.domain.rules.assignment import assign_by_hand, receive
from services.router.domain.rules.contributions import accept, contribute, reply
from services.router.domain.rules.parking import release
from services.router.domain.rules.preconditions import NOT_ANSWERED, NOT_WITHDRAWABLE, Facts, Refuse, part_of
from services.router.domain.rules.ratings import rate
from services.router.domain.rules.returns import give_back, recall_part, withdraw_part
from shared.contracts.inputs import (
    INPUTS,
    CaseAssign,
    CaseRecallPart,
    CaseReplay,
    CaseWithdrawPart,
    InquiryRated,
    InquiryReceived,
    PartAccepted,
    PartContributed,
    PartReplied,
    PartReturned,
)

Rule = Callable[[Case, Input, CityIndex], Facts]
STATUSES: tuple[Status, ...] = get_args(Status)
PART_STATES: tuple[str, ...] = ("none", *get_args(PartState))
"""`none`: the input concerns no part, one that does not exist, or another department's."""


class Transition(NamedTuple):
    """One line of the table: what becomes of a type of input in these statuses and part states."""

    type: str
    statuses: Iterable[Status]
    parts: Iterable[str]
    outcome: Rule | Refuse


UNKNOWN: tuple[Status, ...] = ("unknown",)
KNOWN: tuple[Status, ...] = tuple(one for one in STATUSES if one != "unknown")
BEFORE_ANSWER: tuple[Status, ...] = tuple(one for one in KNOWN if one != "answered")
NO_PART = ("none",)
OPEN = ("offered", "accepted")
OVER = ("contributed", "returned", "withdrawn")

NO_INQUIRY = Refuse("no-inquiry", "There is no inquiry {inquiry_id!r} yet.", "Check the number.")
RECEIVED = Refuse(
    "received-before",
    "The inquiry {inquiry_id!r} was received before.",
    "Use a number of its own for each inquiry.",
)
NOT_YOURS = Refuse(
    "not-your-part",
    "The part {part_id!r} is not {department!r}'s.",
    "Use the part_id of a part.offered in your inbox.",
)
NOT_OFFERED = Refuse(
    "part-not-offered",
    "The part {part_id!r} is {part_state} already.",
    "Accept a part once, while it is offered.",
)
NOT_OPEN = Refuse(
    "part-not-open",
    "The part {part_id!r} is {part_state} already.",
    "Nothing more can be said on it; ask the desk if it must.",
)
NOT_IN_TRIAGE = Refuse(
    "not-in-triage",
    "The inquiry {inquiry_id!r} is {state}, not in triage.",
    "Assign what `triage list` shows.",
)
NOT_RECALLABLE = Refuse(
    "part-not-recallable", "The part {part_id!r} cannot be recalled.", "Recall a part that is open."
)

TABLE: tuple[Transition, ...] = (
    Transition(InquiryReceived.type, UNKNOWN, NO_PART, receive),
    Transition(InquiryReceived.type, KNOWN, NO_PART, RECEIVED),
    Transition(InquiryRated.type, ("answered",), NO_PART, rate),
    Transition(InquiryRated.type, BEFORE_ANSWER, NO_PART, NOT_ANSWERED),
    Transition(PartAccepted.type, KNOWN, ("offered",), accept),
    Transition(PartAccepted.type, KNOWN, ("accepted", *OVER), NOT_OFFERED),
    Transition(PartContributed.type, KNOWN, OPEN, contribute),
    Transition(PartReplied.type, KNOWN, OPEN, reply),
    Transition(PartReturned.type, KNOWN, OPEN, give_back),
    *(Transition(one.type, KNOWN, OVER, NOT_OPEN) for one in (PartContributed, PartReplied, PartReturned)),
    *(
        Transition(one.type, KNOWN, NO_PART, NOT_YOURS)
        for one in (PartAccepted, PartContributed, PartReplied, PartReturned)
    ),
    Transition(CaseAssign.type, ("triage",), NO_PART, assign_by_hand),
    Transition(CaseAssign.type, [one for one in KNOWN if one != "triage"], NO_PART, NOT_IN_TRIAGE),
    Transition(CaseWithdrawPart.type, KNOWN, (*OPEN, "returned"), withdraw_part),
    Transition(CaseWithdrawPart.type, KNOWN, ("none", "contributed", "withdrawn"), NOT_WITHDRAWABLE),
    Transition(CaseRecallPart.type, KNOWN, OPEN, recall_part),
    Transition(CaseRecallPart.type, KNOWN, (*NO_PART, *OVER), NOT_RECALLABLE),
    Transition(CaseReplay.type, KNOWN, NO_PART, release),
    *(Transition(one, UNKNOWN, NO_PART, NO_INQUIRY) for one in INPUTS if one != InquiryReceived.type),
)


def _compiled(table: Iterable[Transition]) -> Mapping[tuple[str, str, str], Rule | Refuse]:
    """The table by status, part state and input type. Raises ValueError for a combination that two lines decide."""
    cells: dict[tuple[str, str, str], Rule | Refuse] = {}
    for line in table:
        for cell in product(line.statuses, line.parts, (line.type,)):
            if cell in cells:
                raise ValueError(f"{cell} is decided twice")
            cells[cell] = line.outcome
    return cells


TRANSITIONS = _compiled(TABLE)


def rule_for(case: Case, given: Input) -> Rule:
    """The rule that decides this input now; raises Refused when the case's state forbids it."""
    part = part_of(case, given)
    outcome = TRANSITIONS[case.status, part.state if part else "none", given.type]
    if isinstance(outcome, Refuse):
        raise outcome.of(case, given)
    return outcome
