"""What services answer when their books are compared: on a real store and a real broker, for operators only."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest

from services.intake.handlers import TicketUpdates as Remembering
from services.intake.store import IntakeStore as Tickets
from services.scorer.store import ScorerStore as Events
from shared.kafka import topics
from shared.kafka.options import SubscriptionOptions
from shared.kafka.publisher import Publisher
from shared.kafka.subscription import Subscription
from shared.kafka.topic_admin import create_topics
from shared.kafka.topics import Topic
from shared.ledger.ledger import Entry, Ledger
from shared.ledger.relay import Relay
from shared.runtime import timestamps
from shared.runtime.settings import Settings
from shared.service import reconciliation
from shared.service.event_decoders import read_event, read_told
from shared.service.service import Service
from shared.store.mongo import Database, close
from tests.builders import INQUIRY, received, record_of, told
from tests.component.conftest import in_background
from tests.component.test_desk import problem
from tests.fakes import FakePublisher

TOKEN = b"the token of a channel or operator"
OTHER = "20260316-0000000B"


class Door:
    """A service with a ledger, and a client with the token."""

    def __init__(self, database: Database, publisher: FakePublisher, settings: Settings) -> None:
        self.publisher = publisher
        self.ledger = Ledger(database, "ledger")
        self.relay = Relay(self.ledger, publisher)
        self.service = Service("intake", settings)
        self.tickets = Tickets(database)
        routes = reconciliation.routes(self.service, TOKEN, relay=self.relay, unseen=self.tickets.unseen)
        self.service.app.include_router(routes)
        bearer = {"Authorization": f"Bearer {TOKEN.decode()}"}
        transport = httpx.ASGITransport(self.service.app, raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://intake.example", headers=bearer)

    async def accept(self, id_: str, inquiry_id: str = INQUIRY, n: int = 0, late_s: float = 0) -> None:
        at = timestamps.now() - timedelta(seconds=late_s)
        await self.ledger.accept(
            Entry(id_, inquiry_id, n, "chorus.inquiry.received", at, '{"a": "字"}', "f", "door", "resident")
        )

    async def page(self, after: str = "", limit: int = 100) -> tuple[list[str], str | None]:
        answer = await self.http.get("/ledger", params={"after": after, "limit": limit})
        assert answer.status_code == 200, answer.text
        return [one["event_id"] for one in answer.json()["entries"]], answer.json()["next"]


@pytest.fixture
async def door(database: Database, publisher: FakePublisher, settings: Settings) -> AsyncIterator[Door]:
    one = Door(database, publisher, settings)
    async with one.http, in_background(one.ledger.write_groups):
        yield one
    await close(one.service.database)


async def test_the_ledger_is_told_by_inquiry_and_n_page_by_page_without_words(door: Door) -> None:
    for id_, inquiry_id, n in (("c", OTHER, 1), ("a", INQUIRY, 0), ("d", OTHER, 2), ("b", OTHER, 0)):
        await door.accept(id_, inquiry_id, n)
    first, after = await door.page(limit=2)
    rest, end = await door.page(after or "", limit=2)
    assert (first + rest, end) == ((await door.page())[0], None)
    assert sorted(first + rest) == ["a", "b", "c", "d"]
    assert [one for one in first + rest if one != "a"] == ["b", "c", "d"]
    assert "字" not in (await door.http.get("/ledger")).text
    problem(await door.http.get("/ledger", params={"after": "x/9999999999"}), 422)


async def test_an_entry_says_whether_it_is_on_kafka_and_whether_it_should_be(door: Door) -> None:
    await door.accept("fresh")
    await door.accept("old", OTHER, late_s=600)
    shown = {one["event_id"]: one for one in (await door.http.get("/ledger")).json()["entries"]}
    assert {id_: (one["published"], one["overdue"]) for id_, one in shown.items()} == {
        "fresh": (False, False),
        "old": (False, True),
    }
    answer = await door.http.post("/ledger/old/publish")
    assert (answer.status_code, answer.json(), door.publisher.ids()) == (200, {"messages": 1}, ["old"])
    shown = {one["event_id"]: one for one in (await door.http.get("/ledger")).json()["entries"]}
    assert {id_: one["published"] for id_, one in shown.items()} == {"fresh": False, "old": True}


async def test_what_is_published_again_comes_after_what_must_come_first_and_is_the_same(door: Door) -> None:
    for n, id_ in enumerate("abc"):
        await door.accept(id_, n=n)
    await door.http.post("/ledger/b/publish")
    assert door.publisher.ids() == ["a", "b"]
    await door.http.post("/ledger/b/publish")
    of_b = [row for row in door.publisher.on(topics.INPUTS) if ("ce_id", b"b") in row[2]]
    assert of_b[0] == of_b[1]
    problem(await door.http.post("/ledger/nobody/publish"), 404)


async def test_the_relay_still_publishes_what_was_noted_with_it(door: Door, publisher: FakePublisher) -> None:
    await door.accept("a")
    await door.accept("b", OTHER)
    await door.http.post("/ledger/a/publish")
    await door.ledger.unpublished.update_many({}, {"$set": {"due_at": timestamps.now()}})
    async with in_background(door.relay.run):
        await publisher.until(2, topics.INPUTS)
    assert publisher.ids() == ["a", "b"]


async def test_a_view_says_which_messages_it_has_not(door: Door, database: Database) -> None:
    story = told(received("路灯"))
    said = [record_of(one) for one in story.messages if one.topic == topics.RESIDENTS]
    facts = [record_of(one) for one in story.messages if one.topic == topics.EVENTS]
    tellings = [one for one in map(read_told, said) if one]
    await Remembering(door.tickets).save(tellings)
    answer = await door.http.post("/missing", json={"ids": [*(one.id for one in tellings), "x", "y"]})
    assert answer.json() == {"missing": ["x", "y"]}
    events = [read_event(one) for one in facts]
    scores = Events(database)
    await scores.add(events)
    assert await scores.unseen([events[0].id, "z"]) == {"z"}
    problem(await door.http.post("/missing", json={"ids": ["x"] * 1_001}), 422)


async def test_how_far_a_group_has_read_is_what_it_has_committed(door: Door, settings: Settings) -> None:
    topic = f"try.{uuid4().hex[:12]}"
    await create_topics(settings.kafka, [Topic(topic, 2, 1)], 1)
    publisher = Publisher(settings.kafka, "try")
    await publisher.publish_raw({topic: [(b"k", b"v", [])] * 3})
    await publisher.stop()

    async def nothing(batch: object) -> None:
        return None

    options: SubscriptionOptions[str] = SubscriptionOptions(
        "intake", f"try-{uuid4()}", lambda record: None, nothing, door.publisher, topics=(topic,)
    )
    reading = Subscription(options)
    door.service.subscriptions = [reading]
    assert (await door.http.get("/behind")).json() == {"behind": {topic: 3}}
    reading.attach(door.service.broker)
    await door.service.broker.start()
    try:
        assert (await door.http.get("/behind", params={"wait_s": 20})).json() == {"behind": {}}
    finally:
        await door.service.broker.stop()


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/ledger"), ("POST", "/ledger/a/publish"), ("POST", "/missing"), ("GET", "/behind")]
)
async def test_only_operators_may(door: Door, method: str, path: str) -> None:
    problem(await door.http.request(method, path, headers={"Authorization": "Bearer wrong"}), 401)
