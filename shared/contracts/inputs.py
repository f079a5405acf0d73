"""Inputs: what residents, departments and operators may send about a case."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from shared.contracts.envelope import PREFIX, Payload
from shared.contracts.fields import Contact, Moment, has_words, no_nul
from shared.contracts.limits import DEPARTMENTS_MAX, TEXT_MAX


class InquiryReceived(Payload):
    """A resident's message, as intake wrote it into its ledger."""

    type: ClassVar[str] = PREFIX + "inquiry.received"
    inquiry_id: str
    subject: str
    body: str
    channel: str = "web"
    area: str | None = None
    contact: Contact | None = None
    departments: tuple[str, ...] = ()
    public: bool = False
    confidential: bool = False
    language: Literal["zh", "en"] = "zh"
    received_at: Moment


class InquiryRated(Payload):
    """The resident's word on one round's answer."""

    type: ClassVar[str] = PREFIX + "inquiry.rated"
    inquiry_id: str
    round: int = Field(ge=1)
    solved: bool
    satisfied: Literal["yes", "mostly", "no"]
    words: str | None = Field(None, max_length=TEXT_MAX)


class PartMessage(Payload):
    """What every message in an outbox has: the part it speaks of and, if it likes, who wrote it."""

    part_id: str
    by: str | None = Field(None, max_length=100)

    _no_nul = field_validator("by")(no_nul)


class PartAccepted(PartMessage):
    """The department takes its part."""

    type: ClassVar[str] = PREFIX + "part.accepted"


class Action(BaseModel):
    """Something a department did on the way: kind, when, and a note."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    kind: str = Field(max_length=100)
    at: Moment
    note: str | None = Field(None, max_length=2_000)


class PartContributed(PartMessage):
    """The department's share of the answer; `final=false` is a draft that completes nothing."""

    type: ClassVar[str] = PREFIX + "part.contributed"
    text: str = Field(min_length=1, max_length=TEXT_MAX)
    final: bool = True
    actions: tuple[Action, ...] = Field((), max_length=50)

    _words = field_validator("text")(has_words("write the department's share of the answer"))


class PartReplied(PartMessage):
    """The department's interim word to the resident."""

    type: ClassVar[str] = PREFIX + "part.replied"
    text: str = Field(min_length=1, max_length=TEXT_MAX)

    _words = field_validator("text")(has_words("write the word to the resident"))


class PartReturned(PartMessage):
    """The department gives its part back, with a reason."""

    type: ClassVar[str] = PREFIX + "part.returned"
    reason: str = Field(min_length=1, max_length=64)
    words: str = Field("", max_length=TEXT_MAX)
    suggest: str | None = Field(None, max_length=31)

    # A validator of the same name would replace the one for `by`.
    _no_nul_in_return = field_validator("reason", "words", "suggest")(no_nul)


class CaseAssign(Payload):
    """Give the inquiry, or what came back of it, to departments."""

    type: ClassVar[str] = PREFIX + "case.assign"
    inquiry_id: str
    lead: str
    co_handlers: Annotated[tuple[str, ...], Field(max_length=DEPARTMENTS_MAX - 1)] = ()
    by: str = "operator"


class CaseWithdrawPart(Payload):
    """Take a part away: its department owes nothing any more."""

    type: ClassVar[str] = PREFIX + "case.withdraw-part"
    inquiry_id: str
    part_id: str
    why: str = Field(min_length=1, max_length=2_000)
    by: str = "operator"

    _no_nul = field_validator("part_id", "why")(no_nul)


class CaseRecallPart(Payload):
    """Take a part back into triage: its department can answer no more, so somebody else must; `reason` is a code."""

    type: ClassVar[str] = PREFIX + "case.recall-part"
    inquiry_id: str
    part_id: str
    reason: str = Field(pattern=r"^[a-z]+(-[a-z]+)*$", max_length=64)
    why: str = Field(min_length=1, max_length=3_000)
    by: str = "operator"

    _no_nul = field_validator("part_id", "why")(no_nul)


class CaseReplay(Payload):
    """Take what was parked of this inquiry, in the order of the log, and let its later inputs go on."""

    type: ClassVar[str] = PREFIX + "case.replay"
    inquiry_id: str
    by: str = "operator"


DEPARTMENT_MESSAGES: Mapping[str, type[PartMessage]] = {
    model.type: model for model in (PartAccepted, PartContributed, PartReplied, PartReturned)
}
LEDGER_MESSAGES: tuple[type[Payload], ...] = (
    InquiryReceived,
    InquiryRated,
    CaseAssign,
    CaseWithdrawPart,
    CaseRecallPart,
    CaseReplay,
)
INPUTS: Mapping[str, type[Payload]] = {model.type: model for model in (*LEDGER_MESSAGES, *DEPARTMENT_MESSAGES.values())}
