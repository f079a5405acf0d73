"""A delivery: one piece of news for one recipient, and what became of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.notifier.domain.notices import Notice

State = Literal["waiting", "retrying", "sent", "failed", "stopped", "cancelled"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """A notice and its state.

    `stopped` means that its recipient wants no more mails about the inquiry, `cancelled` that the inquiry is erased. When
    it is sent, stopped or cancelled, the notice has no words and no address; when it is failed, it keeps them until
    `words_until`, so that operators can send it again. An erasure deletes them at once, and `error` too.
    `thread` is the id of its thread, `mail` the id of the notice whose mail contained it. `tried_from` is when it was
    first to be sent; `due_at` is set while it is open.
    """

    notice: Notice
    state: State
    attempts: int
    noted_at: datetime
    tried_from: datetime
    thread: str | None = None
    due_at: datetime | None = None
    sent_at: datetime | None = None
    mail: str | None = None
    words_until: datetime | None = None
    error: str | None = None

    @property
    def id(self) -> str:
        return self.notice.id
