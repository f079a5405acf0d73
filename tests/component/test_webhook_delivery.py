"""News to gateways on a real store and a real HTTP server: signed, under one id, in order, whatever the gateway answers."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from services.notifier.channels import outcomes, webhook
from services.notifier.channels.webhook import WebhookDelivery
from services.notifier.domain.notices import Notice
from services.notifier.erasure import erase
from services.notifier.handlers import Notices
from services.notifier.responses import MailShown
from services.notifier.store import NotifierStore
from shared.city import City
from shared.contracts.ids import query_code
from shared.kafka import topics
from shared.runtime import timestamps
from shared.service.city_feed import CityFeed
from shared.service.event_decoders import read_told
from shared.store.mongo import Database
from tests.builders import CITY, INQUIRY, received, record_of, told
from tests.component.conftest import in_background
from tests.endings import erased
from tests.gateways import FakeGateway
from tests.mailing import KEYS, SECRET, a_notice
from tests.patience import PATIENCE_S

ACCOUNT = "open-id-7@Wechat"
PICTURE = {"state": "answered", "round": 1, "subject": "路灯", "reply": {"text": "亮了 💡", "paragraphs": []}}
OTHER = f"{INQUIRY[:9]}0000000B"


def news(id_: str, n: int = 1, **more: Any) -> Notice:
    fields: dict[str, Any] = {"kind": "webhook", "to": ACCOUNT, "channel": "wechat", "subject": None, "n": n}
    return a_notice(id_, at=timestamps.now(), picture=json.dumps(PICTURE), **(fields | more))


class Room:
    """A notifier with one gateway."""

    def __init__(self, store: NotifierStore) -> None:
        self.store, self.gateway = store, FakeGateway()

    async def add(self, *notices: Notice) -> None:
        await self.store.mails.add_notices(notices, timestamps.now())

    def process(self, gateway: FakeGateway | None = None) -> WebhookDelivery:
        city: CityFeed[City] = CityFeed(lambda revision: revision)
        city.use(CITY)
        to = (gateway or self.gateway).gateway
        return WebhookDelivery(self.store, to, city, "https://city.example", SECRET)

    @asynccontextmanager
    async def sending(self, processes: int = 1) -> AsyncIterator[None]:
        async with self.gateway.listening(), in_background(*(self.process().deliver for _ in range(processes))):
            yield

    async def until(self, **states: str) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                found = {one["_id"]: one async for one in self.store.mails.deliveries.find({})}
                if all(found[one]["state"] == state for one, state in states.items()):
                    return found
                await asyncio.sleep(0.01)


@pytest.fixture
async def room(database: Database, monkeypatch: pytest.MonkeyPatch) -> Room:
    monkeypatch.setattr(outcomes, "FIRST_PAUSE_S", 0.02)
    monkeypatch.setattr(webhook, "LOOK_EVERY_S", 0.02)
    store = NotifierStore(database, KEYS)
    await store.prepare()
    return Room(store)


async def test_502_502_200_is_one_id_signed_in_order_and_delivered_once_it_says_200(room: Room) -> None:
    room.gateway.answers = [502, 502]
    await room.add(news("second", 2), news("first", 1), news("third", 3))
    async with room.sending(processes=2):
        found = await room.until(first="sent", second="sent", third="sent")
    assert [one.id for one in room.gateway.received] == ["first", "first", "first", "second", "third"]
    assert [one.status for one in room.gateway.received] == [502, 502, 200, 200, 200]
    assert room.gateway.all_signed()
    assert len({one.body for one in room.gateway.received[:3]}) == 1, "the same bytes each time"
    assert [found[one]["attempts"] for one in ("first", "second", "third")] == [3, 1, 1]


async def test_the_body_is_what_the_resident_may_see_with_the_account_and_no_contact(room: Room) -> None:
    await room.add(news("one"))
    async with room.sending():
        found = await room.until(one="sent")
    [one] = room.gateway.received
    assert (one.path, one.headers["content-type"]) == ("/news", "application/json")
    code = query_code(SECRET, INQUIRY)
    body = json.loads(one.body)
    assert body == {
        "type": "chorus.resident.told",
        "timestamp": body["timestamp"],
        "data": {
            "inquiry_id": INQUIRY,
            "account": ACCOUNT,
            "what": "answered",
            "text": "亮了 💡",
            "status_url": f"https://city.example/status?ticket={INQUIRY}&code={code}",
            "case": PICTURE,
        },
    }
    stored = repr(found) + repr(await room.store.mails.threads.find({}).to_list(None))
    assert not [word for word in (ACCOUNT, "亮了", code) if word in stored]
    shown = MailShown.of(await room.store.mails.delivery("one"))  # type: ignore[arg-type]
    assert (shown.kind, shown.channel, shown.to) == ("webhook", "wechat", None)


async def test_a_redirect_is_not_followed_and_410_ends_the_attempts(room: Room) -> None:
    room.gateway.answers = [302, 410]
    await room.add(news("one", 1), news("two", 2))
    async with room.sending():
        found = await room.until(one="failed", two="sent")
    assert [(one.id, one.path) for one in room.gateway.received] == [
        ("one", "/news"),
        ("one", "/news"),
        ("two", "/news"),
    ]
    assert found["one"]["error"] == "The gateway answered 410."
    assert found["one"]["to"] == ACCOUNT, "an operator can send it again"
    room.gateway.received.clear()
    await room.store.mails.send_again((await room.store.mails.delivery("one")), timestamps.now())  # type: ignore[arg-type]
    async with room.sending():
        await room.until(one="sent")
    assert [one.id for one in room.gateway.received] == ["one"]


@pytest.mark.parametrize("trouble", [0, -1], ids=["silent", "hangs up"])
async def test_an_inquiry_with_trouble_holds_back_no_other(
    room: Room, trouble: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "REQUEST_TIMEOUT_S", 0.3)
    room.gateway.answers = [trouble]
    await room.add(news("one"))
    async with room.sending():
        async with asyncio.timeout(PATIENCE_S):
            while not room.gateway.received:
                await asyncio.sleep(0.01)
        await room.add(news("other", inquiry_id=OTHER, to="open-id-8"))
        found = await room.until(one="sent", other="sent")
    assert [one.id for one in room.gateway.accepted].count("one") == 1
    assert found["one"]["attempts"] == 2


async def test_two_gateways_do_not_wait_for_each_other(room: Room) -> None:
    microblog = FakeGateway("microblog")
    await room.add(news("one"), news("two", channel="microblog"), news("mail", kind="resident", channel=None))
    async with microblog.listening(), in_background(room.process(microblog).deliver):
        await room.until(one="waiting", two="sent", mail="waiting")
    async with room.sending():
        await room.until(one="sent", two="sent", mail="waiting")
    assert [one.id for one in (*room.gateway.received, *microblog.received)] == ["one", "two"]


async def test_news_that_waits_for_three_days_fails(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes, "GIVE_UP_AFTER", -outcomes.GIVE_UP_AFTER)
    room.gateway.answers = [500]
    await room.add(news("one"))
    async with room.sending():
        found = await room.until(one="failed")
    assert (found["one"]["attempts"], found["one"]["error"]) == (1, "The gateway answered 500.")


async def test_an_erasure_leaves_no_word_and_no_account(room: Room) -> None:
    room.gateway.answers = [410]
    await room.add(news("one", 1))
    async with room.sending():
        await room.until(one="failed")
    await room.add(news("two", 2))
    await erase(room.store, INQUIRY, 9)
    await room.add(news("late", 3))
    found = await room.until(one="failed", two="cancelled", late="cancelled")
    stored = repr(found) + repr(await room.store.mails.threads.find({}).to_list(None))
    assert not [word for word in (ACCOUNT, "亮了", "路灯") if word in stored]
    async with room.sending():
        await asyncio.sleep(0.1)
    assert room.gateway.received[1:] == []


async def test_the_gateway_is_told_to_delete_its_copies_once(room: Room) -> None:
    city: CityFeed[City] = CityFeed(lambda revision: revision)
    city.use(CITY)

    async def up_to_date() -> bool:
        return False

    notices = Notices(room.store, city, up_to_date, ("wechat",))
    story = told(received("路灯不亮", channel="wechat", account=ACCOUNT), erased())
    rows = [record_of(one, n) for n, one in enumerate(story.messages) if one.topic == topics.RESIDENTS]
    messages = [one for one in map(read_told, rows) if one]
    await notices.take(messages[:1])
    async with room.sending():
        await room.until(**{messages[0].id: "sent"})
        await notices.take(messages)
        await notices.take(messages)
        await room.until(**{messages[-1].id: "sent"})
        await notices.take(messages)
    last = room.gateway.received[-1]
    assert (last.id, last.told["what"], last.told["account"], last.told["case"]["subject"]) == (
        messages[-1].id,
        "erased",
        None,
        "",
    )
    assert [one.id for one in room.gateway.received].count(last.id) == 1
    assert len(room.gateway.received) == 2, "nothing between registration and erasure is sent any more"
