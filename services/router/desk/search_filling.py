"""Fills the search index at leisure: it follows the list of cases, and never works more than a tenth of the time."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

from services.router.desk.case_list import fields_of
from services.router.domain.case import Case
from services.router.domain.search.grams import grams_of
from services.router.domain.search.texts import searchable
from services.router.stores.case_rows import place_of
from services.router.stores.store import RouterStore
from shared.runtime import timestamps
from shared.store.mongo import Document

LEASE_S = 300.0
CASES = 10
IDLE_S = 1.0
REST = 9
"""How long to rest after some cases, as a multiple of the time that they took: the core needs the store more."""
SWEEP_EVERY_S = 86_400.0
ROWS = 200
PAUSE_S = 0.2


@dataclass
class SearchFilling:
    """Builds the index of each case that is marked. Several processes may run this at once."""

    store: RouterStore
    now: Callable[[], datetime] = timestamps.now
    _newest_first: bool = False

    async def run(self) -> None:
        """Index what is due, and rest. Runs forever."""
        while True:
            started = monotonic()
            worked = await self.round()
            await asyncio.sleep(max(IDLE_S if not worked else 0.0, REST * (monotonic() - started)))

    async def round(self) -> int:
        """Index up to CASES cases that are due; returns how many there were. Safe to repeat and to kill at any line.

        Every other round takes the cases marked last: a clerk finds today's case while thousands of an import wait.
        """
        self._newest_first = not self._newest_first
        claimed = await self.store.search.claim(self.now(), LEASE_S, CASES, newest_first=self._newest_first)
        if claimed:
            await self._index({one["_id"]: one for one in claimed})
        return len(claimed)

    async def _index(self, claimed: Mapping[str, Document]) -> None:
        """Index cases. An erasure in between leaves its tombstone: the words that were read before it must go again."""
        ids = list(claimed)
        erased = await self._erased(ids)
        decisions = await self.store.decisions.of_many(ids)
        for inquiry_id in ids:
            texts = searchable(inquiry_id, decisions[inquiry_id])
            await self.store.search.replace(inquiry_id, _place(texts.case), grams_of(texts))
            if (await self._erased([inquiry_id])).get(inquiry_id) != erased.get(inquiry_id):
                await self.store.search.erase(inquiry_id)
                await self.store.search.mark([inquiry_id], self.now())
                continue
            await self.store.cases.note_searched(inquiry_id, texts.case.sequence, fields_of(texts.case, {}))
            await self.store.search.done(claimed[inquiry_id])

    async def _erased(self, inquiry_ids: list[str]) -> Mapping[str, int]:
        return await self.store.tombstones.through_of(inquiry_ids)

    async def sweep(self) -> None:
        """At the start and once a day, mark what the index does not have. Runs forever."""
        while True:
            await self.mark_missing()
            await asyncio.sleep(SWEEP_EVERY_S)

    async def mark_missing(self) -> int:
        """Mark cases of the list that the index lacks: after a restore, and older than the index. Returns how many."""
        after, found = "", 0
        while rows := await self.store.cases.page({"_id": {"$gt": after}}, ROWS):
            missing = [row["_id"] for row in rows if row.get("searched", 0) < row["sequence"]]
            if missing:
                await self.store.search.mark(missing, self.now())
            after, found = rows[-1]["_id"], found + len(missing)
            await asyncio.sleep(PAUSE_S if missing else 0)
        return found


def _place(case: Case) -> str:
    return place_of(case.inquiry_id, case.inquiry.received_at if case.inquiry is not None else None)
