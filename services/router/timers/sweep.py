"""Finds cases whose timers the collection `timers` lacks: after a restore, and cases older than timers.

It looks at open and unrated cases, and at answered ones with a late part.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.router.domain.city_index import CityIndex
from services.router.domain.timers import next_ring
from services.router.stores.case_rows import HAS_OPEN_PART, OPEN_CASES
from services.router.stores.case_timers import Look
from services.router.stores.store import RouterStore
from shared.runtime import timestamps
from shared.service.city_feed import CityFeed
from shared.store.mongo import Document

EVERY_S = 3_600.0
CASES = 200
PAUSE_S = 0.2
RATED_WITHIN = timedelta(days=30)
"""Older answers are left out: nobody is to be reminded of an answer of years ago, only because a view was rebuilt."""


@dataclass
class TimerSweep:
    """Compares the list of open cases with `timers`. Several processes may run this at once."""

    store: RouterStore
    city: CityFeed[CityIndex]
    now: Callable[[], datetime] = timestamps.now

    async def run(self) -> None:
        """Sweep at the start and every hour. Runs forever."""
        while True:
            await self.sweep()
            await asyncio.sleep(EVERY_S)

    async def sweep(self) -> int:
        """Look at the open and unrated cases with events that `timers` does not know. Returns how many there were."""
        since = timestamps.to_text(self.now() - RATED_WITHIN)
        unrated = {"state": "answered", "unrated": True, "updated_at": {"$gte": since}}
        city, after, found = self.city.current(), "", 0
        while True:
            looked_at = [{"state": {"$in": OPEN_CASES}}, unrated, *HAS_OPEN_PART]
            query: Document = {"$or": looked_at, "_id": {"$gt": after}}
            rows = await self.store.cases.page(query, CASES)
            if not rows:
                return found
            known = await self.store.timers.sequences([row["_id"] for row in rows])
            newer = [row["_id"] for row in rows if known.get(row["_id"], 0) < row["sequence"]]
            cases = (await self.store.decisions.reload(newer)).values()
            await self.store.timers.look([Look(one.inquiry_id, one.sequence, next_ring(one, city)) for one in cases])
            after, found = rows[-1]["_id"], found + len(newer)
            await asyncio.sleep(PAUSE_S if newer else 0)
