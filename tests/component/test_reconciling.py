"""The HTTP routes behind `chorus reconcile`, on a real store and broker."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest

from services.intake.handlers import TicketUpdates as Remembering
from services.intake.store import IntakeStore as Tickets
from services.scorer.store import ScorerStore as Events
from shared.http.identity import operators_only
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


class LedgerService:
    """A service with a ledger, and a client with the token."""

    def __init__(self, database: Database, publisher: FakePublisher, settings: Settings) -> None:
        self.publisher = publisher
        self.ledger = Ledger(database, "ledger")
        self.relay = Relay(self.ledger, publisher)
        self.service = Service("intake", settings)
        self.tickets = Tickets(database)
        routes = reconciliation.routes(
            self.service, operators_only(TOKEN), relay=self.relay, unseen=self.tickets.unseen
        )
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
async def service(database: Database, publisher: FakePublisher, settings: Settings) -> AsyncIterator[LedgerService]:
    one = LedgerService(database, publisher, settings)
    async with one.http, in_background(one.ledger.write_groups):
        yield one
    await close(one.service.database)


async def test_the_ledger_is_listed_by_inquiry_and_n_without_texts(service: LedgerService) -> None:
    for id_, inquiry_id, n in (("c", OTHER, 1), ("a", INQUIRY, 0), ("d", OTHER, 2), ("b", OTHER, 0)):
        await service.accept(id_, inquiry_id, n)
    first, after = await service.page(limit=2)
    rest, end = await service.page(after or "", limit=2)
    assert (first + rest, end) == ((await service.page())[0], None)
    assert sorted(first + rest) == ["a", "b", "c", "d"]
    assert [one for one in first + rest if one != "a"] == ["b", "c", "d"]
    assert "字" not in (await service.http.get("/ledger")).text
    problem(await service.http.get("/ledger", params={"after": "x/9999999999"}), 422)
    for unknown in ("x", f"{INQUIRY}/7", f"{INQUIRY}/x"):
        problem(await service.http.get("/ledger", params={"after": unknown}), 404)
    assert (await service.page(OTHER))[0] == ["b", "c", "d", "a"]
    problem(await service.http.get("/ledger", params={"form": "x"}), 422)


async def test_an_entry_is_published_or_overdue(service: LedgerService) -> None:
    await service.accept("fresh")
    await service.accept("old", OTHER, late_s=600)
    shown = {one["event_id"]: one for one in (await service.http.get("/ledger")).json()["entries"]}
    assert {id_: (one["published"], one["overdue"]) for id_, one in shown.items()} == {
        "fresh": (False, False),
        "old": (False, True),
    }
    answer = await service.http.post("/ledger/old/publish")
    assert (answer.status_code, answer.json(), service.publisher.ids()) == (200, {"messages": 1}, ["old"])
    shown = {one["event_id"]: one for one in (await service.http.get("/ledger")).json()["entries"]}
    assert {id_: one["published"] for id_, one in shown.items()} == {"fresh": False, "old": True}


async def test_an_entry_is_published_again_unchanged_after_earlier_ones(service: LedgerService) -> None:
    for n, id_ in enumerate("abc"):
        await service.accept(id_, n=n)
    await service.http.post("/ledger/b/publish")
    assert service.publisher.ids() == ["a", "b"]
    await service.http.post("/ledger/b/publish")
    of_b = [row for row in service.publisher.on(topics.INPUTS) if ("ce_id", b"b") in row[2]]
    assert of_b[0] == of_b[1]
    problem(await service.http.post("/ledger/nobody/publish"), 404)


async def test_the_relay_publishes_the_other_entries_of_the_note(
    service: LedgerService, publisher: FakePublisher
) -> None:
    await service.accept("a")
    await service.accept("b", OTHER)
    await service.http.post("/ledger/a/publish")
    await service.ledger.unpublished.update_many({}, {"$set": {"due_at": timestamps.now()}})
    async with in_background(service.relay.run):
        await publisher.until(2, topics.INPUTS)
    assert publisher.ids() == ["a", "b"]


async def test_a_view_returns_the_messages_it_has_not_received(service: LedgerService, database: Database) -> None:
    story = told(received("路灯"))
    said = [record_of(one) for one in story.messages if one.topic == topics.RESIDENTS]
    facts = [record_of(one) for one in story.messages if one.topic == topics.EVENTS]
    tellings = [one for one in map(read_told, said) if one]
    await Remembering(service.tickets, service.ledger).save(tellings)
    answer = await service.http.post("/missing", json={"ids": [*(one.id for one in tellings), "x", "y"]})
    assert answer.json() == {"missing": ["x", "y"]}
    events = [read_event(one) for one in facts]
    scores = Events(database)
    await scores.add(events)
    assert await scores.unseen([events[0].id, "z"]) == {"z"}
    problem(await service.http.post("/missing", json={"ids": ["x"] * 1_001}), 422)


async def test_lag_is_computed_from_committed_offsets(service: LedgerService, settings: Settings) -> None:
    topic = f"try.{uuid4().hex[:12]}"
    await create_topics(settings.kafka, [Topic(topic, 2, 1)], 1)
    publisher = Publisher(settings.kafka, "try")
    await publisher.publish_raw({topic: [(b"k", b"v", [])] * 3})
    await publisher.stop()

    async def nothing(batch: object) -> None:
        return None

    options: SubscriptionOptions[str] = SubscriptionOptions(
        "intake", f"try-{uuid4()}", lambda record: None, nothing, service.publisher, topics=(topic,)
    )
    reading = Subscription(options)
    service.service.subscriptions = [reading]
    assert (await service.http.get("/behind")).json() == {"behind": {topic: 3}}
    reading.attach(service.service.broker)
    await service.service.broker.start()
    try:
        assert (await service.http.get("/behind", params={"wait_s": 20})).json() == {"behind": {}}
    finally:
        await service.service.broker.stop()


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/ledger"), ("POST", "/ledger/a/publish"), ("POST", "/missing"), ("GET", "/behind")]
)
async def test_requests_without_the_token_are_rejected(service: LedgerService, method: str, path: str) -> None:
    problem(await service.http.request(method, path, headers={"Authorization": "Bearer wrong"}), 401)
