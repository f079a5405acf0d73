"""Query parameters that the hall's page and its feed share."""

from typing import Annotated

from fastapi import Query

from services.notifier.store import NotifierStore
from shared.http.query_fields import unknown_place

HallAfter = Annotated[str | None, Query(description="Only answers older than the one to this ticket number.")]


async def existing_place(store: NotifierStore, after: str | None) -> None:
    """Raise Problem 404 when the hall has no answer `after`; without one, the list starts with the newest."""
    if after and await store.entry(after) is None:
        raise unknown_place(after)
