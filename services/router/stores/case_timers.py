"""The collection `timers`: when the router must look at a case, because a timer rings.

One document for each case that has timers: `_id` is the inquiry, `ring_at` a time not later than its next timer, `due_at`
the time of the next look (a lease, or a wait for outboxes, moves it), `sequence` that of the newest event known here, and
`rang` the ids of timers that are on the log and not decided yet. The timers themselves are computed from the case.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from shared.runtime import timestamps
from shared.store import leases
from shared.store.mongo import Database, Document, UpdateOne, find_by, insert_new


class Look(NamedTuple):
    """When to look at a case; `ring_at` is in milliseconds since 1970, None for a case without timers."""

    inquiry_id: str
    sequence: int
    ring_at: int | None


class Overdue(NamedTuple):
    """How many cases have a timer that should have rung, and the time of the oldest one."""

    cases: int
    since: datetime


class CaseTimers:
    def __init__(self, database: Database) -> None:
        self.collection = database["timers"]

    async def prepare(self) -> None:
        """Create the index; safe to repeat."""
        await leases.index(self.collection)

    async def look(self, looks: Sequence[Look]) -> None:
        """Look at these cases at this time or earlier. Safe to repeat and to overtake: a time only moves forward.

        It releases a claim: a process that has computed the next look from an older case must not store it.
        """
        known = await insert_new(self.collection, [_document(one) for one in looks])
        updates = [
            UpdateOne({"_id": one.inquiry_id}, _earlier(one), upsert=True) for one in looks if one.inquiry_id in known
        ]
        if updates:
            await self.collection.bulk_write(updates, ordered=False)

    async def claim(self, now: datetime, lease_s: float, limit: int) -> Sequence[Document]:
        """Claim up to `limit` cases at which to look by `now`."""
        return await leases.claim(self.collection, now, lease_s, limit)

    async def look_again(self, claimed: Document, at: datetime, look: Look, rang: Sequence[str] = ()) -> None:
        """Release a case until `at`; changes nothing after the claim was lost."""
        ring_at = at if look.ring_at is None else timestamps.from_ms(look.ring_at)
        fields = {"ring_at": ring_at, "sequence": look.sequence, "rang": list(rang)}
        await leases.reschedule(self.collection, claimed, at, fields)

    async def remove(self, claimed: Document) -> None:
        """Delete a case without timers; changes nothing after the claim was lost."""
        await self.collection.delete_one({"_id": claimed["_id"], "claim": claimed["claim"]})

    async def sequences(self, inquiry_ids: Sequence[str]) -> dict[str, int]:
        """The sequence of the newest event that is known here, by inquiry; without the cases that are not listed."""
        found = await find_by(self.collection, "_id", inquiry_ids, ["sequence"])
        return {one["_id"]: one["sequence"] for one in found}

    async def overdue(self, now: datetime, longest_wait: timedelta) -> Overdue | None:
        """The cases with a timer that should have rung by `now`; None when there are none.

        A case that waits, or that a process has claimed, is looked at again within `longest_wait`.
        """
        query = {"due_at": {"$lte": now + longest_wait}, "ring_at": {"$lte": now}, "rang": []}
        found = await self.collection.find(query, ["ring_at"]).to_list(None)
        return Overdue(len(found), min(one["ring_at"] for one in found)) if found else None


def _document(look: Look) -> Document:
    about: Document = {"_id": look.inquiry_id, "sequence": look.sequence, "rang": []}
    return about if look.ring_at is None else about | dict.fromkeys(("ring_at", "due_at"), _moment(look.ring_at))


def _earlier(look: Look) -> Document:
    changed: Document = {"$max": {"sequence": look.sequence}, "$unset": {"claim": ""}, "$setOnInsert": {"rang": []}}
    if look.ring_at is not None:
        changed["$min"] = dict.fromkeys(("ring_at", "due_at"), _moment(look.ring_at))
    return changed


def _moment(milliseconds: int) -> datetime:
    return timestamps.from_ms(milliseconds)
