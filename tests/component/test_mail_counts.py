"""The notifier counts unsent and failed mails for `chorus status`."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from services.notifier import api
from services.notifier.domain.notices import Notice
from services.notifier.store import NotifierStore
from shared.http import problems
from shared.runtime import timestamps
from shared.runtime.settings import Settings
from shared.store.mongo import Database
from tests.builders import INQUIRY

pytestmark = pytest.mark.both_clients
TOKEN = b"the operator's token"


@pytest.fixture
async def store(database: Database) -> NotifierStore:
    one = NotifierStore(database)
    await one.prepare()
    return one


@pytest.fixture
async def http(store: NotifierStore, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    problems.install(app)
    app.include_router(api.routes(store, settings, TOKEN))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://notifier.example") as client:
        yield client


async def counts(http: httpx.AsyncClient) -> dict[str, int]:
    answer = await http.get("/deliveries/counts", headers={"Authorization": f"Bearer {TOKEN.decode()}"})
    assert answer.status_code == 200, answer.text
    found: dict[str, int] = answer.json()
    return found


async def test_mails_count_as_unsent_until_they_are_sent_or_failed(
    store: NotifierStore, http: httpx.AsyncClient
) -> None:
    assert await counts(http) == {"unsent": 0, "failed": 0}
    now = timestamps.now()
    notices = [Notice(str(n), "resident", INQUIRY, "a@mail.example", "路灯", "亮了", "zh") for n in range(4)]
    await store.add_notices(notices, now)
    assert await counts(http) == {"unsent": 4, "failed": 0}
    sent, failed, later, _ = await store.claim(now, "resident", 4)
    await store.sent(sent, now)
    await store.failed(failed, "550 unknown")
    await store.retry_at(later, now, "451 later")
    assert await counts(http) == {"unsent": 2, "failed": 1}
    await store.erase_deliveries(INQUIRY)
    assert await counts(http) == {"unsent": 0, "failed": 1}


async def test_the_counts_need_the_token(http: httpx.AsyncClient) -> None:
    assert (await http.get("/deliveries/counts")).status_code == 401
