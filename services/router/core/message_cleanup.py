"""Drops the messages that decisions keep, once nobody can ask for them again: facts and words remain.

Once an hour, a mark notes how far the core has come in each partition. The newest mark that is old enough tells which
inputs were published and committed that long ago; the messages of their decisions go, some at a time.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.router.stores.progress import CoreProgress, Mark, PartitionProgress
from services.router.stores.store import RouterStore
from shared.runtime import timestamps

MARK_EVERY = timedelta(hours=1)
PAUSE_S = 1.0
OFFSETS_AT_ONCE = 500
EMPTY_STRETCHES = 20
"""So many stretches of the log without a decision are passed over in one round."""


@dataclass(frozen=True)
class MessageCleanup:
    """Drops messages of inputs that the core has been past for longer than `kept`.

    Several processes may do this at once: whatever one of them has done, the other does once more without an effect.
    """

    progress: CoreProgress
    store: RouterStore
    kept: timedelta
    now: Callable[[], datetime] = timestamps.now

    async def run(self) -> None:
        """Every hour, and without a break longer than a second while some are left."""
        while True:
            left = await self.round()
            await asyncio.sleep(PAUSE_S if left else MARK_EVERY.total_seconds())

    async def round(self) -> bool:
        """Mark every partition that has moved, and drop some messages of each; whether some are left."""
        now = self.now()
        left = False
        for one in await self.progress.all():
            marks = with_mark(one, now, self.kept)
            if marks != one.marks:
                await self.progress.keep_marks(one, marks)
            left |= await self._drop(one, past(marks, now - self.kept))
        return left

    async def _drop(self, one: PartitionProgress, end: int) -> bool:
        """Drop the messages of the next decisions before `end`; whether some are left."""
        # A topic that was made anew counts from 0 again.
        start = one.dropped if one.dropped <= end else 0
        for _ in range(EMPTY_STRETCHES):
            if start == end:
                return False
            stretch = range(start, min(start + OFFSETS_AT_ONCE, end))
            found = await self.store.decisions.on_inputs(one.partition, stretch)
            await self.store.decisions.drop_messages(await self._not_parked(found))
            start = stretch.stop
            await self.progress.keep_dropped(one.partition, start)
            if found:
                break
        return start < end

    async def _not_parked(self, places: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
        """Without cases that hold a parked input: it has an old place, and what follows from it may not have gone out."""
        held = {one.inquiry_id for one in await self.store.parked.of(sorted({inquiry_id for inquiry_id, _ in places}))}
        return [(inquiry_id, n) for inquiry_id, n in places if inquiry_id not in held]


def with_mark(one: PartitionProgress, now: datetime, kept: timedelta) -> tuple[Mark, ...]:
    """The marks with one of this moment, if an hour has passed and the core has moved; those that no longer count go."""
    marks = [mark for mark in one.marks if mark.at <= now]
    if not marks or (now - marks[-1].at >= MARK_EVERY and marks[-1].next != one.next):
        marks.append(Mark(now, one.next))
    old = sum(mark.at <= now - kept for mark in marks)
    return tuple(marks[max(old - 1, 0) :])


def past(marks: Sequence[Mark], moment: datetime) -> int:
    """The offset before which the core had come to the end of every input at that moment, as far as marks tell."""
    return max((mark for mark in marks if mark.at <= moment), key=lambda mark: mark.at, default=Mark(moment, 0)).next
