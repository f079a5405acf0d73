"""Claiming work that is due: a document with `due_at` is open; a claim moves it into the future, and done removes it.

A process that dies leaves its claim to run out, so that another takes the work. A process that outlives its claim
changes nothing any more: what it says of the document counts only while the token is its own.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from shared.store.mongo import ASCENDING, Collection, Document


async def index(collection: Collection) -> None:
    """What claiming needs; only open documents are in it."""
    await collection.create_index([("due_at", ASCENDING)], sparse=True)


async def claim(
    collection: Collection, now: datetime, lease_s: float, limit: int, only: Mapping[str, Any] | None = None
) -> Sequence[Document]:
    """Take up to `limit` documents that are due, oldest first, for `lease_s` seconds; `only` those of this kind.

    Two processes may look at the same ones; each document is given to one, by the token its update left in `claim`.
    `due_at` of what is returned is when the claim runs out.
    """
    due = (
        await collection.find({"due_at": {"$lte": now}, **(only or {})}, {"_id": 1})
        .sort("due_at", ASCENDING)
        .to_list(limit)
    )
    if not due:
        return []
    ids = [one["_id"] for one in due]
    token = uuid4().hex
    until = now + timedelta(seconds=lease_s)
    await collection.update_many(
        {"_id": {"$in": ids}, "due_at": {"$lte": now}}, {"$set": {"due_at": until, "claim": token}}
    )
    return await collection.find({"_id": {"$in": ids}, "claim": token}).to_list(limit)


async def done(collection: Collection, claimed: Document, said: Mapping[str, Any]) -> None:
    """Close a document, leaving what is `said` of it; safe to repeat, and nothing once the claim is another's."""
    await collection.update_one(_held(claimed), {"$set": dict(said), "$unset": {"due_at": "", "claim": ""}})


async def again_at(collection: Collection, claimed: Document, due_at: datetime, said: Mapping[str, Any]) -> None:
    """Open a document again for later, leaving what is `said` of it; nothing once the claim is another's."""
    await collection.update_one(_held(claimed), {"$set": {"due_at": due_at, **said}, "$unset": {"claim": ""}})


def _held(claimed: Document) -> Document:
    return {"_id": claimed["_id"], "claim": claimed["claim"]}
