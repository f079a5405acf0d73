"""The audit of users: who changed which user, when. Entries are only added; a gap in their numbers shows a deletion."""

from dataclasses import dataclass
from typing import Literal

from services.router.domain.staff import StaffUser
from shared.runtime import timestamps
from shared.store.mongo import ASCENDING, DESCENDING, Database, Document, DuplicateKeyError

What = Literal["user-added", "user-disabled", "token-added", "token-revoked"]


@dataclass(frozen=True, slots=True)
class AuditedAct:
    """An act on a user. `by` is None for the router itself, at its start. It holds no secret: a token has an id."""

    what: What
    user: StaffUser
    by: StaffUser | None
    token_id: str | None = None


class UserAudit:
    """The collection `audit`: `_id` counts its entries from 1 without gaps."""

    def __init__(self, database: Database) -> None:
        self.collection = database["audit"]

    async def add(self, act: AuditedAct) -> None:
        """Append an entry. Of two processes that append at once, one takes the next number."""
        entry: Document = {
            "at": timestamps.now(),
            "by": act.by and {"number": act.by.number, "name": act.by.name},
            "what": act.what,
            "number": act.user.number,
            "name": act.user.name,
            "role": act.user.role,
            "department": act.user.department,
            "token_id": act.token_id,
        }
        while True:
            newest = await self.collection.find_one({}, sort=[("_id", DESCENDING)])
            try:
                await self.collection.insert_one({"_id": newest["_id"] + 1 if newest else 1, **entry})
            except DuplicateKeyError:
                continue
            return

    async def has(self, number: int) -> bool:
        return await self.collection.find_one({"_id": number}, ["_id"]) is not None

    async def page(self, after: int, limit: int) -> list[Document]:
        """Entries with a number greater than `after`, in order."""
        return await self.collection.find({"_id": {"$gt": after}}).sort("_id", ASCENDING).to_list(limit)
