"""The messages that a department receives in its inbox."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import ConfigDict

from shared.contracts.documented import Documented
from shared.contracts.envelope import PREFIX, Payload
from shared.contracts.fields import Contact, Moment


class Due(Documented):
    """The due time of each clock of a part."""

    model_config = ConfigDict(frozen=True)
    accept: Moment
    """When the department must have accepted the part."""
    first_reply: Moment
    """When the resident must have received a first reply: an interim one or the answer."""
    resolve: Moment
    """When the department must have sent its final contribution."""


class ReturnedBefore(Documented):
    """Why another department, or this one earlier, returned its part of the inquiry."""

    model_config = ConfigDict(frozen=True)
    department: str
    """The code of the department that returned its part."""
    reason: str
    """Its reason, such as `not-ours`, as it wrote it."""
    words: str
    """Its explanation; empty when it gave none."""


class PartOffered(Payload):
    """Everything that a department needs to work on its part."""

    type: ClassVar[str] = PREFIX + "part.offered"
    part_id: str
    """The id of the department's part of the inquiry, such as `20261122-E94NXPQX-p1`."""
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    role: Literal["lead", "co-handler"]
    """Whether the department leads: `lead` or `co-handler`."""
    lead: str
    """The code of the department that leads."""
    co_handlers: tuple[str, ...]
    """The codes of the other departments that have a part."""
    subject: str
    """The resident's subject line, at most 200 characters."""
    body: str
    """The resident's message, at most 20,000 characters."""
    area: str | None
    """The area as the resident wrote it; null when not given."""
    channel: str
    """How the message came in, such as `web`, `hotline` or `microblog`."""
    received_at: Moment
    """When intake received the message."""
    contact: Contact | None = None
    """How to reach the resident. Null or absent when no contact was given or the message is confidential."""
    due: Due
    """The due times of the part's clocks."""
    why: str
    """The reason for the assignment, in Chinese and English."""
    policy_id: str
    """The policy that the due times follow."""
    returned: tuple[ReturnedBefore, ...] = ()
    """The returns of this inquiry before the offer, oldest part first. Absent when nobody has returned a part."""
    provisional: tuple[Literal["accept", "first_reply", "resolve"], ...] = ()
    """The clocks whose due time may still move, because the public holidays before it are not announced yet. Absent when
    all due times are final."""
    return_until: Moment | None = None
    """Until when the department may return the part. Absent when the policy sets no time."""
    binding: bool = False
    """Whether the department cannot return the part, because it settles a dispute. Absent when it can."""
    files: tuple[str, ...] = ()
    """The ids of the files that the resident sent with the message; the desk has their names and links. Absent when there
    are none."""


class PartChanged(Payload):
    """The department keeps its part, but the lead or the co-handlers have changed."""

    type: ClassVar[str] = PREFIX + "part.changed"
    part_id: str
    """The id of the department's part of the inquiry, such as `20261122-E94NXPQX-p1`."""
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    role: Literal["lead", "co-handler"]
    """The department's role from now on: `lead` or `co-handler`."""
    lead: str
    """The code of the department that leads from now on."""
    co_handlers: tuple[str, ...]
    """The codes of the other departments that have a part from now on."""
    why: str
    """The reason, in Chinese and English."""
    binding: bool = False
    """Whether the department can no longer return the part, because it settles a dispute. Absent when nothing changed."""


class PartWithdrawn(Payload):
    """An operator withdrew the part: the department has nothing more to do."""

    type: ClassVar[str] = PREFIX + "part.withdrawn"
    part_id: str
    """The id of the department's part of the inquiry, such as `20261122-E94NXPQX-p1`."""
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    why: str
    """The operator's reason."""


class PartClosed(Payload):
    """The inquiry is answered: the department has nothing more to do in this round."""

    type: ClassVar[str] = PREFIX + "part.closed"
    part_id: str
    """The id of the department's part of the inquiry, such as `20261122-E94NXPQX-p1`."""
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    round: int
    """The round of the answer that closed the part, counted from 1."""


class DraftParagraph(Documented):
    """One department's paragraph of a joint reply that is not released yet."""

    model_config = ConfigDict(frozen=True)
    part_id: str
    """The id of the part, such as `20261122-E94NXPQX-p1`."""
    department: str
    """The code of the department that wrote the paragraph."""
    name: str
    """The name of the department, in the language of the inquiry."""
    text: str
    """The department's contribution, unchanged."""


class ReplyDraft(Payload):
    """To the lead: a version of the joint reply waits for its release."""

    type: ClassVar[str] = PREFIX + "reply.draft"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    reply_id: str
    """The id of the joint reply, such as `20261122-E94NXPQX-r1`."""
    version: int
    """The version of the reply, counted from 1 in each round."""
    sha256: str
    """The SHA-256 of the UTF-8 text, 64 hexadecimal digits; an approval names it."""
    text: str
    """The whole reply, exactly as it will be released."""
    paragraphs: tuple[DraftParagraph, ...]
    """One paragraph for each part, in the order of the reply."""
    opening: str | None = None
    """The lead's text before the first paragraph; absent when there is none."""
    closing: str | None = None
    """The lead's text after the last paragraph; absent when there is none."""


class ReplyRefused(Payload):
    """The joint reply is not released: the department must write its part again."""

    type: ClassVar[str] = PREFIX + "reply.refused"
    part_id: str
    """The id of the department's part of the inquiry, such as `20261122-E94NXPQX-p1`."""
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    reply_id: str
    """The id of the joint reply, such as `20261122-E94NXPQX-r1`."""
    version: int
    """The version of the reply that was refused."""
    words: str
    """What must change."""


class MessageRefused(Payload):
    """Chorus refused a message from the department's outbox."""

    type: ClassVar[str] = PREFIX + "message.refused"
    cause: str
    """The `ce_id` of the refused message; if it has none, `<topic>-<partition>-<offset>` of its record."""
    reason: str
    """Why the message was refused, one sentence."""
    remedy: str
    """What the department can write instead, one sentence."""


INBOX: Mapping[str, type[Payload]] = {
    model.type: model
    for model in (PartOffered, PartChanged, PartWithdrawn, PartClosed, ReplyDraft, ReplyRefused, MessageRefused)
}
