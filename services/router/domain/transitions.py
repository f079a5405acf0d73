"""Which rule decides each type of input."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.decision import Input
from services.router.domain.rules.assignment import assign_by_hand, receive
from services.router.domain.rules.contributions import accept, contribute, reply
from services.router.domain.rules.parking import release
from services.router.domain.rules.preconditions import Facts
from services.router.domain.rules.ratings import rate
from services.router.domain.rules.returns import give_back, recall_part, withdraw_part
from shared.contracts.inputs import (
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

TRANSITIONS: Mapping[str, Callable[[Case, Input, CityIndex], Facts]] = {
    InquiryReceived.type: receive,
    InquiryRated.type: rate,
    PartAccepted.type: accept,
    PartContributed.type: contribute,
    PartReplied.type: reply,
    PartReturned.type: give_back,
    CaseAssign.type: assign_by_hand,
    CaseWithdrawPart.type: withdraw_part,
    CaseRecallPart.type: recall_part,
    CaseReplay.type: release,
}
