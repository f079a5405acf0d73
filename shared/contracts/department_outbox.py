"""The messages that departments write to their outboxes, and that their staff send at the desk."""

from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, ConfigDict, Field, field_validator, model_validator

from shared.contracts.documented import Documented
from shared.contracts.envelope import PREFIX, Payload
from shared.contracts.fields import Moment, blank_is_none, has_words, no_nul
from shared.contracts.limits import DEPARTMENTS_MAX, FRAME_MAX, PERSON_MAX, TEXT_MAX

OfficeCode = Annotated[str, Field(min_length=1, max_length=31), AfterValidator(no_nul)]


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


class PartCorrected(PartMessage):
    """A new text for the department's share of a reply that the resident has received."""

    type: ClassVar[str] = PREFIX + "part.corrected"
    text: str = Field(min_length=1, max_length=TEXT_MAX)
    """The whole corrected paragraph, 1 to 20,000 characters, released unchanged. The former one stays visible."""

    _words = field_validator("text")(has_words("write the corrected share of the answer"))


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


class PartDelegated(PartMessage):
    """The department passes its part, or pieces of it, to departments below it, and stays responsible for the answer."""

    type: ClassVar[str] = PREFIX + "part.delegated"
    to: Annotated[tuple[OfficeCode, ...], Field(min_length=1, max_length=DEPARTMENTS_MAX)]
    """The codes of active departments whose `parent` in the directory is this department, 1 to 20."""
    text: str | None = Field(None, max_length=TEXT_MAX)
    """What they are to do, at most 20,000 characters; only these departments and the desk read it. Null when not given."""

    _no_nul_in_delegation = field_validator("text")(no_nul)
    _blank_text = field_validator("text", mode="before")(blank_is_none)


class ReplyGoAhead(Payload):
    """The lead goes ahead with the joint reply without co-handlers that are late, if the policy allows it."""

    type: ClassVar[str] = PREFIX + "reply.go-ahead"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    by: str | None = Field(None, max_length=PERSON_MAX)
    """Who wrote the message at the department, at most 100 characters. The resident does not see it. Null when not
    given."""

    _no_nul = field_validator("inquiry_id", "by")(no_nul)


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


OutboxMessage = PartMessage | ReplyEdit | ReplyGoAhead
"""What a department may send: about its part, or as the lead about the joint reply."""
