"""The notifier's database: deliveries of mails, and hall entries of public inquiries, before and after masking."""

from collections.abc import Sequence
from datetime import UTC, datetime

from services.notifier.domain.deliveries import Delivery, Kind, State
from services.notifier.domain.hall import HallEntry, UnmaskedEntry
from services.notifier.domain.notices import Notice, hidden, unaddressed
from shared.contracts.fields import Contact
from shared.contracts.resident_messages import Paragraph
from shared.store import leases
from shared.store.mongo import ASCENDING, DESCENDING, Database, Document, insert_new
from shared.store.tombstones import Tombstones

LEASE_S = 60.0
ERROR_MAX = 500
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


class NotifierStore:
    def __init__(self, database: Database) -> None:
        self.deliveries = database["deliveries"]
        self.hall = database["hall"]
        self.unmasked = database["unmasked"]
        self.tombstones = Tombstones(database["tombstones"])

    async def prepare(self) -> None:
        """Create the indexes; safe to repeat."""
        await leases.index(self.deliveries)
        await leases.index(self.unmasked)
        await self.deliveries.create_index([("inquiry_id", ASCENDING)])
        await self.deliveries.create_index([("state", ASCENDING)])
        await self.hall.create_index([("answered_at", DESCENDING), ("_id", DESCENDING)])

    # ── deliveries ───────────────────────────────────────────────────────────

    async def add_notices(self, notices: Sequence[Notice], now: datetime) -> None:
        """Store a delivery for each notice. Safe to repeat: its `_id` is the id of the notice's event."""
        await insert_new(self.deliveries, [waiting(one, now) for one in notices])

    async def claim(self, now: datetime, kind: Kind, limit: int) -> list[Delivery]:
        """Lease up to `limit` due deliveries of this kind to this process for LEASE_S seconds."""
        return [delivery(one) for one in await leases.claim(self.deliveries, now, LEASE_S, limit, {"kind": kind})]

    async def sent(self, claimed: Delivery, now: datetime) -> None:
        """Mark a delivery as sent, and delete its text and address."""
        result = {"state": "sent", "sent_at": now, "attempts": claimed.attempts + 1, "error": None}
        await leases.done(self.deliveries, lease_of(claimed), result | without_words(claimed))

    async def failed(self, claimed: Delivery, error: str) -> None:
        """Mark a delivery as failed for the last time, and delete its text and address."""
        result = {"state": "failed", "attempts": claimed.attempts + 1, "error": unaddressed(error)[:ERROR_MAX]}
        await leases.done(self.deliveries, lease_of(claimed), result | without_words(claimed))

    async def retry_at(self, claimed: Delivery, due_at: datetime, error: str) -> None:
        """Mark a delivery as failed for now; it is due again at `due_at`."""
        result = {"state": "retrying", "attempts": claimed.attempts + 1, "error": unaddressed(error)[:ERROR_MAX]}
        await leases.reschedule(self.deliveries, lease_of(claimed), due_at, result)

    async def release(self, claimed: Delivery, now: datetime) -> None:
        """End the lease of a delivery that this process did not try; it is due at once."""
        await leases.reschedule(self.deliveries, lease_of(claimed), now, {})

    async def deliveries_page(self, state: State | None, inquiry_id: str | None, limit: int) -> list[Delivery]:
        """Up to `limit` deliveries, newest first; if given, only those in this state or of this inquiry."""
        query = {name: value for name, value in (("state", state), ("inquiry_id", inquiry_id)) if value}
        found = self.deliveries.find(query).sort("noted_at", DESCENDING)
        return [delivery(one) for one in await found.to_list(limit)]

    async def count_unsent(self) -> int:
        """Mails that wait or are tried again: `due_at` is set until a mail is sent, failed or cancelled."""
        return await self.deliveries.count_documents({"due_at": {"$gt": EARLIEST}})

    async def count_failed(self) -> int:
        return await self.deliveries.count_documents({"state": "failed"})

    async def erase_deliveries(self, inquiry_id: str) -> None:
        """Cancel unsent mails, and delete texts and addresses of all mails of an inquiry; safe to repeat.

        The documents stay, so that a repeated message makes no new delivery. A mail that is being sent right now is
        still sent.
        """
        unsent = {"inquiry_id": inquiry_id, "state": {"$in": ["waiting", "retrying"]}}
        cancelled = {"$set": {"state": "cancelled"}, "$unset": {"due_at": "", "claim": ""}}
        await self.deliveries.update_many(unsent, cancelled)
        no_words: Document = {"to": None, "subject": None, "text": None, "error": None}
        await self.deliveries.update_many({"inquiry_id": inquiry_id}, {"$set": no_words})

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


def waiting(notice: Notice, now: datetime) -> Document:
    """The document of a new delivery, which is due at once."""
    return {
        "_id": notice.id,
        "kind": notice.kind,
        "inquiry_id": notice.inquiry_id,
        "to": notice.to,
        "subject": notice.subject,
        "text": notice.text,
        "language": notice.language,
        "state": "waiting",
        "attempts": 0,
        "noted_at": now,
        "due_at": now,
    }


def delivery(stored: Document) -> Delivery:
    return Delivery(
        id=stored["_id"],
        kind=stored["kind"],
        inquiry_id=stored["inquiry_id"],
        to=stored["to"],
        subject=stored["subject"],
        text=stored["text"],
        language=stored["language"],
        state=stored["state"],
        attempts=stored["attempts"],
        noted_at=stored["noted_at"],
        due_at=stored.get("due_at"),
        sent_at=stored.get("sent_at"),
        error=stored.get("error"),
        claim=stored.get("claim"),
    )


def lease_of(claimed: Delivery) -> Document:
    """The lease of a claimed delivery, as `shared/store/leases.py` expects it."""
    return {"_id": claimed.id, "claim": claimed.claim}


def without_words(claimed: Delivery) -> Document:
    """The fields that replace text and address after the last attempt: a hidden address, for operators."""
    return {"to": hidden(claimed.to) if claimed.to else None, "text": None, "subject": None}


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
