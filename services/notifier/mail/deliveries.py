"""The deliveries and threads of the notifier: what is to be mailed, who sends it now, and what became of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from services.notifier.domain.addresses import MailKeys
from services.notifier.domain.deliveries import Delivery, State
from services.notifier.domain.notices import Kind, Notice, unaddressed
from services.notifier.domain.threads import Thread, in_order
from services.notifier.mail import documents
from services.notifier.mail.documents import NO_PICTURE, NO_WORDS, OF_ERASURES, delivery_document, thread_document
from shared.contracts.resident_messages import ERASED
from shared.store import leases
from shared.store.mongo import ASCENDING, DESCENDING, Database, Document, UpdateOne, insert_new
from shared.store.tombstones import Tombstones

LEASE_S = 60.0
ERROR_MAX = 500
FAILED_KEPT = timedelta(days=30)
SUBJECTS_KEPT = timedelta(days=1)
SWEPT_AT_ONCE = 1_000


class Claimed(NamedTuple):
    """A thread that this process may send one mail of, with its open deliveries in order."""

    thread: Thread
    waiting: tuple[Delivery, ...]


class DeliveryStore:
    def __init__(self, database: Database, keys: MailKeys, tombstones: Tombstones) -> None:
        self.deliveries = database["deliveries"]
        self.threads = database["threads"]
        self.subjects = database["subjects"]
        self.keys = keys
        self.tombstones = tombstones

    async def prepare(self) -> None:
        """Create the indexes; safe to repeat."""
        await leases.index(self.threads)
        for collection, field in (
            (self.threads, "inquiry_id"),
            (self.threads, "address"),
            (self.deliveries, "inquiry_id"),
            (self.deliveries, "thread"),
            (self.subjects, "kept_until"),
        ):
            await collection.create_index([(field, ASCENDING)])
        await self.deliveries.create_index([("words_until", ASCENDING)], sparse=True)
        await self.deliveries.create_index([("state", ASCENDING), ("noted_at", DESCENDING)])

    async def add_notices(self, notices: Sequence[Notice], now: datetime) -> None:
        """Store a delivery for each notice, and make its thread due. Safe to repeat: `_id` is the id of the event."""
        threads = [self.thread_of(one) for one in notices]
        new = [delivery_document(one, thread.id, now) for one, thread in zip(notices, threads, strict=True)]
        await insert_new(self.deliveries, new)
        await self._make_due(threads, now)
        # Checked after the inserts: an erasure that ran before them has not deleted these words.
        for inquiry_id in await self.tombstones.through_of(one.inquiry_id for one in notices):
            await self.erase(inquiry_id)

    async def _make_due(self, threads: Sequence[Thread], now: datetime) -> None:
        """Wake threads. `news` is counted first: a process that closes a thread meanwhile sees that it has changed."""
        by_id = {one.id: one for one in threads}
        known = await insert_new(self.threads, [thread_document(one, now) for one in by_id.values()])
        updates = [UpdateOne({"_id": id_}, {"$inc": {"news": 1}}) for id_ in known]
        updates += [UpdateOne({"_id": id_, "due_at": {"$exists": False}}, {"$set": {"due_at": now}}) for id_ in known]
        if updates:
            await self.threads.bulk_write(updates, ordered=True)

    def thread_of(self, notice: Notice) -> Thread:
        return documents.new_thread(notice, self.keys)

    # ── sending ──────────────────────────────────────────────────────────────

    async def claim(self, now: datetime, kind: Kind, limit: int, channel: str | None = None) -> list[Claimed]:
        """Lease up to `limit` due threads of this kind, and of this gateway, to this process for LEASE_S seconds."""
        only: Document = {"kind": kind} if channel is None else {"kind": kind, "channel": channel}
        threads = [documents.thread(one) for one in await leases.claim(self.threads, now, LEASE_S, limit, only)]
        if not threads:
            return []
        open_ones = {"thread": {"$in": [one.id for one in threads]}, "due_at": {"$exists": True}}
        found = [documents.delivery(one) for one in await self.deliveries.find(open_ones).to_list(None)]
        return [Claimed(one, tuple(in_order([each for each in found if each.thread == one.id]))) for one in threads]

    async def begin(self, thread: Thread, mail: Sequence[Delivery], subject_has_words: bool) -> bool:
        """Record which deliveries the next mail contains, before it is sent; False when the claim is lost."""
        begun: Document = {"sending": [one.id for one in mail], "subject_has_words": subject_has_words}
        result = await self.threads.update_one(_claimed(thread), {"$set": begun})
        return bool(result.matched_count)

    async def sent(self, thread: Thread, mail: Sequence[Delivery], more: bool, now: datetime) -> None:
        """Mark deliveries as sent in one mail, and delete their words and address. `more`: others of the thread wait."""
        result: Document = {"state": "sent", "sent_at": now, "mail": mail[-1].id, "error": None}
        await self._close(mail, result | documents.without_words(mail[-1].notice), attempts=1, words_go=True)
        await self.settle(thread, more, now)

    async def failed(self, thread: Thread, mail: Sequence[Delivery], more: bool, error: str, now: datetime) -> None:
        """Mark deliveries as failed for the last time; their words stay for FAILED_KEPT, to be sent again."""
        result: Document = {"state": "failed", "error": _error(error), "words_until": now + FAILED_KEPT}
        await self._close(mail, result, attempts=1)
        await self.settle(thread, more, now)

    async def stopped(self, thread: Thread, waiting: Sequence[Delivery], now: datetime) -> None:
        """Mark deliveries as stopped by their recipient, and delete their words and address."""
        if waiting:
            fields: Document = {"state": "stopped"} | documents.without_words(waiting[0].notice)
            await self._close(waiting, fields, attempts=0, words_go=True)
        await self.settle(thread, False, now)

    async def retry_at(
        self, thread: Thread, mail: Sequence[Delivery], due_at: datetime, error: str, maybe_sent: bool
    ) -> None:
        """Mark deliveries as failed until `due_at`. `maybe_sent`: the mail server may have the mail; repeat it unchanged."""
        result: Document = {"state": "retrying", "error": _error(error), "due_at": due_at}
        ids = {"_id": {"$in": [one.id for one in mail]}, "due_at": {"$exists": True}}
        await self.deliveries.update_many(ids, {"$set": result, "$inc": {"attempts": 1}})
        kept: Document = {"attempts": thread.attempts + 1} | ({} if maybe_sent else {"sending": []})
        await leases.reschedule(self.threads, _claimed(thread), due_at, kept)

    async def wait_until(self, thread: Thread, due_at: datetime) -> None:
        """End the claim of a thread that this process did not try; it is due at `due_at`."""
        waiting = {"thread": thread.id, "due_at": {"$exists": True}}
        await self.deliveries.update_many(waiting, {"$set": {"due_at": due_at}})
        await leases.reschedule(self.threads, _claimed(thread), due_at, {})

    async def hold_back(self, thread: Thread, now: datetime, due_at: datetime) -> None:
        """As `wait_until`, for all due threads of this address at once: a flood must not keep the processes busy."""
        others: Document = {"address": thread.address, "kind": thread.kind, "due_at": {"$lte": now}}
        await self.threads.update_many(others | {"claim": {"$exists": False}}, {"$set": {"due_at": due_at}})
        await self.wait_until(thread, due_at)

    async def _close(
        self, mail: Sequence[Delivery], fields: Document, attempts: int, *, words_go: bool = False
    ) -> None:
        """Change open deliveries only: an erasure may have cancelled them meanwhile."""
        ids = {"_id": {"$in": [one.id for one in mail]}, "due_at": {"$exists": True}}
        gone = {"due_at": ""} | (NO_PICTURE if words_go else {})
        changes: Document = {"$set": fields, "$unset": gone, "$inc": {"attempts": attempts}}
        await self.deliveries.update_many(ids, changes)

    async def settle(self, thread: Thread, more: bool, now: datetime) -> None:
        """End the claim. The thread is due again if more deliveries wait, or if notices came during the claim."""
        ended: Document = {"sending": [], "attempts": 0}
        if not more:
            closed: Document = {"$set": ended, "$unset": {"due_at": "", "claim": ""}}
            result = await self.threads.update_one(_claimed(thread) | {"news": thread.news}, closed)
            if result.matched_count:
                return
        await leases.reschedule(self.threads, _claimed(thread), now, ended)

    # ── what recipients and operators ask for ────────────────────────────────

    async def thread(self, id_: str) -> Thread | None:
        stored = await self.threads.find_one({"_id": id_})
        return documents.thread(stored) if stored else None

    async def set_stopped(self, thread_id: str, stopped: bool) -> None:
        """Stop the mails of a thread, or resume them; safe to repeat."""
        await self.threads.update_one({"_id": thread_id}, {"$set": {"stopped": stopped}})

    async def knows(self, address: str, besides: str = "") -> bool:
        """Whether a thread of another inquiry than `besides` has this address (a keyed hash)."""
        query: Document = {"address": address, "inquiry_id": {"$ne": besides}}
        return await self.threads.find_one(query, {"_id": 1}) is not None

    async def try_now(self, address: str, now: datetime) -> None:
        """Make all waiting threads of an address due."""
        waiting: Document = {"address": address, "due_at": {"$gt": now}, "claim": {"$exists": False}}
        await self.threads.update_many(waiting, {"$set": {"due_at": now}})

    async def delivery(self, id_: str) -> Delivery | None:
        stored = await self.deliveries.find_one({"_id": id_})
        return documents.delivery(stored) if stored else None

    async def send_again(self, failed: Delivery, now: datetime) -> None:
        """Open a failed delivery again; its place in its thread stays the same. Safe to repeat."""
        opened: Document = {"state": "waiting", "tried_from": now, "due_at": now}
        changes = {"$set": opened, "$unset": {"words_until": ""}}
        still_failed: Document = {"_id": failed.id, "words_until": {"$exists": True}, "to": failed.notice.to}
        if (await self.deliveries.update_one(still_failed, changes)).matched_count:
            await self._make_due([self.thread_of(failed.notice)], now)

    async def page(
        self, state: State | None, inquiry_id: str | None, after: Delivery | None, limit: int
    ) -> list[Delivery]:
        """Up to `limit` deliveries, newest first, older than `after`; if given, only this state or this inquiry."""
        query: Document = {name: value for name, value in (("state", state), ("inquiry_id", inquiry_id)) if value}
        if after is not None:
            query["$or"] = [
                {"noted_at": {"$lt": after.noted_at}},
                {"noted_at": after.noted_at, "_id": {"$lt": after.id}},
            ]
        found = self.deliveries.find(query).sort([("noted_at", DESCENDING), ("_id", DESCENDING)])
        return [documents.delivery(one) for one in await found.to_list(limit)]

    async def count(self, *states: State) -> int:
        return await self.deliveries.count_documents({"state": {"$in": states}})

    # ── subjects of cases, for mails to departments ──────────────────────────

    async def add_subjects(self, subjects: dict[str, str], now: datetime) -> None:
        """Keep the subject of each inquiry for a day, for mails about its new parts: their events have no words."""
        kept_until = now + SUBJECTS_KEPT
        updates = [
            UpdateOne({"_id": id_}, {"$set": {"subject": subject, "kept_until": kept_until}}, upsert=True)
            for id_, subject in subjects.items()
        ]
        if updates:
            await self.subjects.bulk_write(updates, ordered=False)
        for inquiry_id in await self.tombstones.through_of(subjects):
            await self.erase(inquiry_id)

    async def subject_of(self, inquiry_id: str) -> str | None:
        stored = await self.subjects.find_one({"_id": inquiry_id})
        return str(stored["subject"]) if stored else None

    async def threads_of(self, inquiry_id: str) -> list[Thread]:
        found = await self.threads.find({"inquiry_id": inquiry_id}).to_list(None)
        return [documents.thread(one) for one in found]

    async def erase(self, inquiry_id: str) -> None:
        """Cancel unsent mails, delete words and addresses of all mails of an inquiry, and its threads; safe to repeat.

        The deliveries stay, so that a repeated message makes no new one; a gateway still learns of the erasure. A mail
        that is being sent right now is still sent.
        """
        of_inquiry: Document = {"inquiry_id": inquiry_id, "what": {"$ne": ERASED}}
        unsent = of_inquiry | {"due_at": {"$exists": True}}
        await self.deliveries.update_many(unsent, {"$set": {"state": "cancelled"}, "$unset": {"due_at": ""}})
        gone: Document = {"to": None, "error": None, "thread": None, **NO_WORDS}
        unset = {"words_until": "", **NO_PICTURE}
        await self.deliveries.update_many(of_inquiry, {"$set": gone, "$unset": unset})
        await self.subjects.delete_one({"_id": inquiry_id})
        await self.threads.delete_many({"inquiry_id": inquiry_id, "address": {"$ne": OF_ERASURES}})

    async def forget_old(self, now: datetime) -> None:
        """Delete the words of mails that failed long ago, and subjects that no mail needs any more; safe to repeat."""
        await self.subjects.delete_many({"kept_until": {"$lte": now}})
        for one in await self.deliveries.find({"words_until": {"$lte": now}}).to_list(SWEPT_AT_ONCE):
            gone: Document = {"$set": documents.without_words(documents.delivery(one).notice), "$unset": NO_PICTURE}
            await self.deliveries.update_one({"_id": one["_id"], "state": "failed"}, gone)
            await self.deliveries.update_one({"_id": one["_id"]}, {"$unset": {"words_until": ""}})


def _claimed(thread: Thread) -> Document:
    return {"_id": thread.id, "claim": thread.claim}


def _error(error: str) -> str:
    return unaddressed(error)[:ERROR_MAX]
