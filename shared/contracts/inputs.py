"""Inputs: the messages of residents, departments and operators that may change a case."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, field_validator, model_validator

from shared.contracts.documented import Documented
from shared.contracts.envelope import PREFIX, Payload
from shared.contracts.fields import Contact, Moment, blank_is_none, has_words, no_nul
from shared.contracts.limits import DEPARTMENTS_MAX, FRAME_MAX, TEXT_MAX

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
    """A reason of at most 64 characters: `not-ours`, `wrong-area`, `incomplete`, `lacks-facts` or `duplicate`; any other is
    published as `other`."""
    words: str = Field("", max_length=TEXT_MAX)
    """An explanation for the desk, at most 20,000 characters."""
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


class CaseReplay(Payload):
    """Handle the parked inputs of an inquiry in the order of the log, and accept later inputs again."""

    type: ClassVar[str] = PREFIX + "case.replay"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    by: Person = "operator"
    """Who gave the command at the desk, 1 to 100 characters."""


class ReplyEdit(Payload):
    """The lead sets the opening, the closing or the order of a joint reply that is not released yet."""

    type: ClassVar[str] = PREFIX + "reply.edit"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    opening: str | None = Field(None, max_length=FRAME_MAX)
    """The text before the first paragraph, at most 1,000 characters. Empty for none; null to keep it as it is."""
    closing: str | None = Field(None, max_length=FRAME_MAX)
    """The text after the last paragraph, at most 1,000 characters. Empty for none; null to keep it as it is."""
    order: Annotated[tuple[str, ...] | None, Field(max_length=DEPARTMENTS_MAX)] = None
    """The codes of all departments of the reply, in the order of their paragraphs; null to keep the order."""
    by: str | None = Field(None, max_length=PERSON_MAX)
    """Who wrote the message at the department, at most 100 characters. The resident does not see it. Null when not
    given."""

    _no_nul = field_validator("inquiry_id", "opening", "closing", "by")(no_nul)

    @field_validator("opening", "closing", mode="before")
    @classmethod
    def _blank_is_empty(cls, given: Any) -> Any:
        return "" if isinstance(given, str) and blank_is_none(given) is None else given

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if self.opening is None and self.closing is None and self.order is None:
            raise ValueError("changes nothing; write opening, closing or order")
        return self


class CaseApprove(Payload):
    """Approve one exact version of a joint reply for its release."""

    type: ClassVar[str] = PREFIX + "case.approve"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    text_hash: str = Field(pattern=r"^[0-9a-f]{64}$")
    """The SHA-256 of the UTF-8 text of the reply, 64 hexadecimal digits in lower case."""
    by: Person = "operator"
    """Who gave the command at the desk, 1 to 100 characters."""


class CaseRefuseRelease(Payload):
    """Return a joint reply, or one part of it, to the departments instead of releasing it."""

    type: ClassVar[str] = PREFIX + "case.refuse-release"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    words: str = Field(min_length=1, max_length=2_000)
    """The reason, 1 to 2,000 characters; the departments receive it."""
    part_id: str | None = None
    """The id of the part that must be written again, such as `20261122-E94NXPQX-p1`; null for all parts of the reply."""
    by: Person = "operator"
    """Who gave the command at the desk, 1 to 100 characters."""

    _no_nul = field_validator("part_id")(no_nul)
    _words = field_validator("words")(has_words("write what must change"))


DEPARTMENT_MESSAGES: Mapping[str, type[PartMessage | ReplyEdit]] = {
    model.type: model for model in (PartAccepted, PartContributed, PartReplied, PartReturned, ReplyEdit)
}
LEDGER_MESSAGES: tuple[type[Payload], ...] = (
    InquiryReceived,
    InquiryRated,
    InquiryLinkRequested,
    CaseAssign,
    CaseWithdrawPart,
    CaseRecallPart,
    CaseReplay,
    CaseApprove,
    CaseRefuseRelease,
)
INPUTS: Mapping[str, type[Payload]] = {model.type: model for model in (*LEDGER_MESSAGES, *DEPARTMENT_MESSAGES.values())}
