"""The messages that a department receives in its inbox."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import ConfigDict

from shared.contracts.delegated_parts import DelegatedPartContributed, DelegatedPartReturned
from shared.contracts.documented import Documented
from shared.contracts.envelope import PREFIX, Payload
from shared.contracts.extensions import PartExtended, PartExtensionRefused
from shared.contracts.fields import Contact, Due, Moment
from shared.contracts.questions import PartAdded, PartPaused, PartResumed


class ReturnedBefore(Documented):
    """Why another department, or this one earlier, returned its part of the inquiry."""

    model_config = ConfigDict(frozen=True)
    department: str
    """The code of the department that returned its part."""
    reason: str
    """Its reason, such as `not-ours`, as it wrote it."""
    words: str
    """Its explanation; empty when it gave none."""


class AddedBefore(Documented):
    """Words that the resident added before the department was offered its part."""

    model_config = ConfigDict(frozen=True)
    at: Moment
    """When the resident added them."""
    text: str
    """The resident's words, at most 5,000 characters."""


class RejectedAnswer(Documented):
    """The answer with which the resident was not content, and the rating."""

    model_config = ConfigDict(frozen=True)
    round: int
    """The round of the answer, counted from 1."""
    solved: bool
    """Whether the resident says that the problem is solved."""
    satisfied: Literal["yes", "mostly", "no"]
    """Whether the resident is satisfied."""
    words: str | None = None
    """What the resident wrote about it; absent when nothing."""
    answer: str | None = None
    """The whole joint reply of that round; absent when it has more than 20,000 characters."""


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
    parent: str | None = None
    """The id of the part of which this one is a piece. Absent unless the department above delegated it."""
    delegated_by: str | None = None
    """The code of the department above, which answers for the whole part. Absent unless it delegated this part."""
    instructions: str | None = None
    """What the department above wrote with it, at most 20,000 characters. Absent when it wrote nothing."""
    added: tuple[AddedBefore, ...] = ()
    """What the resident added to the inquiry before the offer, oldest first. Absent when nothing was added."""
    round: int = 1
    """The round of the inquiry, counted from 1; absent in the first one."""
    reopened: RejectedAnswer | None = None
    """Why the inquiry was reopened; absent in the first round."""


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
    """The part is withdrawn: the department has nothing more to do."""

    type: ClassVar[str] = PREFIX + "part.withdrawn"
    part_id: str
    """The id of the department's part of the inquiry, such as `20261122-E94NXPQX-p1`."""
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    why: str
    """The reason: of the operator, of the city's refusal, or of the resident who withdrew the inquiry."""


class PartClosed(Payload):
    """The inquiry is answered, closed or ended: the department has nothing more to do in this round."""

    type: ClassVar[str] = PREFIX + "part.closed"
    part_id: str
    """The id of the department's part of the inquiry, such as `20261122-E94NXPQX-p1`."""
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    round: int
    """The round of the answer that closed the part, counted from 1."""
    reason: Literal["unanswered"] | None = None
    """`unanswered` when the inquiry is closed because the resident did not answer a question; absent after an answer."""
    addendum: int | None = None
    """The number of the addendum with the department's contribution, counted from 1. Absent when the answer itself has it."""
    missing: tuple[str, ...] = ()
    """The codes of the departments without which the lead went ahead. The resident does not see them. Absent when none."""


class PartOmitted(Payload):
    """The lead goes ahead without the department's part, because it is late. The part stays open.

    The department's contribution joins the reply until its release, and is sent as an addendum after it.
    """

    type: ClassVar[str] = PREFIX + "part.omitted"
    part_id: str
    """The id of the department's part of the inquiry, such as `20261122-E94NXPQX-p1`."""
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    lead: str
    """The code of the department that leads."""


class PartRated(Payload):
    """The resident has rated the answer in which the department has a part."""

    type: ClassVar[str] = PREFIX + "part.rated"
    part_id: str
    """The id of the department's part in the rated answer, such as `20261122-E94NXPQX-p1`."""
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    round: int
    """The round of the answer, counted from 1."""
    solved: bool
    """Whether the resident says that the problem is solved."""
    satisfied: Literal["yes", "mostly", "no"]
    """Whether the resident is satisfied."""
    words: str | None = None
    """What the resident wrote about it; absent when nothing."""


class PartErased(Payload):
    """The inquiry is erased. The department must delete its copies of the message, of the contact and of its own texts."""

    type: ClassVar[str] = PREFIX + "part.erased"
    part_id: str
    """The id of the department's part of the inquiry, such as `20261122-E94NXPQX-p1`; also of a part that it returned."""
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""


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
    """To the lead: a version of the joint reply, or of an addendum to it, waits for its release."""

    type: ClassVar[str] = PREFIX + "reply.draft"
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    reply_id: str
    """The id of the joint reply, such as `20261122-E94NXPQX-r1`; of an addendum, such as `20261122-E94NXPQX-r1-a1`."""
    version: int
    """The version of the text with this id, counted from 1."""
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
    addendum: int | None = None
    """The number of the addendum, counted from 1; absent for the reply itself."""
    missing: tuple[str, ...] = ()
    """The codes of the departments without which the lead went ahead. The resident does not see them. Absent when none."""


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


class ReplyCorrected(Payload):
    """To every department in the reply: the text of one part is corrected, and the resident has the new one."""

    type: ClassVar[str] = PREFIX + "reply.corrected"
    part_id: str
    """The id of the corrected part, such as `20261122-E94NXPQX-p1`."""
    department: str
    """The code of the department whose part it is."""
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    reply_id: str
    """The id of the joint reply, such as `20261122-E94NXPQX-r1`."""
    version: int
    """The version of the reply that has the new text."""
    text: str
    """The new text of the part, unchanged."""


class ReplyRetracted(Payload):
    """To every department in the reply: one part no longer holds, and the resident has been told."""

    type: ClassVar[str] = PREFIX + "reply.retracted"
    part_id: str
    """The id of the part that no longer holds, such as `20261122-E94NXPQX-p1`."""
    department: str
    """The code of the department whose part it is."""
    inquiry_id: str
    """The ticket number of the inquiry, such as `20261122-E94NXPQX`."""
    reply_id: str
    """The id of the joint reply, such as `20261122-E94NXPQX-r1`."""
    version: int
    """The released version of the reply."""
    words: str
    """The reason."""


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
    for model in (
        PartOffered,
        PartChanged,
        PartWithdrawn,
        PartClosed,
        PartOmitted,
        DelegatedPartContributed,
        DelegatedPartReturned,
        PartPaused,
        PartResumed,
        PartAdded,
        PartExtended,
        PartExtensionRefused,
        ReplyDraft,
        ReplyRefused,
        ReplyCorrected,
        ReplyRetracted,
        PartRated,
        PartErased,
        MessageRefused,
    )
}
