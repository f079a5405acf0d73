"""The notifier's database: mails, and hall entries of public inquiries, before and after masking."""

from collections.abc import Sequence
from datetime import datetime

from services.notifier.domain.addresses import MailKeys
from services.notifier.domain.hall import HallEntry, UnmaskedEntry
from services.notifier.hall_rounds import HallRounds, round_id
from services.notifier.mail.addresses import AddressStore
from services.notifier.mail.deliveries import DeliveryStore
from shared.contracts.fields import Contact
from shared.contracts.resident_messages import Paragraph
from shared.store import leases
from shared.store.mongo import DESCENDING, Database, Document, insert_new
from shared.store.tombstones import Tombstones

LEASE_S = 60.0


class NotifierStore:
    def __init__(self, database: Database, keys: MailKeys) -> None:
        self.hall = database["hall"]
        self.rounds = HallRounds(database)
        self.unmasked = database["unmasked"]
        self.tombstones = Tombstones(database["tombstones"])
        self.mails = DeliveryStore(database, keys, self.tombstones)
        self.addresses = AddressStore(database)

    async def prepare(self) -> None:
        """Create the indexes; safe to repeat."""
        await leases.index(self.unmasked)
        await self.hall.create_index([("answered_at", DESCENDING), ("_id", DESCENDING)])
        await self.rounds.prepare()
        await self.mails.prepare()
        await self.addresses.prepare()

    # ── replies that wait for masking ───────────────────────────────────────

    async def add_unmasked(self, answers: Sequence[UnmaskedEntry], now: datetime) -> None:
        """Store replies until they are masked, the latest of each round, unless the hall has it. Safe to repeat."""
        shown = await self._shown([one.entry.inquiry_id for one in answers]) if answers else {}
        fresh = [one for one in answers if one.entry.n > shown.get((one.entry.inquiry_id, one.entry.round), 0)]
        documents = [unmasked_document(one, now) for one in fresh]
        waiting_before = await insert_new(self.unmasked, documents)
        for one in documents:
            if one["_id"] in waiting_before:
                await self.unmasked.replace_one({"_id": one["_id"], "n": {"$lt": one["n"]}}, one)

    async def _shown(self, inquiry_ids: Sequence[str]) -> dict[tuple[str, int], int]:
        """By inquiry and round, the number of the decision whose reply the hall shows."""
        shown = await self.rounds.shown(inquiry_ids)
        async for one in self.hall.find({"_id": {"$in": list(inquiry_ids)}}, {"n": 1, "round": 1}):
            shown[one["_id"], one["round"]] = one["n"]
        return shown

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
        """Store hall entries, in any order. Safe to repeat: a reply replaces only an earlier one of its round.

        The reply of a later round takes the place of the former one, which stays as the reply of an earlier round.
        """
        documents = [entry_document(one) for one in entries]
        existing = await insert_new(self.hall, documents)
        for one in documents:
            if one["_id"] in existing:
                await self._show_again(one)
        # Checked after the insert: an erasure that ran before it has not deleted these entries.
        for inquiry_id, through in (await self.tombstones.through_of(one["_id"] for one in documents)).items():
            await self.erase_entry(inquiry_id, through)

    async def _show_again(self, document: Document) -> None:
        """Store an entry of an inquiry that the hall shows already."""
        while (now := await self.hall.find_one({"_id": document["_id"]})) is not None:
            if document["round"] < now["round"]:
                await self.rounds.keep(document)
                return
            if document["n"] <= now["n"]:
                return
            if document["round"] > now["round"]:
                # Before the replacement: killed between the two, the earlier reply is kept twice, and shown once.
                await self.rounds.keep(now)
            replaced = await self.hall.replace_one({"_id": document["_id"], "n": now["n"]}, document)
            if replaced.modified_count:
                return

    async def erase_entry(self, inquiry_id: str, through: int) -> None:
        """Delete the hall entry of an inquiry if its decision is `through` or earlier; safe to repeat."""
        for field in ("_id", "inquiry_id"):
            await self.unmasked.delete_many({field: inquiry_id, "n": {"$lte": through}})
        await self.hall.delete_many({"_id": inquiry_id, "n": {"$lte": through}})
        await self.rounds.erase(inquiry_id, through)

    async def hall_page(self, after: str | None, limit: int) -> list[HallEntry]:
        """Up to `limit` entries, the newest answer first, after the entry of the inquiry `after`."""
        query: Document = {}
        if after and (last := await self.entry(after)):
            at = last.answered_at
            query = {"$or": [{"answered_at": {"$lt": at}}, {"answered_at": at, "_id": {"$lt": after}}]}
        found = self.hall.find(query).sort([("answered_at", DESCENDING), ("_id", DESCENDING)])
        entries = [entry(one) for one in await found.to_list(limit)]
        return await self.rounds.with_earlier(entries)

    async def entry(self, inquiry_id: str) -> HallEntry | None:
        stored = await self.hall.find_one({"_id": inquiry_id})
        if stored is None:
            return None
        [found] = await self.rounds.with_earlier([entry(stored)])
        return found


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
    }


def entry(stored: Document) -> HallEntry:
    return HallEntry(
        inquiry_id=stored["inquiry_id"] if "inquiry_id" in stored else stored["_id"],
        n=stored["n"],
        round=stored["round"],
        answered_at=stored["answered_at"],
        language=stored["language"],
        subject=stored["subject"],
        body=stored["body"],
        paragraphs=tuple(Paragraph.model_validate(part) for part in stored["paragraphs"]),
        opening=stored.get("opening"),
        closing=stored.get("closing"),
    )


def unmasked_document(one: UnmaskedEntry, now: datetime) -> Document:
    """The document of a reply that waits for masking, due at once."""
    contact = one.contact.model_dump() if one.contact else None
    about = {"_id": unmasked_id(one.entry), "inquiry_id": one.entry.inquiry_id}
    return {**entry_document(one.entry), **about, "contact": contact, "attempts": 0, "due_at": now}


def unmasked_id(one: HallEntry) -> str:
    """Replies of several rounds may wait for masking at the same time. The first round has the id of former releases."""
    return one.inquiry_id if one.round == 1 else round_id(one.inquiry_id, one.round)


def unmasked_entry(stored: Document) -> UnmaskedEntry:
    contact = Contact.model_validate(stored["contact"]) if stored["contact"] else None
    return UnmaskedEntry(entry(stored), contact, stored["attempts"], stored.get("claim"))


def lease_of_unmasked(claimed: UnmaskedEntry) -> Document:
    """The lease of a claimed reply, as `shared/store/leases.py` expects it."""
    return {"_id": unmasked_id(claimed.entry), "claim": claimed.claim}
