"""Inputs: the messages of residents, departments and operators that may change a case."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, field_validator, model_validator

from shared.contracts.documented import Documented
from shared.contracts.envelope import PREFIX, Payload
from shared.contracts.fields import Contact, Moment, blank_is_none, has_words, no_nul
from shared.contracts.limits import DEPARTMENTS_MAX, TEXT_MAX

PERSON_MAX = 100
Person = Annotated[str, Field(min_length=1, max_length=PERSON_MAX), AfterValidator(has_words("write a name"))]
"""The name of a person who acts at the desk: words, which an erasure deletes."""


class InquiryReceived(Payload):
    """A resident's message, as intake stored it in its ledger."""

    type: ClassVar[str] = PREFIX + "inquiry.received"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    subject: str
    """The resident's subject line, at most 200 characters."""
    body: str
    """The resident's message, at most 20,000 characters."""
    channel: str = "web"
    """How the message came in, such as `web`, `hotline` or `microblog`."""
    area: str | None = None
    """The area as the resident wrote it; null when not given."""
    contact: Contact | None = None
    """How to reach the resident; null when not given."""
    departments: tuple[str, ...] = ()
    """The codes of the departments that the resident chose, the lead first; empty when the rules choose."""
    public: bool = False
    """Whether the resident agrees to publish the message and its answer."""
    confidential: bool = False
    """Whether the departments must not see the contact."""
    language: Literal["zh", "en"] = "zh"
    """The language of the resident's mails and pages."""
    received_at: Moment
    """When intake received the message."""


class InquiryRated(Payload):
    """The resident's rating of the answer of one round."""

    type: ClassVar[str] = PREFIX + "inquiry.rated"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    round: int = Field(ge=1)
    """The round of the answer, counted from 1."""
    solved: bool
    """Whether the problem is solved."""
    satisfied: Literal["yes", "mostly", "no"]
    """Whether the resident is satisfied: `yes`, `mostly` or `no`."""
    words: str | None = Field(None, max_length=TEXT_MAX)
    """The resident's comment, at most 20,000 characters; null when not given."""


class InquiryLinkRequested(Payload):
    """Somebody who knows the ticket number asks for the link to the ticket; it goes to the contact on file."""

    type: ClassVar[str] = PREFIX + "inquiry.link-requested"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""


class TimerRang(Payload):
    """A time of the case has come: a clock is due soon or its due time has passed, or an arbitration has no result."""

    type: ClassVar[str] = PREFIX + "timer.rang"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    kind: Literal["due-soon", "overdue", "return-arbitration"]
    """`due-soon` is a reminder before a due time, `overdue` rings at it; `return-arbitration` ends an arbitration."""
    part_id: str | None = None
    """The id of the part whose clock it is, such as `20261122-E94NXPQX-p1`; null for a time of the inquiry."""
    clock: Literal["accept", "first_reply", "resolve"] | None = None
    """The clock of the part; null for a time of the inquiry."""
    due_at: Moment
    """The due time when the timer was set. If the due time has moved since, the timer has no effect."""
    gate_behind: bool = False
    """Whether the router went on without knowing all that the departments of the case sent before the timer rang."""

    @model_validator(mode="after")
    def _about_a_clock(self) -> Self:
        if self.kind in ("due-soon", "overdue") and (self.part_id is None or self.clock is None):
            raise ValueError(f"a timer of the kind {self.kind!r} needs part_id and clock")
        return self


class PartMessage(Payload):
    """The fields that every message in an outbox has."""

    part_id: str
    """The id of a part that the department was offered, such as `20261122-E94NXPQX-p1`."""
    by: str | None = Field(None, max_length=100)
    """Who wrote the message at the department, at most 100 characters. The resident does not see it. Null when not
    given."""

    _no_nul = field_validator("by")(no_nul)


class PartAccepted(PartMessage):
    """The department accepts its part."""

    type: ClassVar[str] = PREFIX + "part.accepted"


