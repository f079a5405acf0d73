"""The notifier counts unsent and failed mails for `chorus status`."""

import httpx
import pytest
from fastapi import FastAPI

from services.notifier.mail import api
from shared.http import problems
from tests.builders import INQUIRY
from tests.component.mailroom import Mailroom, fresh, impatient, room

__all__ = ["impatient", "room"]
pytestmark = pytest.mark.both_clients
TOKEN = b"the operator's token"


async def answered(room: Mailroom, token: bytes = TOKEN) -> httpx.Response:
    app = FastAPI()
    problems.install(app)
    app.include_router(api.routes(room.store.mails, TOKEN))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://notifier.example") as client:
        return await client.get("/mails/counts", headers={"Authorization": f"Bearer {token.decode()}"})


async def test_mails_count_as_unsent_until_they_are_sent_or_failed(room: Mailroom) -> None:
    assert (await answered(room)).json() == {"unsent": 0, "failed": 0}
    await room.add(fresh("one"), fresh("two", to="never@mail.example"))
    assert (await answered(room)).json() == {"unsent": 2, "failed": 0}
    async with room.sending():
        await room.until(one="sent", two="failed")
    assert (await answered(room)).json() == {"unsent": 0, "failed": 1}
    await room.add(fresh("three"))
    await room.store.mails.erase(INQUIRY)
    assert (await answered(room)).json() == {"unsent": 0, "failed": 1}


async def test_the_counts_need_the_token(room: Mailroom) -> None:
    assert (await answered(room, b"another")).status_code == 401
