"""The messages of residents that intake accepted."""

from typing import ClassVar, Literal

from pydantic import Field, field_validator

from shared.contracts.envelope import PREFIX, Payload
from shared.contracts.fields import Contact, Moment, blank_is_none, no_nul
from shared.contracts.limits import REPORT_MAX, TEXT_MAX, WHY_MAX


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


class InquiryWithdrawn(Payload):
    """The resident withdraws the message: nobody needs to answer it any more."""

    type: ClassVar[str] = PREFIX + "inquiry.withdrawn"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    why: str | None = Field(None, max_length=WHY_MAX)
    """The resident's reason, at most 2,000 characters; the departments receive it. Null when not given."""

    _no_nul = field_validator("why")(no_nul)
    _blank_why = field_validator("why", mode="before")(blank_is_none)


class InquiryLinkRequested(Payload):
    """Somebody who knows the ticket number asks for the link to the ticket; it goes to the contact on file."""

    type: ClassVar[str] = PREFIX + "inquiry.link-requested"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""


class HallReported(Payload):
    """A reader reports an entry of the hall."""

    type: ClassVar[str] = PREFIX + "hall.reported"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    words: str | None = Field(None, max_length=REPORT_MAX)
    """What is wrong with the entry, at most 1,000 characters; null when not given."""
