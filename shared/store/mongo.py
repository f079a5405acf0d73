"""The only module that imports the MongoDB driver: journaled majority writes, and inserts that are safe to repeat."""

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
    "StoreUnavailable",
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
"""Typed as PyMongo's own class, so that mypy reports a call that only Motor supports."""
ClientClass = Callable[..., Any]
MOTOR: ClientClass = AsyncIOMotorClient
PYMONGO: ClientClass = AsyncMongoClient
CLIENT = MOTOR
"""The client of every service (docs/decisions/0015-mongodb-client.md); the tests of the store run with both."""

StoreUnavailable = PyMongoError
"""What the driver raises when the store cannot be reached, refuses a request or does not confirm a write; the write may
have happened or not. A document that can never be stored raises `Unstorable`, which is not a PyMongoError."""

DUPLICATE_KEY = 11000
UNSTORABLE = frozenset({2, 9, 14, 15, 22, 121, 10334, 17280})
"""Error codes that concern one document and come back on every retry: BadValue, FailedToParse, TypeMismatch, Overflow
(nested too deeply), InvalidBSON, DocumentValidationFailure, BSONObjectTooLarge, KeyTooLong."""
AUTHENTICATION_FAILED = 18
VALUES_PER_QUERY = 50
DURABLE = WriteConcern(w="majority", j=True)


class Unstorable(ValueError):
    """The store rejects this document permanently: retrying would block every record behind it."""


class UnreadableFormat(Exception):
    """The database has a format that this release does not read; the process exits with this sentence."""


def connect(url: str, database: str, client_class: ClientClass = CLIENT, **login: Any) -> Database:
    """A database whose writes are acknowledged by the journals of a majority. An unavailable store raises within 5 s."""
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
    await _awaited(database.client.close())


async def ping(database: Database) -> None:
    """Raises PyMongoError when the store does not answer."""
    await database.command("ping")


def refuses_login(error: BaseException) -> bool:
    """Whether the store answered and rejected the user name or the password."""
    return getattr(error, "code", None) == AUTHENTICATION_FAILED


async def find_by(
    collection: Collection, field: str, values: Sequence[Any], projection: Sequence[str] | None = None
) -> list[Document]:
    """Documents whose indexed `field` is one of `values`, in queries of at most VALUES_PER_QUERY values."""
    found: list[Document] = []
    for start in range(0, len(values), VALUES_PER_QUERY):
        some = list(values[start : start + VALUES_PER_QUERY])
        found += await collection.find({field: {"$in": some}}, projection).to_list(None)
    return found


async def aggregated(collection: Collection, pipeline: Sequence[Document]) -> list[Document]:
    cursor = await _awaited(collection.aggregate(pipeline))
    return cast(list[Document], await cursor.to_list(None))


async def insert_new(collection: Collection, documents: Sequence[Document]) -> set[Any]:
    """Insert the documents whose `_id` and other unique keys do not exist yet; return the `_id`s of the others.

    Safe to repeat: existing documents stay unchanged. Raises Unstorable when the store rejects a document permanently,
    and PyMongoError for any other failure.
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
                raise Unstorable(f"The store rejects the document {id_!r}: {failure.get('errmsg')}") from error
        if any(failure["code"] != DUPLICATE_KEY for failure in failures) or error.details.get("writeConcernErrors"):
            raise
        return {documents[failure["index"]]["_id"] for failure in failures}
    return set()


async def not_in(collection: Collection, ids: Sequence[str]) -> set[str]:
    """The ids among these that the collection does not have."""
    return set(ids) - {one["_id"] for one in await find_by(collection, "_id", ids, ["_id"])}


async def _awaited(given: Any) -> Any:
    """Motor returns some results at once, PyMongo's client returns an awaitable for the same call."""
    return await given if inspect.isawaitable(given) else given
