"""Divides the list of cases into stretches of about equal length, so that a page reads a bounded part of an index.

The local store reads and sorts everything between the bounds of a query, whatever the limit, and MongoDB does so for a
filter without an index. So a page is read in stretches, the newest first.
"""

from bisect import bisect_left, bisect_right
from datetime import datetime, timedelta
from zlib import crc32

from shared.runtime import timestamps
from shared.store.mongo import Collection, Document

CASES_BETWEEN = 64
"""How many cases are between two fences on average. A case is a fence by its ticket number alone, so nothing is counted, a
rebuilt list has the same fences, and messages that come in late spread over them."""
RELOADED_AFTER = timedelta(minutes=5)
"""Fences older than the newest one, of late messages, are found then. Without them a page only reads more."""


def fence_of(inquiry_id: str, place: str) -> Document:
    """The field of a row that makes its case a fence."""
    return {"fence": place} if crc32(inquiry_id.encode()) % CASES_BETWEEN == 0 else {}


class Fences:
    def __init__(self, collection: Collection) -> None:
        self.collection = collection
        self._places: list[str] = []
        self._loaded_at: datetime | None = None

    async def floor(self, before: str | None, cases: int) -> str:
        """A place with about so many cases from it to before the place `before`; empty when the list has fewer."""
        places = await self._known()
        at = len(places) if before is None else bisect_left(places, before)
        at -= max(1, cases // CASES_BETWEEN)
        return places[at] if at >= 0 else ""

    async def ceiling(self, start: str, cases: int) -> str | None:
        """A place with about so many cases from the place `start` to before it; None when the list has fewer."""
        places = await self._known()
        at = bisect_right(places, start) + max(1, cases // CASES_BETWEEN) - 1
        return places[at] if at < len(places) else None

    async def _known(self) -> list[str]:
        """The fences, oldest first: those of the last call and newer ones."""
        now = timestamps.now()
        if self._loaded_at is None or abs(now - self._loaded_at) > RELOADED_AFTER:
            self._places, self._loaded_at = [], now
        newest = self._places[-1] if self._places else ""
        found = await self.collection.find({"fence": {"$gt": newest}}, ["fence"]).to_list(None)
        self._places += sorted(one["fence"] for one in found)
        return self._places
