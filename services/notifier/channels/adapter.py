"""What a channel must do: take a message for its recipient, and tell what became of it. There is one adapter for each.

`email.py` sends mails, `webhook.py` sends to gateways. A resident who wrote on the web reads the ticket's page instead.
"""

from dataclasses import dataclass
from typing import Protocol

from services.notifier.domain.deliveries import Delivery
from services.notifier.domain.threads import Thread
from shared.city import City

LONGEST_PAUSE_S = 300.0


@dataclass(frozen=True, slots=True)
class Prepared:
    """The next message of a thread: one delivery, or several as a digest. A repeat has the same deliveries and ids.

    `more`: other deliveries of the thread wait. `whole`: the recipient may read the words of residents and departments.
    `subject` is that of the case, if it is in the mail's subject line.
    """

    thread: Thread
    mail: tuple[Delivery, ...]
    more: bool
    whole: bool
    subject: str | None


@dataclass(frozen=True, slots=True)
class Delivered:
    """The other side has the message."""


@dataclass(frozen=True, slots=True)
class TryLater:
    """The message was not accepted this time. `maybe_delivered`: the recipient may have it, so a repeat must be the same."""

    error: str
    maybe_delivered: bool
    longest_pause_s: float = LONGEST_PAUSE_S


@dataclass(frozen=True, slots=True)
class Rejected:
    """The other side will never accept the message."""

    error: str


Outcome = Delivered | TryLater | Rejected


class ChannelAdapter(Protocol):
    async def deliver(self, message: Prepared, city: City) -> Outcome:
        """Take a message once. Raises nothing about the message or the other side: that is the outcome."""
        ...
