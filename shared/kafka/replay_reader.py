"""Dead letters that come back: each goes to the very reading that its origin belongs to, as if it lay there again."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from shared.kafka.records import InvalidRecord, Record, original
from shared.kafka.subscription import Confirm, Subscription


@dataclass(frozen=True)
class ReplayedItem:
    """An item read once more, and the reading that takes it."""

    subscription: Subscription[Any]
    item: Any


@dataclass(frozen=True)
class ReplayReader:
    """The reading of `<service>.replays`. What has an order to keep is not replayed here, but on its own log."""

    subscriptions: Sequence[Subscription[Any]]

    def read(self, record: Record) -> ReplayedItem | None:
        """The item that the letter's origin makes of it; raises Wrong for one that nobody here reads."""
        letter = original(record)
        for one in self.subscriptions:
            if one.group is not None and one.parking is None and reads(one, letter.topic):
                item = one.read(letter)
                return None if item is None else ReplayedItem(one, item)
        raise InvalidRecord(f"Records of {letter.topic!r} are not replayed here.")

    async def take(self, batch: Sequence[ReplayedItem]) -> Confirm:
        """Hand the items on, in order; what they still have to confirm is confirmed together."""
        confirms: list[Confirm] = []
        for _, some in groupby(batch, key=lambda one: id(one.subscription)):
            together = list(some)
            confirm = await together[0].subscription.handle([one.item for one in together])
            if confirm is not None:
                confirms.append(confirm)

        async def confirm_all() -> None:
            for confirm in confirms:
                await confirm()

        return confirm_all


def reads(subscription: Subscription[Any], topic: str) -> bool:
    """Whether this reading takes records of that topic."""
    pattern = subscription.pattern
    return topic in subscription.topics or (pattern is not None and re.match(pattern, topic) is not None)
