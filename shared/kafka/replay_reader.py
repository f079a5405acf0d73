"""Replayed dead letters: each one goes to the subscription of its original topic, as if it were read there again."""

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
    """An item of a replayed dead letter, and the subscription that handles it."""

    subscription: Subscription[Any]
    item: Any


@dataclass(frozen=True)
class ReplayReader:
    """Reads `<service>.replays`. A subscription with parking is left out: its records are replayed on their own log."""

    subscriptions: Sequence[Subscription[Any]]

    def read(self, record: Record) -> ReplayedItem | None:
        """The item that the original subscription reads. Raises InvalidRecord when no subscription reads that topic."""
        letter = original(record)
        for one in self.subscriptions:
            options = one.options
            if options.group is not None and options.parking is None and subscribes_to(one, letter.topic):
                item = options.read(letter)
                return None if item is None else ReplayedItem(one, item)
        raise InvalidRecord(f"This service does not replay records of {letter.topic!r}; it does not read that topic.")

    async def handle(self, batch: Sequence[ReplayedItem]) -> Sequence[Publishable]:
        """Handle the items with their subscriptions, in order; returns the messages that follow."""
        outputs: list[Publishable] = []
        for _, group in groupby(batch, key=lambda one: id(one.subscription)):
            items = list(group)
            outputs += await items[0].subscription.options.handle([one.item for one in items]) or ()
        return outputs


def subscribes_to(subscription: Subscription[Any], topic: str) -> bool:
    options = subscription.options
    pattern = options.pattern
    return topic in options.topics or (pattern is not None and re.match(pattern, topic) is not None)
