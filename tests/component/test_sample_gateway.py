"""The sample gateway between a made-up app and the real services over HTTP, both ways, with repeats and outages."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from deploy.channels.sample_gateway import AppGateway, app_of
from deploy.local.ports import Ports
from services.intake.additions import Additions
from services.intake.channels.webhooks import ChannelMessages, channel_routes
from services.intake.submissions import Submissions
from services.intake.tickets import Tickets
from services.notifier.channels import outcomes, webhook
from services.notifier.channels.webhook import WebhookDelivery
from services.notifier.domain.notices import for_resident
from services.notifier.store import NotifierStore
from shared.channels.gateways import Gateway
from shared.contracts.fields import ChannelAccount
from shared.contracts.resident_messages import Picture, ResidentTold
from shared.runtime import timestamps
from shared.runtime.settings import Settings
from shared.service.city_feed import CityFeed
from shared.store.mongo import Database
from tests.builders import CITY
from tests.component.conftest import in_background
from tests.component.test_intake import SECRET, Intake, intake
from tests.gateways import KEY
from tests.mailing import KEYS
from tests.patience import PATIENCE_S

__all__ = ["intake"]
SAMPLE = Path(__file__).parents[2] / "deploy" / "channels" / "sample_gateway.py"


class InThisLoop(uvicorn.Server):
    """A server that leaves the signals to the tests."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def served(app: Any, port: int) -> AsyncIterator[None]:
    server = InThisLoop(uvicorn.Config(app, port=port, log_config=None, lifespan="off"))
    task = asyncio.create_task(server.serve())
    async with asyncio.timeout(PATIENCE_S):
        while not server.started:
            await asyncio.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        await task


class AppCity:
    """An app, its gateway, intake and the notifier, all over HTTP."""

    def __init__(self, intake: Intake, database: Database, settings: Settings, folder: Path) -> None:
        self.ports = Ports.free()
        submissions = Submissions(intake.ledger, intake.city, settings, SECRET)
        tickets = Tickets(intake.store, intake.ledger, settings, SECRET)
        messages = ChannelMessages(submissions, tickets, Additions(tickets), SECRET)
        transport: Any = intake.http._transport
        self.intake = transport.app
        self.intake.include_router(channel_routes(messages, {"app": Gateway("app", (KEY,))}))
        self.database = folder / "gateway.sqlite"
        self.store = NotifierStore(database, KEYS)
        self.app = httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.ports.router}", timeout=PATIENCE_S)

    @asynccontextmanager
    async def gateway(self) -> AsyncIterator[None]:
        gateway = AppGateway(f"http://127.0.0.1:{self.ports.intake}", [KEY], self.database)
        async with served(app_of(gateway), self.ports.router):
            yield

    def notifier(self) -> WebhookDelivery:
        feed: CityFeed[Any] = CityFeed(lambda revision: revision)
        feed.use(CITY)
        to = Gateway("app", (KEY,), f"http://127.0.0.1:{self.ports.router}/chorus")
        return WebhookDelivery(self.store, to, feed, "https://city.example", SECRET)

    async def tell(self, id_: str, ticket: str, what: str, n: int) -> None:
        picture = Picture(state="answered", round=1, subject="路灯", language="zh", departments=())
        account = ChannelAccount(channel="app", account="user-7")
        told = ResidentTold(inquiry_id=ticket, what=what, text=f"{what} 💡", account=account, case=picture)
        notice = for_resident(id_, told, n, 0, timestamps.now(), ("app",))
        assert notice is not None
        await self.store.mails.add_notices([notice], timestamps.now())

    async def news(self, count: int) -> list[Any]:
        async with asyncio.timeout(PATIENCE_S):
            while len(found := (await self.app.get("/app/users/user-7/news")).json()) < count:
                await asyncio.sleep(0.02)
        return list(found)


@pytest.fixture
async def city(
    intake: Intake, database: Database, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[AppCity]:
    monkeypatch.setattr(outcomes, "FIRST_PAUSE_S", 0.02)
    monkeypatch.setattr(webhook, "LOOK_EVERY_S", 0.02)
    one = AppCity(intake, database, settings, tmp_path)
    await one.store.prepare()
    async with one.app:
        yield one


async def test_a_message_goes_to_chorus_once_and_its_news_comes_back_in_order(city: AppCity) -> None:
    given = {"user": "user-7", "title": "路灯不亮", "text": "坏了三天。"}
    async with city.gateway():
        assert (await city.app.post("/app/messages/m1", json=given)).status_code == 503, "intake is away"
        async with served(city.intake, city.ports.intake):
            receipt, again = [(await city.app.post("/app/messages/m1", json=given)).json() for _ in range(2)]
            assert receipt == again
            ticket = receipt["inquiry_id"]
            words = {"user": "user-7", "text": "在东门。"}
            assert (await city.app.post(f"/app/tickets/{ticket}/addition/m2", json=words)).status_code == 200
            other = words | {"user": "user-8"}
            assert (await city.app.post(f"/app/tickets/{ticket}/addition/m3", json=other)).status_code == 404
            wrong = await city.app.post(f"/app/tickets/{ticket}/rating/m4", json={"user": "user-7", "round": 1})
            assert wrong.status_code == 422
    await city.tell("e1", ticket, "registered", 1)
    async with in_background(city.notifier().deliver):
        async with asyncio.timeout(PATIENCE_S):
            while not await city.store.mails.count("retrying"):
                await asyncio.sleep(0.02)
        await city.tell("e2", ticket, "answered", 2)
        async with city.gateway():
            found = await city.news(2)
    assert [(one["what"], one["push"], one["state"]) for one in found] == [
        ("registered", False, "answered"),
        ("answered", True, "answered"),
    ]
    assert {one["number"] for one in found} == {ticket}


async def test_a_forged_message_from_chorus_is_refused_and_a_repeat_is_one(city: AppCity) -> None:
    async with city.gateway():
        forged = await city.app.post(
            "/chorus", content=b"{}", headers={"webhook-id": "e1", "webhook-signature": "v1,x"}
        )
        assert forged.status_code == 401
        for _ in range(2):
            await city.tell("e1", "20261122-7F3KQ2MX", "answered", 1)
            async with in_background(city.notifier().deliver):
                found = await city.news(1)
            await city.store.mails.deliveries.delete_many({})
    assert len(found) == 1


def test_it_is_small_enough_to_read_at_once() -> None:
    assert len(SAMPLE.read_text("utf-8").splitlines()) <= 150
