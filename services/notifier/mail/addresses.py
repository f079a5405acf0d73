"""Which addresses have confirmed, and how many mails the others got within the last hour, by keyed hashes alone."""

from collections.abc import Iterable
from datetime import datetime
from uuid import uuid4

from services.notifier.domain.limits import PERIOD, Slot, take_slot
from shared.store.mongo import ASCENDING, Collection, Database, find_by, insert_new


class AddressStore:
    def __init__(self, database: Database) -> None:
        self.addresses = database["addresses"]
        self.limits: Collection = database["limits"]

    async def prepare(self) -> None:
        """Create the indexes; safe to repeat."""
        await self.limits.create_index([("until", ASCENDING)])

    async def confirmed(self, addresses: Iterable[str]) -> set[str]:
        """Those of these addresses (keyed hashes) that have confirmed."""
        return {one["_id"] for one in await find_by(self.addresses, "_id", sorted(set(addresses)))}

    async def confirm(self, address: str, now: datetime) -> None:
        """Record that somebody who reads this address wants whole mails. Safe to repeat."""
        await insert_new(self.addresses, [{"_id": address, "confirmed_at": now}])

    async def take_slot(self, mailbox: str, id_: str, now: datetime, most: int) -> datetime | None:
        """Count a mail to a mailbox; when its hour is full, return when to try again, and count nothing.

        Safe to repeat for the same mail. Two processes cannot take the last slot both: a write that meets another
        version of the document changes nothing, and is decided anew.
        """
        while True:
            stored = await self.limits.find_one({"_id": mailbox})
            before = tuple(Slot(one["id"], one["at"]) for one in stored["slots"]) if stored else ()
            after, wait_until = take_slot(before, id_, now, most)
            if after == before or wait_until is not None:
                return wait_until
            fields = {"slots": [one._asdict() for one in after], "until": now + PERIOD, "version": uuid4().hex}
            if stored is None:
                if not await insert_new(self.limits, [{"_id": mailbox, **fields}]):
                    return None
            else:
                read = {"_id": mailbox, "version": stored["version"]}
                result = await self.limits.update_one(read, {"$set": fields})
                if result.matched_count:
                    return None

    async def forget(self, address: str, mailbox: str) -> None:
        """Delete what is known of an address; safe to repeat."""
        await self.addresses.delete_one({"_id": address})
        await self.limits.delete_one({"_id": mailbox})

    async def forget_old(self, now: datetime) -> None:
        """Delete the counts of mailboxes that got no mail within the last hour; safe to repeat."""
        await self.limits.delete_many({"until": {"$lte": now}})
