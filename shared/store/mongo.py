"""The one module that speaks to MongoDB: acknowledged, journaled, majority writes, and insert-once."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any, cast

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import ASCENDING, DESCENDING, AsyncMongoClient, ReplaceOne, UpdateOne, WriteConcern
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import BulkWriteError, DuplicateKeyError, PyMongoError

__all__ = [
    "ASCENDING",
    "DESCENDING",
    "Collection",
    "Database",
    "Document",
    "DuplicateKeyError",
    "PyMongoError",
    "ReplaceOne",
    "StoreAway",
    "UnreadableFormat",
    "Unstorable",
    "UpdateOne",
    "aggregated",
    "close",
    "connect",
    "find_by",
    "insert_new",
    "not_in",
    "ping",
    "refuses_login",
]

Document = dict[str, Any]
Database = AsyncDatabase[Document]
Collection = AsyncCollection[Document]
"""Typed as PyMongo's own, so that mypy finds a call that only Motor understands."""
ClientClass = Callable[..., Any]
MOTOR: ClientClass = AsyncIOMotorClient
PYMONGO: ClientClass = AsyncMongoClient
CLIENT = MOTOR
"""The client of every service (docs/decisions/0015-mongodb-client.md); the store's tests run with both."""

StoreAway = (PyMongoError,)
"""What the driver raises when the store cannot be reached, refuses or does not confirm; a write may then have happened
or not. What speaks of one document, that it is too large or cannot be stored at all, is no PyMongoError."""

DUPLICATE_KEY = 11000
UNSTORABLE = frozenset({2, 9, 14, 15, 22, 121, 10334, 17280})
"""What the store says of one document, whenever it is asked: BadValue, FailedToParse, TypeMismatch, Overflow (nested too
deeply), InvalidBSON, DocumentValidationFailure, BSONObjectTooLarge, KeyTooLong."""
AUTHENTICATION_FAILED = 18
VALUES_ASKED = 50
DURABLE = WriteConcern(w="majority", j=True)


class Unstorable(ValueError):
    """A document that the store is there for and will never take; waiting for it would hold up everybody."""


class UnreadableFormat(Exception):
    """A database in a format that this release does not read: a process that finds one says so and ends."""


def connect(url: str, database: str, client_class: ClientClass = CLIENT, **login: Any) -> Database:
    """A database whose every write is acknowledged by a majority's journal; away means an error within 5 s."""
    client = client_class(
        url,
        serverSelectionTimeoutMS=5_000,
        socketTimeoutMS=30_000,
        connectTimeoutMS=5_000,
        tz_aware=True,
        retryWrites=False,
        **login,
    )
    return cast(Database, client.get_database(database, write_concern=DURABLE))


async def close(database: Database) -> None:
    """Close the client of this database: Motor does so at once, PyMongo's client is awaited."""
    await _awaited(database.client.close())


async def ping(database: Database) -> None:
    """Ask the store whether it is there; raises PyMongoError when it is not."""
    await database.command("ping")


def refuses_login(error: BaseException) -> bool:
    """Whether the store is there and does not know this user with this password."""
    return getattr(error, "code", None) == AUTHENTICATION_FAILED


async def find_by(
    collection: Collection, field: str, values: Sequence[Any], projection: Sequence[str] | None = None
) -> list[Document]:
    """Documents whose indexed `field` is one of `values`, asked for in short lists, which stores answer faster."""
    found: list[Document] = []
    for start in range(0, len(values), VALUES_ASKED):
        some = list(values[start : start + VALUES_ASKED])
        found += await collection.find({field: {"$in": some}}, projection).to_list(None)
    return found


async def aggregated(collection: Collection, pipeline: Sequence[Document]) -> list[Document]:
    """What an aggregation finds: Motor returns its cursor at once, PyMongo's is awaited."""
    cursor = await _awaited(collection.aggregate(pipeline))
    return cast(list[Document], await cursor.to_list(None))


async def insert_new(collection: Collection, documents: Sequence[Document]) -> set[Any]:
    """Insert each document unless its `_id`, or another unique key, is there; return the `_id`s that were.

    Safe to repeat: a document already there is left as it is. Raises Unstorable when one will never be taken, and what the
    store raises for anything else.
    """
    if not documents:
        return set()
    try:
        await collection.insert_many(documents, ordered=False)
    except BulkWriteError as error:
        failures = error.details["writeErrors"]
        for failure in failures:
            if failure["code"] in UNSTORABLE:
                id_ = documents[failure["index"]]["_id"]
                raise Unstorable(f"The store does not take {id_!r}: {failure.get('errmsg')}") from error
        if any(failure["code"] != DUPLICATE_KEY for failure in failures) or error.details.get("writeConcernErrors"):
            raise
        return {documents[failure["index"]]["_id"] for failure in failures}
    return set()


async def not_in(collection: Collection, ids: Sequence[str]) -> set[str]:
    """Those ids under which a collection holds nothing."""
    return set(ids) - {one["_id"] for one in await find_by(collection, "_id", ids, ["_id"])}


async def _awaited(given: Any) -> Any:
    return await given if inspect.isawaitable(given) else given
