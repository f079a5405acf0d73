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
from services.router.domain.rules.closing import close
from services.router.domain.rules.contributions import accept, contribute, contribute_again, reply
from services.router.domain.rules.corrections import NOT_RELEASED, NOTHING_RELEASED, correct, retract
from services.router.domain.rules.delegation import delegate
from services.router.domain.rules.extensions import ask_extension, extend, refuse_extension
from services.router.domain.rules.going_ahead import go_ahead
from services.router.domain.rules.links import request_link
from services.router.domain.rules.parking import release
from services.router.domain.rules.preconditions import (
    ANSWERED_BEFORE,
    NAMES_A_PART,
    NOT_ANSWERED,
    NOT_AWAITING,
    NOT_IN_ARBITRATION,
    NOT_REFUSABLE,
    NOT_WITHDRAWABLE,
    Facts,
    Refuse,
    part_of,
)
from services.router.domain.rules.privacy import erase, link, refuse, withdraw
from services.router.domain.rules.publication import hide, publish, redact, report
from services.router.domain.rules.questions import add, ask, ask_all
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
    CaseClose,
    CaseErase,
    CaseHide,
    CaseLink,
    CasePublish,
    CaseReassign,
    CaseRecallPart,
    CaseRedact,
    CaseRefuse,
    CaseRefuseRelease,
    CaseReplay,
    CaseRetract,
    CaseWithdrawPart,
)
from shared.contracts.department_outbox import (
    PartAccepted,
    PartContributed,
    PartCorrected,
    PartDelegated,
    PartReplied,
    PartReturned,
    ReplyEdit,
    ReplyGoAhead,
)
from shared.contracts.envelope import Payload
from shared.contracts.extensions import CaseExtend, CaseRefuseExtension, PartExtensionAsked
from shared.contracts.inputs import INPUTS, TimerRang
from shared.contracts.questions import CaseAsk, InquiryAdded, PartAsked
from shared.contracts.resident_inputs import (
    HallReported,
    InquiryLinkRequested,
    InquiryRated,
    InquiryReceived,
    InquiryWithdrawn,
)

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
BEFORE_ANSWER: tuple[Status, ...] = tuple(one for one in KNOWN if one not in ("answered", "closed"))
CLOSABLE: tuple[Status, ...] = ("triage", "answered")
NOT_TRIAGE: tuple[Status, ...] = tuple(one for one in KNOWN if one != "triage")
AWAITING: tuple[Status, ...] = ("awaiting-release",)
ANSWERED: tuple[Status, ...] = ("answered",)
MAY_AWAIT: tuple[Status, ...] = (*AWAITING, *ANSWERED)
"""In an answered case, a correction may wait for its release."""
REFUSABLE: tuple[Status, ...] = ("registered", "triage", "assigned", "awaiting-resident")
BEFORE_RELEASE: tuple[Status, ...] = ("in-progress", *AWAITING)
ANSWERED_OR_BEYOND: tuple[Status, ...] = ("answered", *AWAITING, "triage")
"""An answered case waits for the release of an addendum, or for the settlement of a late part, in the other two."""
RATEABLE: tuple[Status, ...] = (*ANSWERED_OR_BEYOND, "closed")
CLOSED: tuple[Status, ...] = ("closed",)
NOT_CLOSED: tuple[Status, ...] = tuple(one for one in KNOWN if one not in CLOSED)
GOING_AHEAD: tuple[Status, ...] = tuple(one for one in NOT_CLOSED if one not in ANSWERED_OR_BEYOND)
ASKABLE: tuple[Status, ...] = ("registered", "triage", "assigned", "in-progress", "awaiting-resident", "reopened")
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
TRIAGE_FIRST = Refuse(
    "in-triage",
    "The inquiry {inquiry_id!r} is in triage, so its reply cannot go ahead.",
    "Settle first what `chorus triage list` shows.",
)
NOTHING_MISSING = Refuse(
    "nothing-missing", "The joint reply of {inquiry_id!r} waits for no part.", "No action is needed."
)
UNKNOWN_PART = Refuse(
    "unknown-part",
    "The inquiry {inquiry_id!r} has no part {part_id!r}.",
    "Use the id of a part that `chorus case show` lists.",
)
CASE_CLOSED = Refuse(
    "case-closed",
    "The inquiry {inquiry_id!r} is closed.",
    "Send the contribution if the inquiry can be answered; otherwise wait for part.resumed.",
)
NOTHING_TO_ASK = Refuse(
    "nothing-to-ask",
    "The inquiry {inquiry_id!r} is {state}; nobody needs an answer of the resident now.",
    "Ask while a department works on the inquiry, or triage does.",
)
NOT_CLOSABLE = Refuse(
    "not-closable",
    "The inquiry {inquiry_id!r} is {state}, so it cannot be closed with a final answer.",
    "Close an inquiry that is answered, or that was reopened for the last time and is in triage.",
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
    # A case that was reopened before it ended may have an earlier reply in the hall.
    CasePublish.type: publish,
    CaseHide.type: hide,
    CaseRedact.type: redact,
    HallReported.type: report,
}
"""The inputs that a withdrawn or refused case takes, or refuses for another reason than its end."""


