"""The notifier's database: mails, and hall entries of public inquiries, before and after masking."""

from collections.abc import Sequence
from datetime import datetime

from services.notifier.domain.addresses import MailKeys
from services.notifier.domain.hall import HallEntry, UnmaskedEntry
from services.notifier.mail.addresses import AddressStore
from services.notifier.mail.deliveries import DeliveryStore
from shared.contracts.fields import Contact
from shared.contracts.resident_messages import Paragraph, ReplyAddendum
from shared.store import leases
from shared.store.mongo import DESCENDING, Database, Document, insert_new
from shared.store.tombstones import Tombstones

LEASE_S = 60.0


class NotifierStore:
    def __init__(self, database: Database, keys: MailKeys) -> None:
        self.hall = database["hall"]
        self.unmasked = database["unmasked"]
        self.tombstones = Tombstones(database["tombstones"])
        self.mails = DeliveryStore(database, keys, self.tombstones)
        self.addresses = AddressStore(database)

    async def prepare(self) -> None:
        """Create the indexes; safe to repeat."""
        await leases.index(self.unmasked)
        await self.hall.create_index([("answered_at", DESCENDING), ("_id", DESCENDING)])
        await self.mails.prepare()
        await self.addresses.prepare()

    # ── replies that wait for masking ───────────────────────────────────────

    async def add_unmasked(self, answers: Sequence[UnmaskedEntry], now: datetime) -> None:
        """Store replies until they are masked, the latest of each inquiry, unless the hall has it. Safe to repeat."""
        existing = {"_id": {"$in": [one.entry.inquiry_id for one in answers]}}
        seen = {one["_id"]: one["n"] async for one in self.hall.find(existing, {"n": 1})} if answers else {}
        fresh = [one for one in answers if one.entry.n > seen.get(one.entry.inquiry_id, 0)]
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

    async def show(self, entries: Sequence[HallEntry]) -> None:
        """Store hall entries. Safe to repeat: an entry replaces only one of an earlier decision of its inquiry."""
        documents = [entry_document(one) for one in entries]
        existing = await insert_new(self.hall, documents)
        for one in documents:
            if one["_id"] in existing:
                await self.hall.replace_one({"_id": one["_id"], "n": {"$lt": one["n"]}}, one)
        # Checked after the insert: an erasure that ran before it has not deleted these entries.
        for inquiry_id, through in (await self.tombstones.through_of(one["_id"] for one in documents)).items():
            await self.erase_entry(inquiry_id, through)

    async def erase_entry(self, inquiry_id: str, through: int) -> None:
        """Delete the hall entry of an inquiry if its decision is `through` or earlier; safe to repeat."""
        for collection in (self.unmasked, self.hall):
            await collection.delete_many({"_id": inquiry_id, "n": {"$lte": through}})

    async def hall_page(self, after: str | None, limit: int) -> list[HallEntry]:
        """Up to `limit` entries, the newest answer first, after the entry of the inquiry `after`."""
        query: Document = {}
        if after and (last := await self.entry(after)):
            at = last.answered_at
            query = {"$or": [{"answered_at": {"$lt": at}}, {"answered_at": at, "_id": {"$lt": after}}]}
        found = self.hall.find(query).sort([("answered_at", DESCENDING), ("_id", DESCENDING)])
        return [entry(one) for one in await found.to_list(limit)]

    async def entry(self, inquiry_id: str) -> HallEntry | None:
        stored = await self.hall.find_one({"_id": inquiry_id})
        return entry(stored) if stored else None


# ── documents ────────────────────────────────────────────────────────────────


def entry_document(one: HallEntry) -> Document:
    return {
        "_id": one.inquiry_id,
        "n": one.n,
        "round": one.round,
        "answered_at": one.answered_at,
        "language": one.language,
        "subject": one.subject,
        "body": one.body,
        "paragraphs": [part.model_dump() for part in one.paragraphs],
        "opening": one.opening,
        "closing": one.closing,
        "addenda": [addendum.model_dump(mode="json") for addendum in one.addenda],
    }


def entry(stored: Document) -> HallEntry:
    return HallEntry(
        inquiry_id=stored["_id"],
        n=stored["n"],
        round=stored["round"],
        answered_at=stored["answered_at"],
        language=stored["language"],
        subject=stored["subject"],
        body=stored["body"],
        paragraphs=tuple(Paragraph.model_validate(part) for part in stored["paragraphs"]),
        opening=stored.get("opening"),
        closing=stored.get("closing"),
        addenda=tuple(ReplyAddendum.model_validate(addendum) for addendum in stored.get("addenda", ())),
    )


def unmasked_document(one: UnmaskedEntry, now: datetime) -> Document:
    """The document of a reply that waits for masking, due at once."""
    contact = one.contact.model_dump() if one.contact else None
    return {**entry_document(one.entry), "contact": contact, "attempts": 0, "due_at": now}


def unmasked_entry(stored: Document) -> UnmaskedEntry:
    contact = Contact.model_validate(stored["contact"]) if stored["contact"] else None
    return UnmaskedEntry(entry(stored), contact, stored["attempts"], stored.get("claim"))


def lease_of_unmasked(claimed: UnmaskedEntry) -> Document:
    """The lease of a claimed reply, as `shared/store/leases.py` expects it."""
    return {"_id": claimed.entry.inquiry_id, "claim": claimed.claim}
