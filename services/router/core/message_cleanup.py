"""Deletes stored messages from decisions after the retention time; facts and words stay."""

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
"""The number of batches in a round; a batch has up to `INPUTS_PER_BATCH` decisions."""


@dataclass(frozen=True)
class MessageCleanup:
    """Deletes messages that were published, and whose inputs' offsets were committed, longer than `kept` ago.

    Several processes may run this at once: deleting the same messages again has no effect.
    """

    progress: CoreProgress
    store: RouterStore
    kept: timedelta
    now: Callable[[], datetime] = timestamps.now

    async def run(self) -> None:
        """Run a round every hour, or every second while there are batches left. Runs forever."""
        while True:
            left = await self.round()
            await asyncio.sleep(PAUSE_S if left else EVERY_S)

    async def round(self) -> bool:
        """Delete the messages of up to `BATCHES` batches. Returns True when there may be more."""
        now = self.now()
        batches = await self.progress.published_until(now - self.kept, BATCHES)
        ids = sorted({id_ for one in batches for id_ in one.decisions})
        blocked = await self._blocked(ids)
        await self.store.decisions.drop_messages([id_ for id_ in ids if id_ not in blocked])
        if blocked:
            await self.progress.keep(sorted(blocked), now)
        await self.progress.forget(batches)
        return len(batches) == BATCHES

    async def _blocked(self, ids: Sequence[str]) -> set[str]:
        """The decisions of inquiries with a parked input: its replay may have to publish their messages again."""
        parked = await self.store.parked.of(sorted({inquiry_of(id_) for id_ in ids}))
        blocked = {one.inquiry_id for one in parked}
        return {id_ for id_ in ids if inquiry_of(id_) in blocked}


def inquiry_of(decision_id: str) -> str:
    return decision_id.partition("/")[0]
