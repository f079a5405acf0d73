"""The state machine: maps case status, part state and input type to the rule that decides, or to a refusal.

`docs/states.md` is generated from this table. A rule may also refuse for a reason that does not depend on the state, such
as an unknown department.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product
from typing import NamedTuple, get_args

from services.router.domain.case import ENDED, Case, Status
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import Input
from services.router.domain.part import PartState
from services.router.domain.rules.arbitration import arbitrate, assign_first_receiver
from services.router.domain.rules.assignment import assign_by_hand, receive
from services.router.domain.rules.contributions import accept, contribute, contribute_again, reply
from services.router.domain.rules.links import request_link
from services.router.domain.rules.parking import release
from services.router.domain.rules.preconditions import (
    NAMES_A_PART,
    NOT_ANSWERED,
    NOT_IN_ARBITRATION,
    NOT_WITHDRAWABLE,
    Facts,
    Refuse,
    part_of,
)
from services.router.domain.rules.privacy import erase, link, refuse, withdraw
from services.router.domain.rules.ratings import rate
from services.router.domain.rules.reassignment import reassign
from services.router.domain.rules.release import approve, edit_reply, refuse_release
from services.router.domain.rules.returns import give_back, recall_part, withdraw_part
from services.router.domain.rules.timers import ring
from shared.contracts.case_commands import (
    CaseApprove,
    CaseArbitrate,
    CaseAssign,
    CaseAssignFirstReceiver,
    CaseErase,
    CaseLink,
    CaseReassign,
    CaseRecallPart,
    CaseRefuse,
    CaseRefuseRelease,
    CaseReplay,
    CaseWithdrawPart,
)
from shared.contracts.department_outbox import PartAccepted, PartContributed, PartReplied, PartReturned, ReplyEdit
from shared.contracts.envelope import Payload
from shared.contracts.inputs import INPUTS, TimerRang
from shared.contracts.resident_inputs import InquiryLinkRequested, InquiryRated, InquiryReceived, InquiryWithdrawn

Rule = Callable[[Case, Input, CityIndex], Facts]
STATUSES: tuple[Status, ...] = get_args(Status)
PART_STATES: tuple[str, ...] = ("none", *get_args(PartState))
"""`none`: the input names no part, a part that does not exist, or a part of another department."""


class Transition(NamedTuple):
    """One line of the table: the outcome of a type of input in these statuses and part states."""

    type: str
    statuses: Iterable[Status]
    parts: Iterable[str]
    outcome: Rule | Refuse


UNKNOWN: tuple[Status, ...] = ("unknown",)
KNOWN: tuple[Status, ...] = tuple(one for one in STATUSES if one not in ("unknown", *ENDED))
"""The message is received, and the case has not ended."""
BEFORE_ANSWER: tuple[Status, ...] = tuple(one for one in KNOWN if one != "answered")
NOT_TRIAGE: tuple[Status, ...] = tuple(one for one in KNOWN if one != "triage")
AWAITING: tuple[Status, ...] = ("awaiting-release",)
REFUSABLE: tuple[Status, ...] = ("registered", "triage", "assigned")
BEFORE_RELEASE: tuple[Status, ...] = ("in-progress", *AWAITING)
NO_PART = ("none",)
OPEN = ("offered", "accepted")
OVER = ("contributed", "returned", "withdrawn")

NO_INQUIRY = Refuse("no-inquiry", "There is no inquiry {inquiry_id!r} yet.", "Check the ticket number.")
RECEIVED = Refuse(
    "received-before",
    "The inquiry {inquiry_id!r} was received before.",
    "Use a new inquiry_id for each inquiry.",
)
NOT_YOURS = Refuse(
    "not-your-part",
    "The part {part_id!r} does not belong to {department!r}.",
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
    "The part takes no more messages; ask the city's desk if something must change.",
)
NOT_IN_TRIAGE = Refuse(
    "not-in-triage",
    "The inquiry {inquiry_id!r} is {state}, not in triage.",
    "Assign an inquiry that `chorus triage list` shows.",
)
NOT_RECALLABLE = Refuse(
    "part-not-recallable", "The part {part_id!r} cannot be recalled.", "Recall a part that is open."
)
IN_TRIAGE = Refuse(
    "in-triage",
    "The inquiry {inquiry_id!r} is in triage, so no part of it can be reassigned.",
    "Settle first what `chorus triage list` shows.",
)
NOT_REASSIGNABLE = Refuse(
    "part-not-reassignable",
    "The part {part_id!r} cannot be reassigned.",
    "Reassign a part that is open.",
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
    "The inquiry {inquiry_id!r} is answered, so it cannot be withdrawn.",
    "Rate the answer instead.",
)
HAS_ENDED: Mapping[Status, Refuse] = {
    "withdrawn": Refuse(
        "withdrawn",
        "The resident has withdrawn the inquiry {inquiry_id!r}.",
        "No action is needed; the case has ended.",
    ),
    "refused": Refuse(
        "refused", "The city has refused the inquiry {inquiry_id!r}.", "No action is needed; the case has ended."
    ),
    "erased": Refuse("erased", "The inquiry {inquiry_id!r} is erased.", "No action is needed; the case has ended."),
}


def after_the_end(kind: type[Payload]) -> Iterator[Transition]:
    """What an input does after the end of its case. An erased case refuses everything."""
    parts = PART_STATES if issubclass(kind, NAMES_A_PART) else NO_PART
    for status in ENDED:
        outcome = None if status == "erased" else AFTER_THE_END.get(kind.type)
        yield Transition(kind.type, (status,), parts, outcome or HAS_ENDED[status])


AFTER_THE_END: Mapping[str, Rule | Refuse] = {
    InquiryReceived.type: RECEIVED,
    InquiryLinkRequested.type: request_link,
    TimerRang.type: ring,
    CaseReplay.type: release,
    CaseLink.type: link,
    CaseErase.type: erase,
}
"""The inputs that a withdrawn or refused case takes, or refuses for another reason than its end."""


TABLE: tuple[Transition, ...] = (
    Transition(InquiryReceived.type, UNKNOWN, NO_PART, receive),
    Transition(InquiryReceived.type, KNOWN, NO_PART, RECEIVED),
    Transition(InquiryRated.type, ("answered",), NO_PART, rate),
    Transition(InquiryRated.type, BEFORE_ANSWER, NO_PART, NOT_ANSWERED),
    Transition(InquiryLinkRequested.type, KNOWN, NO_PART, request_link),
    Transition(TimerRang.type, KNOWN, NO_PART, ring),
    Transition(PartAccepted.type, KNOWN, ("offered",), accept),
    Transition(PartAccepted.type, KNOWN, ("accepted", *OVER), NOT_OFFERED),
    Transition(PartContributed.type, KNOWN, OPEN, contribute),
    Transition(PartReplied.type, KNOWN, OPEN, reply),
    Transition(PartReturned.type, KNOWN, OPEN, give_back),
    Transition(PartContributed.type, AWAITING, ("contributed",), contribute_again),
    Transition(PartContributed.type, [one for one in KNOWN if one not in AWAITING], ("contributed",), NOT_OPEN),
    Transition(PartContributed.type, KNOWN, ("returned", "withdrawn"), NOT_OPEN),
    *(Transition(one.type, KNOWN, OVER, NOT_OPEN) for one in (PartReplied, PartReturned)),
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
    Transition(CaseReassign.type, NOT_TRIAGE, OPEN, reassign),
    Transition(CaseReassign.type, ("triage",), OPEN, IN_TRIAGE),
    Transition(CaseReassign.type, KNOWN, (*NO_PART, *OVER), NOT_REASSIGNABLE),
    Transition(CaseArbitrate.type, ("triage",), NO_PART, arbitrate),
    Transition(CaseArbitrate.type, NOT_TRIAGE, NO_PART, NOT_IN_ARBITRATION),
    Transition(CaseAssignFirstReceiver.type, ("triage",), NO_PART, assign_first_receiver),
    Transition(CaseAssignFirstReceiver.type, NOT_TRIAGE, NO_PART, NOT_IN_ARBITRATION),
    Transition(CaseReplay.type, KNOWN, NO_PART, release),
    Transition(CaseApprove.type, AWAITING, NO_PART, approve),
    Transition(CaseRefuseRelease.type, AWAITING, NO_PART, refuse_release),
    *(
        Transition(kind.type, [one for one in KNOWN if one not in AWAITING], NO_PART, NOT_AWAITING)
        for kind in (CaseApprove, CaseRefuseRelease)
    ),
    Transition(ReplyEdit.type, BEFORE_RELEASE, NO_PART, edit_reply),
    Transition(ReplyEdit.type, [one for one in KNOWN if one not in BEFORE_RELEASE], NO_PART, NOT_AWAITING),
    Transition(CaseRefuse.type, REFUSABLE, NO_PART, refuse),
    Transition(CaseRefuse.type, [one for one in KNOWN if one not in REFUSABLE], NO_PART, NOT_REFUSABLE),
    Transition(InquiryWithdrawn.type, BEFORE_ANSWER, NO_PART, withdraw),
    Transition(InquiryWithdrawn.type, ("answered",), NO_PART, ANSWERED_BEFORE),
    Transition(CaseLink.type, KNOWN, NO_PART, link),
    # Also before the first decision: the message may be parked, because it fails repeatedly.
    Transition(CaseErase.type, (*UNKNOWN, *KNOWN), NO_PART, erase),
    *(
        Transition(one, UNKNOWN, NO_PART, NO_INQUIRY)
        for one in INPUTS
        if one not in (InquiryReceived.type, CaseErase.type)
    ),
    *(line for kind in INPUTS.values() for line in after_the_end(kind)),
)


def _compiled(table: Iterable[Transition]) -> Mapping[tuple[str, str, str], Rule | Refuse]:
    """Outcomes by status, part state and input type. Raises ValueError for a combination in two lines of the table."""
    cells: dict[tuple[str, str, str], Rule | Refuse] = {}
    for line in table:
        for cell in product(line.statuses, line.parts, (line.type,)):
            if cell in cells:
                raise ValueError(f"two lines of the table decide {cell}")
            cells[cell] = line.outcome
    return cells


TRANSITIONS = _compiled(TABLE)


def rule_for(case: Case, given: Input) -> Rule:
    """The rule for this input. Raises Refused when the state of the case or of the part forbids the input."""
    part = part_of(case, given)
    outcome = TRANSITIONS[case.status, part.state if part else "none", given.type]
    if isinstance(outcome, Refuse):
        raise outcome.of(case, given)
    return outcome
