"""A thread: the deliveries of one inquiry to one recipient, in the order of its decisions, and which of them is next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.notifier.domain.deliveries import Delivery
from services.notifier.domain.notices import Kind

STALE_AFTER = timedelta(seconds=60)
DIGEST_MAX = 50


@dataclass(frozen=True, slots=True)
class Thread:
    """`address` and `mailbox` are keyed hashes of the recipient's address (see `addresses.py`), at a gateway of the account.

    One process at a time has the claim, and sends one mail; so no news overtakes another, whatever fails and however many
    processes run. `sending` are the ids in a mail that may have been sent already: the repeat must be the same mail.
    `subject_has_words` tells the form of the subject line, which the first mail chooses. `news` counts the notices.
    """

    id: str
    kind: Kind
    inquiry_id: str
    address: str
    mailbox: str
    attempts: int
    news: int
    sending: tuple[str, ...] = ()
    stopped: bool = False
    subject_has_words: bool | None = None
    claim: str | None = None
    due_at: datetime | None = None
    channel: str | None = None
    """The name of the gateway; None for mails."""


def in_order(deliveries: Sequence[Delivery]) -> list[Delivery]:
    """By decision; within a decision by place."""
    return sorted(deliveries, key=lambda one: (one.notice.n, one.notice.place, one.id))


def next_mail(thread: Thread, waiting: Sequence[Delivery], now: datetime) -> tuple[Delivery, ...]:
    """The deliveries of the next mail of a thread, given all its open ones, in order.

    The first one alone; but when it is stale, all of them, as one digest. A gateway gets no digests.
    """
    begun = tuple(one for one in waiting if one.id in thread.sending)
    if begun:
        return begun
    first = waiting[0]
    if thread.kind == "webhook":
        return (first,)
    return tuple(waiting[:DIGEST_MAX]) if now - first.notice.at > STALE_AFTER else (first,)
