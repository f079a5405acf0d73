"""The collections of staff users.

`users` has one document for each user: `_id` is the number, `key` the name without regard to case. `user_tokens` has one
for each token: `_id` is the SHA-256 of the token, so the look-up of a request is one read by key.
"""

import secrets
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

from services.router.domain.staff import StaffRole, StaffUser
from shared.runtime import timestamps
from shared.store.mongo import ASCENDING, Database, Document, find_by, insert_new

SMALLEST_NUMBER, NUMBERS = 100_000_000, 900_000_000
USE_NOTED_EVERY = timedelta(minutes=1)


class Users:
    """The collections `users` and `user_tokens`."""

    def __init__(self, database: Database) -> None:
        self.users = database["users"]
        self.tokens = database["user_tokens"]

    async def prepare(self) -> None:
        """Create the indexes; safe to repeat."""
        await self.users.create_index([("key", ASCENDING)], unique=True)
        await self.tokens.create_index([("user", ASCENDING)])

    # ── users ────────────────────────────────────────────────────────────────

    async def add(self, user: StaffUser, by: int | None) -> bool:
        """Store a new user. Returns False when the name is taken, or the number."""
        stored: Document = {
            "_id": user.number,
            "key": key_of(user.name),
            "name": user.name,
            "role": user.role,
            "department": user.department,
            "disabled": False,
            "created_at": timestamps.now(),
            "created_by": by,
        }
        return not await insert_new(self.users, [stored])

    async def named(self, name: str) -> Document | None:
        return await self.users.find_one({"key": key_of(name)})

    async def all(self) -> list[Document]:
        """Every user, by name."""
        return await self.users.find({}).sort("key", ASCENDING).to_list(None)

    async def disable(self, number: int) -> None:
        """Safe to repeat. The tokens of the user stay stored and stop working."""
        await self.users.update_one({"_id": number}, {"$set": {"disabled": True}})

    # ── tokens ───────────────────────────────────────────────────────────────

    async def add_token(
        self, token_hash: str, id_: str, number: int, by: int | None, *, from_file: bool = False
    ) -> bool:
        """Store a token of a user. Safe to repeat: returns False when it is stored already."""
        token: Document = {
            "_id": token_hash,
            "id": id_,
            "user": number,
            "created_at": timestamps.now(),
            "created_by": by,
        }
        token |= {"used_at": None, "revoked_at": None, "from_file": from_file}
        return not await insert_new(self.tokens, [token])

    async def tokens_of(self, numbers: Sequence[int]) -> list[Document]:
        """The tokens of these users, oldest first."""
        found = await find_by(self.tokens, "user", numbers)
        return sorted(found, key=lambda one: (one["created_at"], one["id"]))

    async def revoke(self, token_hash: str) -> None:
        """Safe to repeat: the first time counts."""
        await self.tokens.update_one(
            {"_id": token_hash, "revoked_at": None}, {"$set": {"revoked_at": timestamps.now()}}
        )

    async def use_file_token(self, token_hash: str, number: int) -> bool:
        """Accept this token of the file again, and revoke the ones that the file had before. Safe to repeat.

        Returns False, and changes nothing, when it is the token of another user.
        """
        own = {"_id": token_hash, "user": number}
        used = await self.tokens.update_one(own, {"$set": {"revoked_at": None, "from_file": True}})
        if not used.matched_count:
            return False
        for former in await self.tokens_of([number]):
            if former["from_file"] and former["_id"] != token_hash:
                await self.revoke(former["_id"])
        return True

    async def knows_token(self, token_hash: str) -> bool:
        """Whether the token is stored, revoked or not."""
        return await self.tokens.find_one({"_id": token_hash}, ["_id"]) is not None

    async def user_of(self, token_hash: str, now: datetime) -> StaffUser | None:
        """The user of a token, and a note of its use; None for an unknown or revoked token or a disabled user."""
        token = await self.tokens.find_one({"_id": token_hash})
        if token is None or token["revoked_at"] is not None:
            return None
        user = await self.users.find_one({"_id": token["user"]})
        if user is None or user["disabled"]:
            return None
        if token["used_at"] is None or now - token["used_at"] >= USE_NOTED_EVERY:
            await self.tokens.update_one({"_id": token_hash, "used_at": token["used_at"]}, {"$set": {"used_at": now}})
        return staff_user(user)


def new_number() -> int:
    """A random number of nine digits: it says nothing about the user, such as when the account was made."""
    return SMALLEST_NUMBER + secrets.randbelow(NUMBERS)


def staff_user(stored: Document) -> StaffUser:
    return StaffUser(stored["_id"], stored["name"], cast(StaffRole, stored["role"]), stored["department"])


def key_of(name: str) -> str:
    """What is unique of a name: `Li` and `li` are one user."""
    return unicodedata.normalize("NFKC", name).casefold()
