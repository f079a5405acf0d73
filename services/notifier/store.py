"""The notifier's database: mails, and hall entries of public inquiries, before and after masking."""

from collections.abc import Sequence
from datetime import datetime

from services.notifier.domain.addresses import MailKeys
from services.notifier.domain.hall import HallEntry, UnmaskedEntry
from services.notifier.hall_documents import entry, unmasked_document, unmasked_entry, unmasked_id
from services.notifier.hall_versions import HallVersions
from services.notifier.mail.addresses import AddressStore
from services.notifier.mail.deliveries import DeliveryStore
from shared.store import leases
from shared.store.mongo import DESCENDING, Database, Document, insert_new
from shared.store.tombstones import Tombstones

LEASE_S = 60.0


class NotifierStore:
    def __init__(self, database: Database, keys: MailKeys) -> None:
        self.hall = database["hall"]
        self.unmasked = database["unmasked"]
        self.tombstones = Tombstones(database["tombstones"])
        self.versions = HallVersions(database, self.tombstones)
        self.mails = DeliveryStore(database, keys, self.tombstones)
        self.addresses = AddressStore(database)

    async def prepare(self) -> None:
        """Create the indexes; safe to repeat."""
        await leases.index(self.unmasked)
        await self.versions.prepare()
        await self.mails.prepare()
        await self.addresses.prepare()

    # ── replies that wait for masking ───────────────────────────────────────

    async def add_unmasked(self, answers: Sequence[UnmaskedEntry], now: datetime) -> None:
        """Store replies until they are masked, the latest of each round, unless they are masked. Safe to repeat."""
        seen = await self.versions.latest([one.entry.inquiry_id for one in answers])
        fresh = [one for one in answers if one.entry.n > seen.get((one.entry.inquiry_id, one.entry.round), 0)]
        documents = [unmasked_document(one, now) for one in fresh]
        waiting_before = await insert_new(self.unmasked, documents)
        for one in documents:
            if one["_id"] in waiting_before:
                await self.unmasked.replace_one({"_id": one["_id"], "n": {"$lt": one["n"]}}, one)

    async def claim_unmasked(self, now: datetime, limit: int) -> list[UnmaskedEntry]:
        """Lease up to `limit` due replies to this process for LEASE_S seconds."""
        return [unmasked_entry(one) for one in await leases.claim(self.unmasked, now, LEASE_S, limit)]

    async def mask_later(self, claimed: UnmaskedEntry, due_at: datetime) -> None:
        """Count a failed attempt to mask a reply; it is due again at `due_at`."""
        lease = lease_of_unmasked(claimed)
        await leases.reschedule(self.unmasked, lease, due_at, {"attempts": claimed.attempts + 1})

    async def forget_unmasked(self, claimed: UnmaskedEntry) -> None:
        """Delete a reply that the hall shows now, unless a later one has replaced it."""
        await self.unmasked.delete_one(lease_of_unmasked(claimed))

    # ── hall ─────────────────────────────────────────────────────────────────

    async def erase_entry(self, inquiry_id: str, through: int) -> None:
        """Delete what the hall has of an inquiry up to the decision `through`; safe to repeat."""
        for field in ("_id", "inquiry_id"):
            await self.unmasked.delete_many({field: inquiry_id, "n": {"$lte": through}})
        await self.versions.erase(inquiry_id, through)

    async def hall_page(self, after: str | None, limit: int) -> list[HallEntry]:
        """Up to `limit` entries, the newest answer first, after the entry of the inquiry `after`."""
        query: Document = {"answered_at": {"$exists": True}}
        if after and (last := await self.entry(after)):
            at = last.answered_at
            query |= {"$or": [{"answered_at": {"$lt": at}}, {"answered_at": at, "_id": {"$lt": after}}]}
        found = self.hall.find(query).sort([("answered_at", DESCENDING), ("_id", DESCENDING)])
        return [entry(one) for one in await found.to_list(limit)]

    async def entry(self, inquiry_id: str) -> HallEntry | None:
        """The entry that the hall shows of an inquiry; None when it shows none."""
        stored = await self.hall.find_one({"_id": inquiry_id, "answered_at": {"$exists": True}})
        return entry(stored) if stored else None


def lease_of_unmasked(claimed: UnmaskedEntry) -> Document:
    """The lease of a claimed reply, as `shared/store/leases.py` expects it."""
    return {"_id": unmasked_id(claimed.entry), "claim": claimed.claim}