class Action(Documented):
    """Something that a department did while it worked on its part."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    kind: str = Field(max_length=100)
    """The kind of action: `visit`, `call` or `evidence`; any other, at most 100 characters, is published as `other`."""
    at: Moment
    """When the department did it: RFC 3339, with a time zone."""
    note: str | None = Field(None, max_length=2_000)
    """A note, at most 2,000 characters; null when not given."""

    _blank_note = field_validator("note", mode="before")(blank_is_none)


class PartContributed(PartMessage):
    """The department's contribution to the joint reply, or a draft of it (`final: false`)."""

    type: ClassVar[str] = PREFIX + "part.contributed"
    text: str = Field(min_length=1, max_length=TEXT_MAX)
    """The department's paragraph of the answer, 1 to 20,000 characters, released unchanged."""
    final: bool = True
    """False for a draft: the desk sees it, and the part stays open."""
    actions: tuple[Action, ...] = Field((), max_length=50)
    """What the department did for the inquiry, at most 50 actions."""

    _words = field_validator("text")(has_words("write the department's share of the answer"))


class PartReplied(PartMessage):
    """The department's interim reply to the resident."""

    type: ClassVar[str] = PREFIX + "part.replied"
    text: str = Field(min_length=1, max_length=TEXT_MAX)
    """The interim reply, 1 to 20,000 characters, sent to the resident unchanged."""

    _words = field_validator("text")(has_words("write the reply to the resident"))


class PartReturned(PartMessage):
    """The department returns its part, with a reason."""

    type: ClassVar[str] = PREFIX + "part.returned"
    reason: str = Field(min_length=1, max_length=64)
    """A reason of at most 64 characters: one of the policy's `returns.reasons`; any text when the policy has none. Events
    have `not-ours`, `wrong-area`, `incomplete`, `lacks-facts` and `duplicate` as they are, any other as `other`."""
    words: str = Field("", max_length=TEXT_MAX)
    """An explanation for the desk, at most 20,000 characters; required when the policy limits returns."""
    suggest: str | None = Field(None, max_length=31)
    """The code of the department that should have the part instead; null when not given."""

    # A validator of the same name would replace the one for `by`.
    _no_nul_in_return = field_validator("words", "suggest")(no_nul)
    _reason = field_validator("reason")(has_words("write the reason"))
    _blank_suggest = field_validator("suggest", mode="before")(blank_is_none)

    @field_validator("words", mode="before")
    @classmethod
    def _blank_is_empty(cls, given: Any) -> Any:
        return "" if isinstance(given, str) and blank_is_none(given) is None else given


class CaseAssign(Payload):
    """Assign an inquiry, or its returned parts, to departments."""

    type: ClassVar[str] = PREFIX + "case.assign"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    lead: str
    """The code of the department that leads."""
    co_handlers: Annotated[tuple[str, ...], Field(max_length=DEPARTMENTS_MAX - 1)] = ()
    """The codes of the other departments that have a part."""
    by: Person = "operator"
    """Who gave the command at the desk, 1 to 100 characters."""


class CaseWithdrawPart(Payload):
    """Withdraw a part: its department has nothing more to do."""

    type: ClassVar[str] = PREFIX + "case.withdraw-part"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    part_id: str
    """The id of the department's part of the inquiry, such as `20261122-E94NXPQX-p1`."""
    why: str = Field(min_length=1, max_length=2_000)
    """The reason, 1 to 2,000 characters; the department receives it."""
    by: Person = "operator"
    """Who gave the command at the desk, 1 to 100 characters."""

    _no_nul = field_validator("part_id")(no_nul)
    _words = field_validator("why")(has_words("write the reason"))


