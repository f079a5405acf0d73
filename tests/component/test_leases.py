"""Leases on a real store: each due document is claimed by one process at a time."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from shared.store import leases
from shared.store.mongo import Collection, Database, Document
from tests.builders import MONDAY_NOON

LEASE_S = 60.0
OVER = MONDAY_NOON + timedelta(seconds=LEASE_S)


@pytest.fixture
async def work(database: Database) -> Collection:
    """Three documents, newest first: due one, two and three minutes ago."""
    collection = database["work"]
    await leases.index(collection)
    await collection.insert_many(
        [
            {"_id": f"{minutes} min", "kind": "odd" if minutes % 2 else "even", "due_at": minutes_ago(minutes)}
            for minutes in (1, 2, 3)
        ]
    )
    return collection


def minutes_ago(minutes: int) -> Any:
    return MONDAY_NOON - timedelta(minutes=minutes)


async def claim(collection: Any, at: Any = MONDAY_NOON, limit: int = 9, **only: str) -> list[Document]:
    return list(await leases.claim(collection, at, LEASE_S, limit, only or None))


def ids(documents: list[Document]) -> set[str]:
    return {one["_id"] for one in documents}


async def test_the_longest_overdue_document_is_claimed_first(work: Collection) -> None:
    assert ids(await claim(work, limit=2)) == {"3 min", "2 min"}
    assert ids(await claim(work, limit=2)) == {"1 min"}


async def test_documents_that_are_not_due_are_not_claimed(work: Collection) -> None:
    assert ids(await claim(work, at=minutes_ago(2))) == {"3 min", "2 min"}


async def test_only_documents_that_match_the_filter_are_claimed(work: Collection) -> None:
    assert ids(await claim(work, kind="even")) == {"2 min"}
    assert ids(await claim(work)) == {"3 min", "1 min"}


async def test_a_claim_lasts_until_its_lease_expires(work: Collection) -> None:
    assert {one["due_at"] for one in await claim(work)} == {OVER}
    assert await claim(work, at=OVER - timedelta(milliseconds=1)) == []
    assert len(await claim(work, at=OVER)) == 3


async def test_a_process_with_an_expired_lease_cannot_update_the_document(work: Collection) -> None:
    [former] = await claim(work, kind="even")
    [_] = await claim(work, at=OVER, kind="even")
    stored = await work.find_one({"_id": former["_id"]})
    await leases.done(work, former, {"said": "by the former"})
    await leases.reschedule(work, former, MONDAY_NOON, {"said": "by the former"})
    assert await work.find_one({"_id": former["_id"]}) == stored


async def test_a_completed_document_is_never_due_again(work: Collection) -> None:
    for one in await claim(work):
        await leases.done(work, one, {"said": "done"})
        await leases.done(work, one, {"said": "done again"})
    assert await claim(work, at=OVER + timedelta(days=365)) == []
    assert [one["said"] for one in await work.find().to_list(None)] == ["done"] * 3


async def test_a_postponed_document_is_released_and_due_later(work: Collection) -> None:
    [held] = await claim(work, limit=1)
    later = MONDAY_NOON + timedelta(hours=1)
    await leases.reschedule(work, held, later, {"tries": 1})
    await leases.done(work, held, {"said": "after it was given back"})
    stored = await work.find_one({"_id": held["_id"]})
    assert stored == {"_id": "3 min", "kind": "odd", "due_at": later, "tries": 1}
    assert "3 min" in ids(await claim(work, at=later))


class Late:
    """A collection whose caller is delayed between finding and claiming due documents."""

    def __init__(self, collection: Collection) -> None:
        self.collection = collection
        self.looked, self.go_on = asyncio.Event(), asyncio.Event()
        self.find = collection.find

    async def update_many(self, *given: Any) -> Any:
        self.looked.set()
        await self.go_on.wait()
        return await self.collection.update_many(*given)


async def test_two_processes_never_claim_the_same_document(work: Collection) -> None:
    late = Late(work)
    slow = asyncio.create_task(claim(late))
    await asyncio.wait_for(late.looked.wait(), 10)
    quick = await claim(work, limit=2)
    late.go_on.set()
    assert (ids(quick), ids(await slow)) == ({"3 min", "2 min"}, {"1 min"})
    for one in quick:
        await leases.done(work, one, {"said": "quick"})
    assert await work.count_documents({"said": "quick"}) == 2
