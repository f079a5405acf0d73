"""A database whose n-th write kills: the code behind it stops there, as a process does."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

from shared.store.mongo import Database

WRITES = (
    "insert_one",
    "insert_many",
    "update_one",
    "update_many",
    "delete_one",
    "delete_many",
    "replace_one",
    "bulk_write",
)


class Killed(BaseException):
    """Nothing catches it, not even code that handles every error of the store."""


class Countdown:
    """How many writes are left before the kill, which comes after a write and before what follows it."""

    def __init__(self, left: int) -> None:
        self.left = left


class KillingCollection:
    def __init__(self, collection: Any, countdown: Countdown) -> None:
        self._collection, self._countdown = collection, countdown

    def __getattr__(self, name: str) -> Any:
        act = getattr(self._collection, name)
        return self._killing(act) if name in WRITES else act

    def _killing(self, act: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def killing(*args: Any, **kwargs: Any) -> Any:
            if self._countdown.left == 0:
                raise Killed
            self._countdown.left -= 1
            return await act(*args, **kwargs)

        return killing


class KillingDatabase:
    def __init__(self, database: Database, countdown: Countdown) -> None:
        self._database, self._countdown = database, countdown

    def __getitem__(self, name: str) -> KillingCollection:
        return KillingCollection(self._database[name], self._countdown)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)


def killing(database: Database, countdown: Countdown) -> Database:
    return cast(Database, KillingDatabase(database, countdown))