class CaseRecallPart(Payload):
    """Move a part back into triage because its department can no longer answer, for example because it is retired."""

    type: ClassVar[str] = PREFIX + "case.recall-part"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    part_id: str
    """The id of the department's part of the inquiry, such as `20261122-E94NXPQX-p1`."""
    reason: str = Field(pattern=r"^[a-z]+(-[a-z]+)*$", max_length=64)
    """A reason code, such as `department-retired`."""
    why: str = Field(min_length=1, max_length=3_000)
    """The reason, 1 to 3,000 characters; the department receives it."""
    by: Person = "operator"
    """Who gave the command at the desk, 1 to 100 characters."""

    _no_nul = field_validator("part_id")(no_nul)
    _words = field_validator("why")(has_words("write the reason"))


class CaseReassign(Payload):
    """Move an open part to another department, which gets clocks of its own."""

    type: ClassVar[str] = PREFIX + "case.reassign"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    part_id: str
    """The id of the part that moves, such as `20261122-E94NXPQX-p1`."""
    to: str
    """The code of the department that gets the part."""
    words: str = Field(min_length=1, max_length=2_000)
    """The reason, 1 to 2,000 characters; both departments receive it."""
    by: Person = "operator"
    """Who gave the command at the desk, 1 to 100 characters."""

    _no_nul = field_validator("part_id", "to")(no_nul)
    _words = field_validator("words")(has_words("write the reason"))


class CaseArbitrate(Payload):
    """Decide a dispute about returned parts: the named departments cannot return their part."""

    type: ClassVar[str] = PREFIX + "case.arbitrate"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    lead: str
    """The code of the department that leads."""
    co_handlers: Annotated[tuple[str, ...], Field(max_length=DEPARTMENTS_MAX - 1)] = ()
    """The codes of the other departments that have a part."""
    words: str | None = Field(None, max_length=2_000)
    """The reason, at most 2,000 characters; the departments receive it. Null when not given."""
    by: Person = "operator"
    """Who gave the command at the desk, 1 to 100 characters."""

    _no_nul = field_validator("words")(no_nul)
    _blank_words = field_validator("words", mode="before")(blank_is_none)


class CaseAssignFirstReceiver(Payload):
    """Give an inquiry that nobody arbitrated in time to the department that was assigned first (首接负责)."""

    type: ClassVar[str] = PREFIX + "case.assign-first-receiver"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    by: Person = "operator"
    """Who gave the command at the desk, 1 to 100 characters."""


class CaseReplay(Payload):
    """Handle the parked inputs of an inquiry in the order of the log, and accept later inputs again."""

    type: ClassVar[str] = PREFIX + "case.replay"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    by: Person = "operator"
    """Who gave the command at the desk, 1 to 100 characters."""


DESK_COMMANDS: Mapping[str, type[Payload]] = {
    "accept": PartAccepted,
    "arbitrate": CaseArbitrate,
    "assign": CaseAssign,
    "assign-first-receiver": CaseAssignFirstReceiver,
    "contribute": PartContributed,
    "reassign": CaseReassign,
    "replay": CaseReplay,
    "reply": PartReplied,
    "return": PartReturned,
    "withdraw-part": CaseWithdrawPart,
}
"""The input of each command at the desk. A department's user sends the inputs that its outbox would make."""
DEPARTMENT_MESSAGES: Mapping[str, type[PartMessage]] = {
    model.type: model for model in (PartAccepted, PartContributed, PartReplied, PartReturned)
}
LEDGER_MESSAGES: tuple[type[Payload], ...] = (
    InquiryReceived,
    InquiryRated,
    InquiryLinkRequested,
    CaseAssign,
    CaseWithdrawPart,
    CaseRecallPart,
    CaseReassign,
    CaseArbitrate,
    CaseAssignFirstReceiver,
    CaseReplay,
)
ALL_MESSAGES: tuple[type[Payload], ...] = (*LEDGER_MESSAGES, *DEPARTMENT_MESSAGES.values(), TimerRang)
INPUTS: Mapping[str, type[Payload]] = {model.type: model for model in ALL_MESSAGES}
