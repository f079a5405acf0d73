"""The messages to a resident, each with the state of the case at that time."""

from typing import ClassVar, Literal

from pydantic import ConfigDict, Field

from shared.contracts.documented import Documented
from shared.contracts.envelope import PREFIX, Payload
from shared.contracts.fields import Contact, Moment


class Paragraph(Documented):
    """One department's paragraph of a joint reply."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    department: str
    """The department's code."""
    name: str
    """The department's name, in the language of the inquiry."""
    text: str
    """The department's contribution, unchanged."""
    files: tuple[str, ...] = Field((), exclude_if=lambda files: not files)
    """The ids of the department's files; absent when there are none."""


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
    """When the department must have answered; null when there is no due time."""


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
    """The departments that have a part."""
    reply: Reply | None = None
    """The joint reply; null before it is released."""
    body: str | None = None
    """The resident's message; null or absent except in a message that contains the answer."""


class ResidentTold(Payload):
    """A message to a resident: what happened, the sentence, and the state of the case."""

    type: ClassVar[str] = PREFIX + "resident.told"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    what: str
    """The event: `registered`, `triage`, `assigned`, `progressed`, `replied`, `answered` or `link`."""
    text: str
    """The sentence for the resident, in the language of the inquiry."""
    contact: Contact | None = None
    """How to reach the resident; null when not given."""
    public: bool = False
    """Whether the hall may show the inquiry and its answer."""
    case: Picture
    """The inquiry as the resident may see it after this message."""
