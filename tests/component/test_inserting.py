"""Inserts of new documents: errors about single documents are distinguished from an unavailable store."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from pymongo.errors import BulkWriteError

from shared.store.mongo import Database, StoreUnavailable, Unstorable, insert_new

pytestmark = pytest.mark.both_clients

DOCUMENTS = [{"_id": "first"}, {"_id": "second"}]


class Saying:
    """A collection whose insert fails with these error codes, by document index."""

    def __init__(self, errors: Mapping[int, int], unsure: bool = False) -> None:
        concern = [{"code": 64, "errmsg": "waiting for replication timed out"}] if unsure else []
        written = [{"index": index, "code": code, "errmsg": "so it is"} for index, code in errors.items()]
        self.answer = BulkWriteError({"writeErrors": written, "writeConcernErrors": concern})

    async def insert_many(self, documents: Sequence[object], ordered: bool) -> None:
        raise self.answer


async def insert(collection: Any) -> set[Any]:
    return await insert_new(collection, DOCUMENTS)


async def test_existing_documents_are_returned_and_unchanged(database: Database) -> None:
    things = database["things"]
    assert await insert_new(things, DOCUMENTS[:1]) == set()
    assert await insert_new(things, [{"_id": "first", "other": 1}, DOCUMENTS[1]]) == {"first"}
    assert await things.find().sort("_id").to_list(None) == DOCUMENTS


@pytest.mark.parametrize("code", [2, 15, 121, 10334])
async def test_a_document_that_is_never_taken_is_named_and_nobody_waits_for_it(code: int) -> None:
    with pytest.raises(Unstorable, match="The store rejects the document 'second': so it is"):
        await insert(Saying({0: 11000, 1: code}))
    assert not issubclass(Unstorable, StoreUnavailable)


@pytest.mark.parametrize(
    "saying", [Saying({1: 189}), Saying({1: 11600}), Saying({0: 11000}, unsure=True)], ids=range(3)
)
async def test_a_store_that_steps_down_or_is_not_sure_is_waited_for(saying: Saying) -> None:
    with pytest.raises(StoreUnavailable):
        await insert(saying)
