"""Fills the search index in tests, and asks the desk for lists."""

from datetime import datetime, timedelta
from typing import Any

import httpx

from services.router.desk.search_filling import SearchFilling
from services.router.domain.staff import StaffUser
from services.router.stores.store import RouterStore
from shared.runtime import timestamps
from tests.component.staff import OPERATOR, bearer
from tests.component.test_desk import Office


def soon() -> datetime:
    """A time at which everything that is marked now is due."""
    return timestamps.now() + timedelta(hours=1)


async def fill(store: RouterStore) -> None:
    """Index every case that is marked."""
    filling = SearchFilling(store, soon)
    while await filling.round():
        pass
    assert await store.search.pending.count_documents({}) == 0


async def ask(office: Office, path: str, who: StaffUser = OPERATOR, **query: Any) -> httpx.Response:
    return await office.http.get(path, params=query, headers=bearer(who))


async def page(office: Office, who: StaffUser = OPERATOR, **query: Any) -> tuple[list[str], str | None]:
    """The ticket numbers of one page of the list of cases, and `next`."""
    answer = await ask(office, "/cases", who, **query)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    return [one["inquiry_id"] for one in body["cases"]], body["next"]


async def listed(office: Office, who: StaffUser = OPERATOR, **query: Any) -> list[str]:
    """The ticket numbers of all pages."""
    found, after = await page(office, who, **query)
    while after is not None:
        more, after = await page(office, who, **(query | {"after": after}))
        found += more
    return found
