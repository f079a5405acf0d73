"""A router's timers for tests: the real store, core and loop, a clock that the test sets, a log in memory."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from services.router.core.handlers import Core
from services.router.core.input_decoder import read_input
from services.router.domain.city_index import CityIndex, city_index
from services.router.domain.decision import Decision, Input
from services.router.domain.facts import Broken, DueSoon
from services.router.stores.store import RouterStore
from services.router.timers.loop import Timers
from shared.city import City
from shared.kafka import topics
from shared.service.city_feed import CityFeed
from shared.store.mongo import Database
from tests.builders import CITY, INQUIRY, MONDAY_NOON, Step, Story, a_record, given_by, told
from tests.fakes import FakePublisher

POLICY = {
    "id": "standard",
    "clocks": {"accept": "10h", "first_reply": "20h", "resolve": "100h"},
    "supervision": [{"at": "80%", "tell": "desk"}],
}
REMINDING = City.model_validate(CITY.model_dump() | {"policies": [POLICY]})
ACCEPT_SOON, ACCEPT_DUE = (MONDAY_NOON + timedelta(hours=hours) for hours in (8, 10))
SECOND = timedelta(seconds=1)


class Clock:
    def __init__(self) -> None:
        self.now = MONDAY_NOON

    def __call__(self) -> datetime:
        return self.now


class Outboxes:
    """Which outboxes the gate has not read; records what it was asked."""

    def __init__(self) -> None:
        self.unread: set[str] = set()
        self.asked: list[Mapping[str, int]] = []

    async def __call__(self, until_ms: Mapping[str, int]) -> set[str]:
        self.asked.append(until_ms)
        return self.unread & until_ms.keys()


class Ringing:
    """One or more router processes on one store and one log."""

    def __init__(self, database: Database, publisher: FakePublisher) -> None:
        self.database, self.publisher = database, publisher
        self.clock, self.outboxes = Clock(), Outboxes()
        self.city: CityFeed[CityIndex] = CityFeed(city_index)
        self.city.use(REMINDING)
        self.store = RouterStore(database)
        self.core = Core(self.store, self.city)
        self.timers = self.process()
        self.taken = 0

    def process(self, publisher: FakePublisher | None = None, lease_s: float = 30) -> Timers:
        """The loop of another process, with a cache of its own."""
        store = RouterStore(self.database)
        return Timers(store, self.city, publisher or self.publisher, self.outboxes, lease_s, self.clock)

    def story(self, *steps: Step, inquiry_id: str = INQUIRY) -> Story:
        return told(*steps, city=self.city.current(), inquiry_id=inquiry_id)

    async def decide(self, inputs: Sequence[Input]) -> None:
        await self.core.decide_inputs([one._replace(id=f"{one.inquiry_id}/{one.id}") for one in inputs])

    async def step(self, step: Step, inquiry_id: str) -> None:
        """Decide one more input of a case."""
        case = (await self.store.decisions.reload([inquiry_id]))[inquiry_id]
        await self.decide([given_by(step, case, case.n + 1)])

    def appended(self) -> list[Input]:
        """What was appended to the log since the last call, without the core."""
        rows = self.publisher.on(topics.INPUTS)[self.taken :]
        inputs = [
            read_input(a_record(value, headers, key=key, offset=1_000 + self.taken + at))
            for at, (key, value, headers) in enumerate(rows)
        ]
        self.taken += len(rows)
        return inputs

    async def ring(self, *hours: float) -> list[Input]:
        """Set the clock to hours after the offer, look at all cases that are due, and decide what was appended."""
        inputs: list[Input] = []
        for one in hours:
            self.clock.now = MONDAY_NOON + timedelta(hours=one) + SECOND
            while await self.timers.round():
                pass
            found = self.appended()
            await self.core.decide_inputs(found)
            inputs += found
        return inputs

    async def decisions(self, inquiry_id: str) -> list[Decision]:
        return await self.store.decisions.of(inquiry_id)

    async def announced(self, inquiry_id: str) -> list[tuple[str, str, str]]:
        """Of each reminder and broken clock that was recorded: event, department and clock, in order."""
        found = [fact for one in await self.decisions(inquiry_id) for fact in one.facts]
        return [
            ("soon" if isinstance(fact, DueSoon) else "broken", fact.department, fact.clock)
            for fact in found
            if isinstance(fact, DueSoon | Broken)
        ]

    async def looks(self) -> dict[str, datetime]:
        """When each case is looked at again."""
        return {one["_id"]: one["due_at"] for one in await self.store.timers.collection.find().to_list(None)}
