"""What the notifier keeps: deliveries, each once, and the hall's entries, one an inquiry."""

from collections.abc import Sequence
from datetime import datetime

from services.notifier.domain.deliveries import Delivery, Kind, State
from services.notifier.domain.hall import HallEntry
from services.notifier.domain.notices import Notice, hidden, unaddressed
from shared.contracts.resident_messages import Paragraph
from shared.store import leases
from shared.store.mongo import ASCENDING, DESCENDING, Database, Document, insert_new
from shared.store.tombstones import Tombstones

LEASE_S = 60.0
ERROR_MAX = 500


class NotifierStore:
    """The notifier's database."""

    def __init__(self, database: Database) -> None:
        self.deliveries = database["deliveries"]
        self.hall = database["hall"]
        self.tombstones = Tombstones(database["tombstones"])

    async def prepare(self) -> None:
        """Indexes; safe to repeat."""
        await leases.index(self.deliveries)
        await self.deliveries.create_index([("inquiry_id", ASCENDING)])
        await self.hall.create_index([("answered_at", DESCENDING), ("_id", DESCENDING)])

    # ── deliveries ───────────────────────────────────────────────────────────

    async def add_notices(self, notices: Sequence[Notice], now: datetime) -> None:
        """Open a delivery for each notice that has none yet: its `_id` is the event's id."""
        await insert_new(self.deliveries, [waiting(one, now) for one in notices])

    async def claim(self, now: datetime, kind: Kind, limit: int) -> list[Delivery]:
        """Deliveries of this kind that are due, for this process alone until its lease is over."""
        return [delivery(one) for one in await leases.claim(self.deliveries, now, LEASE_S, limit, {"kind": kind})]

    async def sent(self, claimed: Delivery, now: datetime) -> None:
        """The mail server has it: what it said and to whom is no longer needed."""
        said = {"state": "sent", "sent_at": now, "attempts": claimed.attempts + 1, "error": None}
        await leases.done(self.deliveries, held(claimed), said | forgotten(claimed))

    async def failed(self, claimed: Delivery, error: str) -> None:
        """It will never be sent: what it said and to whom is no longer needed either."""
        said = {"state": "failed", "attempts": claimed.attempts + 1, "error": unaddressed(error)[:ERROR_MAX]}
        await leases.done(self.deliveries, held(claimed), said | forgotten(claimed))

    async def later(self, claimed: Delivery, due_at: datetime, error: str) -> None:
        """Try again then."""
        said = {"state": "retrying", "attempts": claimed.attempts + 1, "error": unaddressed(error)[:ERROR_MAX]}
        await leases.reschedule(self.deliveries, held(claimed), due_at, said)

    async def give_back(self, claimed: Delivery, now: datetime) -> None:
        """It was claimed and not tried: whoever looks next may take it."""
        await leases.reschedule(self.deliveries, held(claimed), now, {})

    async def deliveries_page(self, state: State | None, inquiry_id: str | None, limit: int) -> list[Delivery]:
        """Deliveries, newest first; only those in this state or of this inquiry, when one is given."""
        query = {name: value for name, value in (("state", state), ("inquiry_id", inquiry_id)) if value}
        found = self.deliveries.find(query).sort("noted_at", DESCENDING)
        return [delivery(one) for one in await found.to_list(limit)]

    async def erase_deliveries(self, inquiry_id: str) -> None:
        """Cancel what is not sent, and drop words and addresses of all; safe to repeat.

        The deliveries stay, so a message that is read again opens none. A mail that the mailroom has
        in hand still goes out.
        """
        unsent = {"inquiry_id": inquiry_id, "state": {"$in": ["waiting", "retrying"]}}
        cancelled = {"$set": {"state": "cancelled"}, "$unset": {"due_at": "", "claim": ""}}
        await self.deliveries.update_many(unsent, cancelled)
        nothing: Document = {"to": None, "subject": None, "text": None, "error": None}
        await self.deliveries.update_many({"inquiry_id": inquiry_id}, {"$set": nothing})

    # ── hall ─────────────────────────────────────────────────────────────────

    async def show(self, entries: Sequence[HallEntry]) -> None:
        """One entry an inquiry; the answer of a later round replaces an earlier one, never the other way round."""
        documents = [shown(one) for one in entries]
        taken = await insert_new(self.hall, documents)
        for one in documents:
            if one["_id"] in taken:
                await self.hall.replace_one({"_id": one["_id"], "n": {"$lt": one["n"]}}, one)
        # Asked after they are stored: an erasure that came in between has not seen them.
        for inquiry_id, through in (await self.tombstones.through_of(one["_id"] for one in documents)).items():
            await self.erase_entry(inquiry_id, through)

    async def erase_entry(self, inquiry_id: str, through: int) -> None:
        """Take an answer out of the hall that was given by this decision or before; safe to repeat."""
        await self.hall.delete_many({"_id": inquiry_id, "n": {"$lte": through}})

    async def hall_page(self, after: str | None, limit: int) -> list[HallEntry]:
        """Entries by the time of their answer, newest first, from after the one named."""
        query: Document = {}
        if after and (last := await self.entry(after)):
            at = last.answered_at
            query = {"$or": [{"answered_at": {"$lt": at}}, {"answered_at": at, "_id": {"$lt": after}}]}
        found = self.hall.find(query).sort([("answered_at", DESCENDING), ("_id", DESCENDING)])
        return [entry(one) for one in await found.to_list(limit)]

    async def entry(self, inquiry_id: str) -> HallEntry | None:
        """One entry of the hall."""
        stored = await self.hall.find_one({"_id": inquiry_id})
        return entry(stored) if stored else None


# ── documents ────────────────────────────────────────────────────────────────


def waiting(notice: Notice, now: datetime) -> Document:
    """The delivery of a notice, due at once."""
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


def held(claimed: Delivery) -> Document:
    """What leases know a claimed delivery by."""
    return {"_id": claimed.id, "claim": claimed.claim}


def forgotten(claimed: Delivery) -> Document:
    """What is kept of a mail's words and address once it is settled: enough to recognise it."""
    return {"to": hidden(claimed.to) if claimed.to else None, "text": None, "subject": None}


def shown(one: HallEntry) -> Document:
    """An entry as it is stored."""
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
