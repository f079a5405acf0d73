"""A delivery: one mail and its state."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Kind = Literal["resident", "department"]
State = Literal["waiting", "retrying", "sent", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One mail. `id` is the id of the event that caused it, so a repeat has the same one.

    A mail is cancelled when its inquiry is erased before the mail is sent. When it is sent, failed or cancelled, `subject`,
    `text` and `due_at` are None; an erasure also deletes `to` and `error`. During a lease `due_at` is the end of the lease
    and `claim` its token.
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
