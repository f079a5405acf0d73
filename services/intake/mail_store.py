"""The mails as they came, byte for byte, until their inquiry is erased."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from shared.store.mongo import ASCENDING, Database, Document, insert_new

KEPT_WITHOUT_INQUIRY = timedelta(days=2)
"""A mail whose ledger entry was not stored: its sender has got no confirmation, and sends it again for a day or more."""
AT_ONCE = 100


class KeptFile(NamedTuple):
    """A file in a mail."""

    name: str
    media_type: str


class MailStore:
    def __init__(self, database: Database) -> None:
        self.mails = database["mails"]

    async def prepare(self) -> None:
        """Create the indexes; safe to repeat."""
        await self.mails.create_index([("inquiry_id", ASCENDING)])
        await self.mails.create_index([("unassigned_since", ASCENDING)], sparse=True)

    async def add(self, id_: str, content: bytes, files: Sequence[KeptFile], now: datetime) -> None:
        """Keep a mail before its ledger entry is written. Safe to repeat."""
        document: Document = {"_id": id_, "raw": content, "received_at": now, "unassigned_since": now}
        document["files"] = [one._asdict() for one in files]
        await insert_new(self.mails, [document])

    async def assign(self, id_: str, inquiry_id: str, event_id: str) -> None:
        """Record the inquiry and the ledger entry of a mail, once the entry is stored. Safe to repeat."""
        fields: Document = {"inquiry_id": inquiry_id, "event_id": event_id}
        await self.mails.update_one({"_id": id_}, {"$set": fields, "$unset": {"unassigned_since": ""}})

    async def of(self, inquiry_id: str) -> Sequence[Document]:
        """The mails of an inquiry, oldest first."""
        return await self.mails.find({"inquiry_id": inquiry_id}).sort("received_at", ASCENDING).to_list(None)

    async def get(self, id_: str) -> Document | None:
        return await self.mails.find_one({"_id": id_})

    async def erase(self, inquiry_id: str) -> None:
        """Delete the mails of an inquiry; safe to repeat."""
        await self.mails.delete_many({"inquiry_id": inquiry_id})

    async def forget_unassigned(self, now: datetime) -> None:
        """Delete mails that were kept and never became part of an inquiry; safe to repeat."""
        await self.mails.delete_many({"unassigned_since": {"$lte": now - KEPT_WITHOUT_INQUIRY}})
