"""Leases: a document with `due_at` is open work; `claim` moves `due_at` into the future, `done` removes it.

If a process dies, its claim expires and another process takes the work. A process whose claim has expired cannot change
the document: each write matches the token of its claim.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from shared.store.mongo import ASCENDING, DESCENDING, Collection, Document


async def index(collection: Collection) -> None:
    # Sparse: closed documents have no `due_at` and stay out of the index.
    await collection.create_index([("due_at", ASCENDING)], sparse=True)


async def claim(
    collection: Collection,
    now: datetime,
    lease_s: float,
    limit: int,
    only: Mapping[str, Any] | None = None,
    *,
    newest_first: bool = False,
) -> Sequence[Document]:
    """Claim up to `limit` due documents for `lease_s` seconds, those due first at the top; `only` is one more filter.

    If two processes find the same documents, each document goes to the process whose update wrote its token into `claim`.
    `due_at` of a returned document is when the claim expires.
    """
    due = (
        await collection.find({"due_at": {"$lte": now}, **(only or {})}, {"_id": 1})
        .sort("due_at", DESCENDING if newest_first else ASCENDING)
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


async def done(collection: Collection, claimed: Document, fields: Mapping[str, Any]) -> None:
    """Close a document and set `fields`. Safe to repeat; changes nothing after another process has claimed it."""
    await collection.update_one(_claimed(claimed), {"$set": dict(fields), "$unset": {"due_at": "", "claim": ""}})


async def reschedule(collection: Collection, claimed: Document, due_at: datetime, fields: Mapping[str, Any]) -> None:
    """Release a document until `due_at` and set `fields`; changes nothing after another process has claimed it."""
    await collection.update_one(_claimed(claimed), {"$set": {"due_at": due_at, **fields}, "$unset": {"claim": ""}})


def _claimed(claimed: Document) -> Document:
    return {"_id": claimed["_id"], "claim": claimed["claim"]}
