"""Drops the messages that decisions keep, once nobody can ask for them again: facts and words remain."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.router.stores.progress import CoreProgress
from services.router.stores.store import RouterStore
from shared.runtime import timestamps

EVERY_S = 3_600.0
PAUSE_S = 1.0
BATCHES = 10
"""So many batches a round, each of up to `MOST_INPUTS` decisions."""


@dataclass(frozen=True)
class MessageCleanup:
    """Drops messages that were published, and their inputs committed, longer than `kept` ago.

    Several processes may do this at once: what one of them has done, another repeats without an effect.
    """

    progress: CoreProgress
    store: RouterStore
    kept: timedelta
    now: Callable[[], datetime] = timestamps.now

    async def run(self) -> None:
        """Every hour, and without a break longer than a second while some are left."""
        while True:
            left = await self.round()
            await asyncio.sleep(PAUSE_S if left else EVERY_S)

    async def round(self) -> bool:
        """Drop the messages of some batches; whether there may be more."""
        now = self.now()
        batches = await self.progress.published_until(now - self.kept, BATCHES)
        ids = sorted({id_ for one in batches for id_ in one.decisions})
        held = await self._held(ids)
        await self.store.decisions.drop_messages([id_ for id_ in ids if id_ not in held])
        if held:
            await self.progress.keep(sorted(held), now)
        await self.progress.forget(batches)
        return len(batches) == BATCHES

    async def _held(self, ids: Sequence[str]) -> set[str]:
        """Those of cases that hold a parked input: it has an old place, and what follows from it may not have gone out."""
        parked = await self.store.parked.of(sorted({inquiry_of(id_) for id_ in ids}))
        held = {one.inquiry_id for one in parked}
        return {id_ for id_ in ids if inquiry_of(id_) in held}


def inquiry_of(decision_id: str) -> str:
    """The inquiry of the decision with this `_id`."""
    return decision_id.partition("/")[0]
