"""The messages to a resident, each with the state of the case at that time."""

import operator
from typing import ClassVar, Literal

from pydantic import ConfigDict, Field

from shared.contracts.documented import Documented
from shared.contracts.envelope import PREFIX, Payload
from shared.contracts.fields import Contact, Moment

ERASED = "erased"
"""The `what` of the message by which each service learns that it must erase the inquiry, up to that decision."""


class Paragraph(Documented):
    """One department's paragraph of a joint reply."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    department: str
    """The department's code."""
    name: str
    """The department's name, in the language of the inquiry."""
    text: str
    """The department's contribution, unchanged."""
    retracted: bool = Field(False, exclude_if=operator.not_)
    """Whether the text no longer holds; absent otherwise. `changes` of the reply has the reason."""


class ReplyChange(Documented):
    """A correction or a retraction of a released reply."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    what: Literal["corrected", "retracted"]
    """`corrected` or `retracted`."""
    at: Moment
    """When it was recorded."""
    department: str
    """The code of the department whose paragraph changed."""
    name: str
    """The department's name, in the language of the inquiry."""
    text: str
    """The former text of a corrected paragraph, or the reason of a retraction."""
    by_city: bool = Field(False, exclude_if=operator.not_)
    """Whether a coordinator of the city corrected it, and not the department itself; absent otherwise."""


class ReplyAddendum(Documented):
    """Contributions that came after the joint reply was released."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    at: Moment
    """When the addendum was released."""
    paragraphs: tuple[Paragraph, ...]
    """One paragraph for each department."""
    opening: str | None = None
    """The lead's text before the first paragraph; null or absent when there is none."""
    closing: str | None = None
    """The lead's text after the last paragraph; null or absent when there is none."""


class Reply(Documented):
    """A joint reply."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    text: str
    """The whole joint reply."""
    paragraphs: tuple[Paragraph, ...]
    """One paragraph for each department, in the lead's order or the lead first."""
    opening: str | None = None
    """The lead's text before the first paragraph; null or absent when there is none."""
    closing: str | None = None
    """The lead's text after the last paragraph; null or absent when there is none."""
    at: Moment | None = None
    """When the reply was released; null or absent when it has no addenda."""
    addenda: tuple[ReplyAddendum, ...] = ()
    """The addenda to the reply, oldest first; empty or absent when there are none."""
    changes: tuple[ReplyChange, ...] = Field((), exclude_if=operator.not_)
    """The corrections and retractions since the release, oldest first; absent when there are none."""


class Handler(Documented):
    """A department that handles the inquiry, as the resident may see it."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    code: str
    """The department's code."""
    name: str
    """The department's name, in the language of the inquiry."""
    role: str
    """Whether the department leads: `lead` or `co-handler`."""
    state: str
    """The state of the department's part: `offered`, `accepted`, `contributed`, `returned` or `withdrawn`."""
    due_at: Moment | None = None
    """When the department must have answered; null when there is no due time, and while it waits for the resident."""


class OpenQuestion(Documented):
    """A question that waits for the resident's answer."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    name: str
    """The name of the department that asks, or `Our staff`, in the language of the inquiry."""
    text: str
    """The question."""
    close_at: Moment
    """When the inquiry is closed if the resident has not answered."""


class Picture(Documented):
    """Everything that the resident may see of a case, after one decision."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    state: str
    """The state of the inquiry, such as `triage`, `in-progress` or `answered`."""
    round: int
    """The current round, counted from 1."""
    subject: str
    """The resident's subject line."""
    language: Literal["zh", "en"]
    """The language of the inquiry."""
    departments: tuple[Handler, ...]
    """The departments that have a part; once the reply is released, those in it and in its addenda."""
    reply: Reply | None = None
    """The joint reply; null before it is released."""
    questions: tuple[OpenQuestion, ...] = ()
    """The questions that wait for the resident; absent when there are none."""
    body: str | None = None
    """The resident's message; null or absent except in a message that contains the answer or a change
    of it."""


class HallChange(Documented):
    """A decision about what the hall shows of an inquiry. `what` of the message says which: `published`, `hidden`, `redacted`."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    sha256: str | None = None
    """The SHA-256 of the masked version; null for the version that is masked of this decision's reply, and for a hidden
    inquiry of which no version was read."""
    find: str | None = None
    """The words to hide in that version; null unless it is redacted."""


class ResidentTold(Payload):
    """A message to a resident: what happened, the sentence, and the state of the case."""

    type: ClassVar[str] = PREFIX + "resident.told"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    what: str
    """The event: `registered`, `triage`, `assigned`, `progressed`, `replied`, `asked`, `reminded`, `extended`, `answered`,
    `supplemented`, `rating-reminder`, `corrected`, `retracted`, `published`, `hidden`, `redacted`, `closed`, `reopened`,
    `refused`, `withdrawn`, `erased` or `link`."""
    text: str
    """The sentence for the resident, in the language of the inquiry; empty when the inquiry is erased."""
    contact: Contact | None = None
    """How to reach the resident; null when not given."""
    public: bool = False
    """Whether the hall may show the inquiry and its answer."""
    case: Picture
    """The inquiry as the resident may see it after this message."""
    hall: HallChange | None = None
    """What the hall shows from now on; absent unless this is decided."""
