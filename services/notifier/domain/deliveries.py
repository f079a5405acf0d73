"""A delivery: one mail, and what became of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Kind = Literal["resident", "department"]
State = Literal["waiting", "retrying", "sent", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """`id` is the id of the event behind the mail, for ever the same.

    `subject` and `text` are None once the mail is sent, has failed or is cancelled; `due_at` is None then too. A mail is
    cancelled when its inquiry is erased before it is sent; an erasure takes `to` and `error` too. While the delivery is
    claimed, `due_at` is when the claim ends and `claim` is its token.
    """

    id: str
    kind: Kind
    inquiry_id: str
    to: str | None
    subject: str | None
    text: str | None
    language: str
    state: State
    attempts: int
    noted_at: datetime
    due_at: datetime | None = None
    sent_at: datetime | None = None
    error: str | None = None
    claim: str | None = None
