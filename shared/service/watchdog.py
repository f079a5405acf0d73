"""Watches a service's subscriptions: exports their lag, and ends a process that makes no progress."""

import asyncio
from collections.abc import Sequence
from typing import Any

from shared.kafka.subscription import Subscription
from shared.runtime import metrics

INTERVAL_S = 5.0
STUCK_S = 300.0


async def export_lag(service: str, subscriptions: Sequence[Subscription[Any]]) -> None:
    """Update the lag metrics every INTERVAL_S; runs until cancelled."""
    exported: set[str] = set()
    while True:
        # A topic whose partitions were revoked has no lag here any more: 0, or the last value would stay.
        lag, held_back = dict.fromkeys(exported, (0, 0.0)), dict.fromkeys(exported, 0)
        for subscription in subscriptions:
            lag |= subscription.health.lag()
            held_back |= subscription.health.held_back()
        for topic, (messages, age_s) in lag.items():
            metrics.CONSUMER_LAG.labels(service, topic).set(messages)
            metrics.CONSUMER_LAG_SECONDS.labels(service, topic).set(age_s)
            metrics.HELD_BACK.labels(service, topic).set(held_back.get(topic, 0))
        exported = set(lag)
        await asyncio.sleep(INTERVAL_S)


async def fail_when_stuck(subscriptions: Sequence[Subscription[Any]]) -> None:
    """Raise RuntimeError when a subscription makes no progress for STUCK_S although no dependency is unavailable.

    It must be stuck at two checks in a row, because a process that was frozen finds all its timestamps old.
    """
    before: set[str] = set()
    while True:
        running = [one for one in subscriptions if not one.pipeline.policy.waiting_for]
        stuck = {reason for one in running if (reason := one.health.stuck(STUCK_S)) is not None}
        if still_stuck := stuck & before:
            raise RuntimeError("; ".join(sorted(still_stuck)))
        before = stuck
        await asyncio.sleep(INTERVAL_S)