TABLE: tuple[Transition, ...] = (
    Transition(InquiryReceived.type, UNKNOWN, NO_PART, receive),
    Transition(InquiryReceived.type, KNOWN, NO_PART, RECEIVED),
    Transition(InquiryRated.type, RATEABLE, NO_PART, rate),
    Transition(InquiryRated.type, [one for one in KNOWN if one not in RATEABLE], NO_PART, NOT_ANSWERED),
    Transition(InquiryLinkRequested.type, KNOWN, NO_PART, request_link),
    Transition(TimerRang.type, KNOWN, NO_PART, ring),
    Transition(InquiryAdded.type, KNOWN, NO_PART, add),
    Transition(PartAccepted.type, NOT_CLOSED, ("offered",), accept),
    Transition(PartAccepted.type, KNOWN, ("accepted", *OVER), NOT_OFFERED),
    Transition(PartContributed.type, KNOWN, OPEN, contribute),
    Transition(PartReplied.type, NOT_CLOSED, OPEN, reply),
    Transition(PartReturned.type, NOT_CLOSED, OPEN, give_back),
    Transition(PartAsked.type, NOT_CLOSED, OPEN, ask),
    Transition(PartExtensionAsked.type, NOT_CLOSED, OPEN, ask_extension),
    Transition(PartDelegated.type, NOT_CLOSED, OPEN, delegate),
    Transition(PartAccepted.type, CLOSED, ("offered",), CASE_CLOSED),
    *(
        Transition(one.type, CLOSED, OPEN, CASE_CLOSED)
        for one in (PartReplied, PartReturned, PartAsked, PartExtensionAsked, PartDelegated)
    ),
    Transition(PartContributed.type, NOT_CLOSED, ("contributed",), contribute_again),
    Transition(PartContributed.type, CLOSED, ("contributed",), NOT_OPEN),
    Transition(PartContributed.type, KNOWN, ("returned", "withdrawn"), NOT_OPEN),
    *(
        Transition(one.type, KNOWN, OVER, NOT_OPEN)
        for one in (
            PartReplied,
            PartReturned,
            PartAsked,
            PartExtensionAsked,
            PartDelegated,
            CaseExtend,
            CaseRefuseExtension,
        )
    ),
    *(
        Transition(one.type, KNOWN, NO_PART, NOT_YOURS)
        for one in (
            PartAccepted,
            PartContributed,
            PartReplied,
            PartReturned,
            PartAsked,
            PartExtensionAsked,
            PartDelegated,
        )
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
    Transition(CaseAsk.type, ASKABLE, NO_PART, ask_all),
    Transition(CaseAsk.type, [one for one in KNOWN if one not in ASKABLE], NO_PART, NOTHING_TO_ASK),
    Transition(CaseExtend.type, KNOWN, OPEN, extend),
    Transition(CaseRefuseExtension.type, KNOWN, OPEN, refuse_extension),
    *(Transition(one.type, KNOWN, NO_PART, UNKNOWN_PART) for one in (CaseExtend, CaseRefuseExtension)),
    Transition(CaseReplay.type, KNOWN, NO_PART, release),
    Transition(CaseApprove.type, MAY_AWAIT, NO_PART, approve),
    Transition(CaseRefuseRelease.type, MAY_AWAIT, NO_PART, refuse_release),
    *(
        Transition(kind.type, [one for one in KNOWN if one not in MAY_AWAIT], NO_PART, NOT_AWAITING)
        for kind in (CaseApprove, CaseRefuseRelease)
    ),
    Transition(ReplyEdit.type, BEFORE_RELEASE, NO_PART, edit_reply),
    Transition(ReplyEdit.type, [one for one in KNOWN if one not in BEFORE_RELEASE], NO_PART, NOT_AWAITING),
    Transition(ReplyGoAhead.type, GOING_AHEAD, NO_PART, go_ahead),
    Transition(ReplyGoAhead.type, ("answered", *AWAITING), NO_PART, NOTHING_MISSING),
    Transition(ReplyGoAhead.type, ("triage",), NO_PART, TRIAGE_FIRST),
    Transition(ReplyGoAhead.type, CLOSED, NO_PART, CASE_CLOSED),
    Transition(PartCorrected.type, ANSWERED_OR_BEYOND, ("contributed",), correct),
    Transition(
        PartCorrected.type, [one for one in KNOWN if one not in ANSWERED_OR_BEYOND], ("contributed",), NOT_RELEASED
    ),
    Transition(PartCorrected.type, KNOWN, (*OPEN, "returned", "withdrawn"), NOT_RELEASED),
    Transition(PartCorrected.type, KNOWN, NO_PART, NOT_YOURS),
    Transition(CaseRetract.type, ANSWERED_OR_BEYOND, NO_PART, retract),
    Transition(CaseRetract.type, [one for one in KNOWN if one not in ANSWERED_OR_BEYOND], NO_PART, NOTHING_RELEASED),
    Transition(CasePublish.type, KNOWN, NO_PART, publish),
    Transition(CaseHide.type, KNOWN, NO_PART, hide),
    Transition(CaseRedact.type, KNOWN, NO_PART, redact),
    Transition(HallReported.type, KNOWN, NO_PART, report),
    Transition(CaseClose.type, CLOSABLE, NO_PART, close),
    Transition(CaseClose.type, [one for one in KNOWN if one not in CLOSABLE], NO_PART, NOT_CLOSABLE),
    Transition(CaseRefuse.type, REFUSABLE, NO_PART, refuse),
    Transition(CaseRefuse.type, [one for one in KNOWN if one not in REFUSABLE], NO_PART, NOT_REFUSABLE),
    Transition(InquiryWithdrawn.type, BEFORE_ANSWER, NO_PART, withdraw),
    Transition(InquiryWithdrawn.type, ("answered", "closed"), NO_PART, ANSWERED_BEFORE),
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
