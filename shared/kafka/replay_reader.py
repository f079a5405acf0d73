"""Dead letters that come back: each goes to the very reading that its origin belongs to, as if it lay there again."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from shared.kafka.dead_letters import original
from shared.kafka.failures import InvalidRecord
from shared.kafka.publisher import Publishable
from shared.kafka.records import Record
from shared.kafka.subscription import Subscription


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
        """The item that the letter's origin makes of it; raises InvalidRecord for one that nobody here reads."""
        letter = original(record)
        for one in self.subscriptions:
            options = one.options
            if options.group is not None and options.parking is None and reads(one, letter.topic):
                item = options.read(letter)
                return None if item is None else ReplayedItem(one, item)
        raise InvalidRecord(f"Records of {letter.topic!r} are not replayed here.")

    async def take(self, batch: Sequence[ReplayedItem]) -> Sequence[Publishable]:
        """Hand the items on, in order; what follows from them is published together."""
        outputs: list[Publishable] = []
        for _, some in groupby(batch, key=lambda one: id(one.subscription)):
            together = list(some)
            outputs += await together[0].subscription.options.handle([one.item for one in together]) or ()
        return outputs


def reads(subscription: Subscription[Any], topic: str) -> bool:
    """Whether this reading takes records of that topic."""
    options = subscription.options
    pattern = options.pattern
    return topic in options.topics or (pattern is not None and re.match(pattern, topic) is not None)
