"""Runs the timer loop of one router: `timer_process.py KAFKA MONGODB DATABASE GROUP [STEP]`.

With STEP it kills itself as `kill -9` would: after its first `claim`, or after its first `publish`.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial

from services.router.domain.city_index import CityIndex, city_index
from services.router.stores.store import RouterStore
from services.router.timers import loop
from services.router.timers.loop import Timers
from shared.kafka.connection import Connection
from shared.kafka.publisher import Publishable, Publisher
from shared.kafka.unread_records import unread_topics
from shared.service.city_feed import CityFeed
from shared.service.process import run_forever
from shared.store.mongo import Document, connect
from tests.integration.timer_city import NEAR

LEASE_S = 2.0


def die() -> None:
    """End the process at once, without handlers or flushes."""
    os.kill(os.getpid(), signal.SIGKILL)


class Dying(Publisher):
    async def publish(self, messages: Iterable[Publishable]) -> None:
        rows = list(messages)
        await super().publish(rows)
        if rows:
            die()


async def run(kafka: str, mongodb: str, database: str, group: str, step: str = "") -> None:
    store = RouterStore(connect(mongodb, database))
    city: CityFeed[CityIndex] = CityFeed(city_index)
    city.use(NEAR)
    publisher = (Dying if step == "publish" else Publisher)(kafka, "timers")
    await publisher.start()
    unread = partial(unread_topics, Connection.of(kafka), group)
    if step == "claim":
        claim = store.timers.claim

        async def claimed(now: datetime, lease_s: float, limit: int) -> Sequence[Document]:
            found = await claim(now, lease_s, limit)
            if found:
                die()
            return found

        store.timers.claim = claimed  # type: ignore[method-assign]
    if step:
        # It looks more often than the others, so that it is the one that claims the cases.
        loop.EVERY_S = 0.02
    print("ready", flush=True)
    await run_forever(Timers(store, city, publisher, unread, LEASE_S).run)


if __name__ == "__main__":
    asyncio.run(run(*sys.argv[1:]))
