"""How many mails an unconfirmed address gets within an hour."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

PERIOD = timedelta(hours=1)


class Slot(NamedTuple):
    """A mail of the last hour; `id` is that of its first notice, so that a repeat of it takes no second slot."""

    id: str
    at: datetime


def take_slot(taken: Sequence[Slot], id_: str, now: datetime, most: int) -> tuple[tuple[Slot, ...], datetime | None]:
    """The slots after this mail, and when to try again if none is free; `most` 0 means no limit."""
    recent = tuple(one for one in taken if now - one.at < PERIOD)
    if most == 0 or any(one.id == id_ for one in recent):
        return recent, None
    if len(recent) < most:
        return (*recent, Slot(id_, now)), None
    return recent, recent[len(recent) - most].at + PERIOD
