"""What the notifier keeps: deliveries, each once, and the hall's entries, one an inquiry."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.notifier.domain.notices import Notice, hidden, unaddressed
from shared.store import leases
from shared.store.mongo import ASCENDING, DESCENDING, Database, Document, insert_new

LEASE_S = 60.0
ERROR_MAX = 500


def forgotten(delivery: Document) -> Document:
    """What is kept of a mail's words and address once it is settled: enough to recognise it."""
    return {"to": hidden(delivery["to"]), "text": None, "subject": None}


class NotifierStore:
    """The notifier's database."""

    def __init__(self, database: Database) -> None:
        self.deliveries = database["deliveries"]
        self.hall = database["hall"]

    async def prepare(self) -> None:
        """Indexes; safe to repeat."""
        await leases.index(self.deliveries)
        await self.deliveries.create_index([("inquiry_id", ASCENDING)])
        await self.hall.create_index([("answered_at", DESCENDING), ("_id", DESCENDING)])

    # ── deliveries ───────────────────────────────────────────────────────────

    async def add_notices(self, notices: Sequence[Notice], now: datetime) -> None:
        """Open a delivery for each notice that has none yet: its `_id` is the event's id."""
        await insert_new(
            self.deliveries,
            [
                {
                    "_id": one.id,
                    "kind": one.kind,
                    "inquiry_id": one.inquiry_id,
                    "to": one.to,
                    "subject": one.subject,
                    "text": one.text,
                    "language": one.language,
                    "state": "waiting",
                    "attempts": 0,
                    "noted_at": now,
                    "due_at": now,
                }
                for one in notices
            ],
        )

    async def claim(self, now: datetime, kind: str, limit: int) -> Sequence[Document]:
        """Deliveries of this kind that are due, for this process alone until its lease is over."""
        return await leases.claim(self.deliveries, now, LEASE_S, limit, {"kind": kind})

    async def sent(self, delivery: Document, now: datetime) -> None:
        """The mail server has it: what it said and to whom is no longer needed."""
        said = {"state": "sent", "sent_at": now, "attempts": delivery["attempts"] + 1, "error": None}
        await leases.done(self.deliveries, delivery, said | forgotten(delivery))

    async def failed(self, delivery: Document, error: str) -> None:
        """It will never be sent: what it said and to whom is no longer needed either."""
        said = {"state": "failed", "attempts": delivery["attempts"] + 1, "error": unaddressed(error)[:ERROR_MAX]}
        await leases.done(self.deliveries, delivery, said | forgotten(delivery))

    async def later(self, delivery: Document, due_at: datetime, error: str) -> None:
        """Try again then."""
        said = {"state": "retrying", "attempts": delivery["attempts"] + 1, "error": unaddressed(error)[:ERROR_MAX]}
        await leases.again_at(self.deliveries, delivery, due_at, said)

    async def give_back(self, delivery: Document, now: datetime) -> None:
        """It was claimed and not tried: whoever looks next may take it."""
        await leases.again_at(self.deliveries, delivery, now, {})

    async def deliveries_page(self, query: dict[str, Any], limit: int) -> list[Document]:
        """Deliveries, newest first."""
        return await self.deliveries.find(query).sort("noted_at", DESCENDING).to_list(limit)

    # ── hall ─────────────────────────────────────────────────────────────────

    async def show(self, entries: Sequence[Document]) -> None:
        """One entry an inquiry; the answer of a later round replaces an earlier one, never the other way round."""
        taken = await insert_new(self.hall, entries)
        for entry in entries:
            if entry["_id"] in taken:
                await self.hall.replace_one({"_id": entry["_id"], "n": {"$lt": entry["n"]}}, entry)

    async def hall_page(self, after: str | None, limit: int) -> list[Document]:
        """Entries by the time of their answer, newest first, from after the one named."""
        query: dict[str, Any] = {}
        if after and (last := await self.entry(after)):
            at = last["answered_at"]
            query = {"$or": [{"answered_at": {"$lt": at}}, {"answered_at": at, "_id": {"$lt": after}}]}
        return await self.hall.find(query).sort([("answered_at", DESCENDING), ("_id", DESCENDING)]).to_list(limit)

    async def entry(self, inquiry_id: str) -> Document | None:
        """One entry of the hall."""
        return await self.hall.find_one({"_id": inquiry_id})
