"""Inputs: the messages of residents, departments, staff and timers that may change a case."""

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import model_validator

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
    OutboxMessage,
    PartAccepted,
    PartContributed,
    PartCorrected,
    PartDelegated,
    PartReplied,
    PartReturned,
    ReplyEdit,
    ReplyGoAhead,
)
from shared.contracts.envelope import PREFIX, Payload
from shared.contracts.extensions import CaseExtend, CaseRefuseExtension, PartExtensionAsked
from shared.contracts.fields import Moment
from shared.contracts.questions import CaseAsk, InquiryAdded, PartAsked
from shared.contracts.resident_inputs import (
    HallReported,
    InquiryLinkRequested,
    InquiryRated,
    InquiryReceived,
    InquiryWithdrawn,
)


class TimerRang(Payload):
    """A time of the case has come: a clock is due soon or past its due time, an arbitration has no result, or a resident
    has not answered a question."""

    type: ClassVar[str] = PREFIX + "timer.rang"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    kind: Literal["due-soon", "overdue", "return-arbitration", "asking-reminder", "asking-close", "rating-reminder"]
    """`due-soon` is a reminder before a due time, `overdue` rings at it; `return-arbitration` ends an arbitration;
    `asking-reminder` reminds the resident of a question, `asking-close` closes the inquiry without an answer;
    `rating-reminder` reminds the resident to rate the answer."""
    part_id: str | None = None
    """The id of the part whose clock it is, such as `20261122-E94NXPQX-p1`; null for a time of the inquiry."""
    clock: Literal["accept", "first_reply", "resolve"] | None = None
    """The clock of the part; null for a question, and for a time of the inquiry."""
    due_at: Moment
    """The due time when the timer was set. If the due time has moved since, the timer has no effect."""
    gate_behind: bool = False
    """Whether the router went on without knowing all that the departments of the case sent before the timer rang."""

    @model_validator(mode="after")
    def _about_a_clock(self) -> Self:
        if self.kind in ("due-soon", "overdue") and (self.part_id is None or self.clock is None):
            raise ValueError(f"a timer of the kind {self.kind!r} needs part_id and clock")
        return self


DESK_COMMANDS: Mapping[str, type[Payload]] = {
    "accept": PartAccepted,
    "approve": CaseApprove,
    "arbitrate": CaseArbitrate,
    "ask": PartAsked,
    "ask-extension": PartExtensionAsked,
    "assign": CaseAssign,
    "assign-first-receiver": CaseAssignFirstReceiver,
    "close": CaseClose,
    "contribute": PartContributed,
    "correct": PartCorrected,
    "delegate": PartDelegated,
    "edit-reply": ReplyEdit,
    "erase": CaseErase,
    "extend": CaseExtend,
    "go-ahead": ReplyGoAhead,
    "hide": CaseHide,
    "link": CaseLink,
    "publish": CasePublish,
    "reassign": CaseReassign,
    "redact": CaseRedact,
    "refuse": CaseRefuse,
    "refuse-extension": CaseRefuseExtension,
    "refuse-release": CaseRefuseRelease,
    "replay": CaseReplay,
    "reply": PartReplied,
    "retract": CaseRetract,
    "return": PartReturned,
    "withdraw-part": CaseWithdrawPart,
}
"""The input of each command at the desk. A department's user sends the inputs that its outbox would make."""
WHOLE_CASE_COMMANDS: Mapping[str, type[Payload]] = {"ask": CaseAsk}
"""The input of such a command from a user without a department: it concerns the whole case instead of a part."""
DEPARTMENT_MESSAGES: Mapping[str, type[OutboxMessage]] = {
    model.type: model
    for model in (
        PartAccepted,
        PartContributed,
        PartReplied,
        PartReturned,
        PartDelegated,
        PartCorrected,
        PartAsked,
        PartExtensionAsked,
        ReplyEdit,
        ReplyGoAhead,
    )
}
LEDGER_MESSAGES: tuple[type[Payload], ...] = (
    InquiryReceived,
    InquiryRated,
    InquiryLinkRequested,
    HallReported,
    InquiryAdded,
    InquiryWithdrawn,
    CaseAssign,
    CaseWithdrawPart,
    CaseRecallPart,
    CaseReassign,
    CaseArbitrate,
    CaseAssignFirstReceiver,
    CaseReplay,
    CaseApprove,
    CaseRefuseRelease,
    CaseRetract,
    CasePublish,
    CaseHide,
    CaseRedact,
    CaseAsk,
    CaseExtend,
    CaseRefuseExtension,
    CaseClose,
    CaseRefuse,
    CaseLink,
    CaseErase,
)
ALL_MESSAGES: tuple[type[Payload], ...] = (*LEDGER_MESSAGES, *DEPARTMENT_MESSAGES.values(), TimerRang)
INPUTS: Mapping[str, type[Payload]] = {model.type: model for model in ALL_MESSAGES}
