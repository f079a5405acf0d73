"""MongoDB operations of the stores, with Motor and with PyMongo's async client."""

from datetime import timedelta

import pytest
from pymongo.errors import PyMongoError

from services.router.stores.case_rows import CaseRows
from shared.runtime import timestamps
from shared.store import leases
from shared.store.mongo import (
    ASCENDING,
    DESCENDING,
    ClientClass,
    Database,
    Document,
    DuplicateKeyError,
    ReplaceOne,
    StoreUnavailable,
    UpdateOne,
    close,
    connect,
    find_by,
    insert_new,
    not_in,
    ping,
    refuses_login,
)
from tests.backing import Backing

pytestmark = pytest.mark.both_clients

NOW = timestamps.from_text("2026-03-16T04:00:00.000Z")
MANY: list[Document] = [{"_id": f"{number:03}", "value": number} for number in range(120)]


async def test_a_database_uses_the_requested_client(database: Database, client_class: ClientClass) -> None:
    assert type(database.client) is client_class
    assert database.write_concern.document == {"w": "majority", "j": True}
    await ping(database)


async def test_a_closed_client_rejects_operations(
    running: Backing, database: Database, client_class: ClientClass
) -> None:
    another = connect(running.mongodb, database.name, client_class)
    await insert_new(another["things"], MANY[:1])
    await close(another)
    with pytest.raises(PyMongoError):
        await insert_new(another["things"], MANY[1:2])


async def test_an_unavailable_store_is_distinguished_from_a_rejected_operation(client_class: ClientClass) -> None:
    away = connect("mongodb://127.0.0.1:1", "none", client_class)
    try:
        with pytest.raises(StoreUnavailable) as raised:
            await ping(away)
        assert not refuses_login(raised.value)
    finally:
        await close(away)


async def test_new_documents_are_inserted_once_and_found_in_batches(database: Database) -> None:
    things = database["things"]
    assert await insert_new(things, MANY) == set()
    assert await insert_new(things, [MANY[3], {"_id": "new"}]) == {"003"}
    ids = [one["_id"] for one in MANY]
    assert {one["_id"] for one in await find_by(things, "_id", ids, ["_id"])} == set(ids)
    assert await not_in(things, [*ids, "missing"]) == {"missing"}


async def test_pages_are_sorted_and_limited(database: Database) -> None:
    things = database["things"]
    await insert_new(things, MANY)
    query = {"value": {"$lt": 10}}
    assert [one["value"] for one in await things.find(query).sort("value", DESCENDING).to_list(3)] == [9, 8, 7]
    assert [one async for one in things.find(query, ["_id"]).sort([("_id", ASCENDING)])] == [
        {"_id": f"00{number}"} for number in range(10)
    ]
    assert (await things.find_one({}, sort=[("_id", DESCENDING)])) == MANY[-1]


async def test_writes_return_what_they_changed(database: Database) -> None:
    things = database["things"]
    await things.create_index([("value", ASCENDING)], unique=True)
    await insert_new(things, MANY[:3])
    with pytest.raises(DuplicateKeyError):
        await things.insert_one({"_id": "other", "value": 1})
    assert (await things.update_one({"_id": "001"}, {"$set": {"value": 100}})).matched_count == 1
    written = await things.bulk_write(
        [UpdateOne({"_id": "002"}, {"$set": {"value": 200}}), ReplaceOne({"_id": "000"}, {"value": 0}, upsert=True)],
        ordered=False,
    )
    assert written.matched_count == 2
    assert (await things.delete_many({"value": {"$gte": 100}})).deleted_count == 2


async def test_parts_are_counted_by_the_store(database: Database) -> None:
    rows = CaseRows(database)
    await rows.prepare()
    assert await rows.open_parts() == {"offered": 0, "accepted": 0}
    await rows.show(
        [
            {"_id": "a", "sequence": 1, "state": "assigned", "part_states": {"offered": 2, "accepted": 1}},
            {"_id": "b", "sequence": 1, "state": "answered", "part_states": {"contributed": 1}},
        ]
    )
    assert await rows.open_parts() == {"offered": 2, "accepted": 1}


# ── leases ───────────────────────────────────────────────────────────────────


async def test_due_documents_are_claimed_once_oldest_first(database: Database) -> None:
    work = database["work"]
    await leases.index(work)
    await insert_new(
        work, [{"_id": name, "due_at": NOW - timedelta(seconds=age)} for name, age in (("a", 1), ("b", 9))]
    )
    await insert_new(work, [{"_id": "later", "due_at": NOW + timedelta(seconds=1)}])
    [first] = await leases.claim(work, NOW, lease_s=60, limit=1)
    assert first["_id"] == "b"
    assert first["due_at"] == NOW + timedelta(seconds=60)
    [second] = await leases.claim(work, NOW, lease_s=60, limit=5)
    assert second["_id"] == "a"
    assert await leases.claim(work, NOW, lease_s=60, limit=5) == []


async def test_only_the_claiming_process_completes_a_document(database: Database) -> None:
    work = database["work"]
    await insert_new(work, [{"_id": "a", "due_at": NOW}])
    [lost] = await leases.claim(work, NOW, lease_s=1, limit=1)
    [held] = await leases.claim(work, NOW + timedelta(seconds=2), lease_s=60, limit=1)
    await leases.done(work, lost, {"by": "the first"})
    assert (await work.find_one({"_id": "a"}) or {}).get("claim") == held["claim"]
    await leases.reschedule(work, held, NOW, {"tried": 1})
    [again] = await leases.claim(work, NOW, lease_s=60, limit=1)
    await leases.done(work, again, {"by": "the second"})
    assert await work.find_one({"_id": "a"}) == {"_id": "a", "tried": 1, "by": "the second"}
