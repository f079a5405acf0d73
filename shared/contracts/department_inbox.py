"""What a department receives in its inbox."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from shared.contracts.envelope import PREFIX, Payload
from shared.contracts.fields import Contact, Moment


class Due(BaseModel):
    """When each clock of a part runs out."""

    model_config = ConfigDict(frozen=True)
    accept: Moment
    first_reply: Moment
    resolve: Moment


class PartOffered(Payload):
    """Everything a department needs to work on its part, self-contained."""

    type: ClassVar[str] = PREFIX + "part.offered"
    part_id: str
    inquiry_id: str
    role: Literal["lead", "co-handler"]
    lead: str
    co_handlers: tuple[str, ...]
    subject: str
    body: str
    area: str | None
    channel: str
    received_at: Moment
    contact: Contact | None = None
    due: Due
    why: str
    policy_id: str


class PartChanged(Payload):
    """The part is still this department's; who leads, or who else handles it, has changed."""

    type: ClassVar[str] = PREFIX + "part.changed"
    part_id: str
    inquiry_id: str
    role: Literal["lead", "co-handler"]
    lead: str
    co_handlers: tuple[str, ...]
    why: str


class PartWithdrawn(Payload):
    """The part is taken away; nothing is owed any more."""

    type: ClassVar[str] = PREFIX + "part.withdrawn"
    part_id: str
    inquiry_id: str
    why: str


class PartClosed(Payload):
    """The inquiry is answered: nothing more is owed for this round."""

    type: ClassVar[str] = PREFIX + "part.closed"
    part_id: str
    inquiry_id: str
    round: int


class MessageRefused(Payload):
    """A department's message that could not be taken: which, why, and what would be right."""

    type: ClassVar[str] = PREFIX + "message.refused"
    cause: str
    reason: str
    remedy: str


INBOX: Mapping[str, type[Payload]] = {
    model.type: model for model in (PartOffered, PartChanged, PartWithdrawn, PartClosed, MessageRefused)
}
