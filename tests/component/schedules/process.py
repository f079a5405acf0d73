"""One router process in a schedule: the real core and delivery layer with a fake store and broker.

Every operation waits in `pending` until the schedule decides its outcome. A killed process has no further effect.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import bson
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaConnectionError
from pymongo.errors import AutoReconnect, BulkWriteError

from services.router.core.handlers import Core
from services.router.core.input_decoder import read_input
from services.router.domain.city_index import CityIndex, city_index
from services.router.domain.decision import Input
from services.router.stores.case_timers import CaseTimers
from services.router.stores.decisions import Decisions
from services.router.stores.parked_inputs import ParkedInputs
from services.router.stores.store import RouterStore
from shared.kafka import topics
from shared.kafka.client_settings import SESSION_S
from shared.kafka.failure_policy import FailurePolicy
from shared.kafka.options import SubscriptionOptions
from shared.kafka.pipeline import Pipeline
from shared.kafka.publisher import Publisher, RawRecord, Row
from shared.runtime.tasks import cancel_and_wait
from shared.service.city_feed import CityFeed
from tests.builders import CITY
from tests.component.schedules.timeless import Timeless
from tests.component.schedules.world import How, World, decoded, half

DUPLICATE_KEY = 11000


@dataclass(eq=False)
class Asked:
    """A pending operation."""

    what: str
    answer: "asyncio.Future[How]"


@dataclass
class Hand:
    """A process's connections, closed when the process is killed."""

    world: World
    pending: list[Asked] = field(default_factory=list)
    dead: bool = False

    async def asks(self, what: str) -> How:
        """Wait until the schedule decides the outcome."""
        if self.dead:
            raise asyncio.CancelledError
        one = Asked(what, asyncio.get_running_loop().create_future())
        self.pending.append(one)
        try:
            return await one.answer
        finally:
            self.pending.remove(one)


@dataclass
class Collection:
    """The part of a MongoDB collection that the router's store uses: unordered inserts, unique `_id`."""

    name: str
    hand: Hand

    @property
    def documents(self) -> dict[Any, bytes]:
        """The documents, shared by all processes."""
        return self.hand.world.documents[self.name]

    async def insert_many(self, documents: Sequence[Mapping[str, Any]], ordered: bool) -> None:
        """Insert new documents; raises BulkWriteError for existing ones."""
        assert not ordered
        how = await self._asks(f"insert into {self.name}")
        if any(one.get("cause") in self.hand.world.poison for one in documents):
            raise ArithmeticError("a defect")
        failures = []
        for index, one in enumerate(documents[: len(documents) // 2] if how is How.HALF else documents):
            if not self.hand.world.insert(self.name, one):
                failures.append({"index": index, "code": DUPLICATE_KEY})
        if how is not How.ON:
            raise AutoReconnect("no word from the store")
        if failures:
            raise BulkWriteError({"writeErrors": failures, "writeConcernErrors": []})

    def find(self, query: Mapping[str, Any], projection: object = None) -> Any:
        """A cursor; supports only lists of values as conditions."""

        async def to_list(limit: int | None) -> list[dict[str, Any]]:
            if await self._asks(f"look into {self.name}") is not How.ON:
                raise AutoReconnect("no word from the store")
            [(name, condition)] = query.items()
            if name == "_id":
                return [decoded(self.documents[id_]) for id_ in condition["$in"] if id_ in self.documents]
            return [one for one in map(decoded, self.documents.values()) if one[name] in condition["$in"]]

        return SimpleNamespace(to_list=to_list)

    async def bulk_write(self, updates: Sequence[Any], ordered: bool) -> None:
        """Upserts by `_id` with the operators that `CaseTimers` uses."""
        assert not ordered
        how = await self._asks(f"update {self.name}")
        for one in updates[: len(updates) // 2] if how is How.HALF else updates:
            assert one._upsert
            id_ = one._filter["_id"]
            document = decoded(self.documents[id_]) if id_ in self.documents else dict(one._filter)
            self.documents[id_] = bson.encode(updated(document, one._doc, new=id_ not in self.documents))
        if how is not How.ON:
            raise AutoReconnect("no word from the store")

    async def delete_many(self, query: Mapping[str, Any]) -> None:
        """Delete by `_id`."""
        how = await self._asks(f"delete from {self.name}")
        for id_ in query["_id"]["$in"]:
            self.documents.pop(id_, None)
        if how is not How.ON:
            raise AutoReconnect("no word from the store")

    async def _asks(self, what: str) -> How:
        how = await self.hand.asks(what)
        if how in (How.AWAY, How.LATE):
            raise AutoReconnect("the store is away")
        if how is How.STUMBLES:
            raise RuntimeError("this passes")
        return how


def updated(document: dict[str, Any], change: Mapping[str, Any], *, new: bool) -> dict[str, Any]:
    """A document after an update with `$min`, `$max`, `$unset` and `$setOnInsert`."""
    assert change.keys() <= {"$min", "$max", "$unset", "$setOnInsert"}
    for operator, choose in (("$min", min), ("$max", max)):
        for name, value in change.get(operator, {}).items():
            document[name] = choose(document.get(name, value), value)
    kept = {name: value for name, value in document.items() if name not in change.get("$unset", {})}
    return change.get("$setOnInsert", {}) | kept if new else kept


class Network(Publisher):
    """A producer whose records may arrive partly, unconfirmed, or much later."""

    def __init__(self, hand: Hand) -> None:
        super().__init__("nowhere:0", "router")
        self.hand = hand

    async def deliver(self, topics: AbstractSet[str], rows: Iterable[Row]) -> None:
        """Return when all records are confirmed."""
        if not topics:
            return
        records: dict[str, list[RawRecord]] = defaultdict(list)
        for topic, row in rows:
            records[topic].append(row)
        world, how = self.hand.world, await self.hand.asks("publish")
        if how is How.STUMBLES:
            raise RuntimeError("this passes")
        if how is How.LATE:
            world.late.append(records)
        elif how is not How.AWAY:
            world.deliver(half(records) if how is How.HALF else records)
        if how is not How.ON:
            raise KafkaConnectionError("the broker is away")


@dataclass
class Consumer:
    """Commits for the partitions that it believes to own."""

    hand: Hand
    owned: set[int] = field(default_factory=set)

    async def commit(self, offsets: Mapping[Any, int]) -> None:
        """Raises the same errors as aiokafka."""
        if any(one.partition not in self.owned for one in offsets):
            raise IllegalStateError("the partition is another's now")
        how = await self.hand.asks("commit")
        if how is How.STUMBLES:
            raise CommitFailedError
        if how in (How.ON, How.NO_WORD):
            self.hand.world.commit({(one.topic, one.partition): offset for one, offset in offsets.items()})
        if how is not How.ON:
            raise KafkaConnectionError("the broker is away")


@dataclass(frozen=True)
class Made:
    """The classes that make up a process; a planted fault replaces one of them."""

    core: type[Core] = Core
    decisions: type[Decisions] = Decisions
    parked: type[ParkedInputs] = ParkedInputs
    timers: type[CaseTimers] = CaseTimers
    pipeline: type[Pipeline[Input]] = Pipeline
    policy: type[FailurePolicy[Input]] = FailurePolicy


COLLECTIONS = (
    *("decisions", "cases", "revisions", "parked", "timers", "tombstones"),
    *("worklist", "search", "search_pending"),
)


class Process:
    """The router's core in one process, from start to kill."""

    def __init__(self, world: World, loop: Timeless, made: Made) -> None:
        self.world, self.loop, self.hand = world, loop, Hand(world)
        feed: CityFeed[CityIndex] = CityFeed(city_index)
        feed.use(CITY)
        store: Any = {name: Collection(name, self.hand) for name in COLLECTIONS}
        network, self.consumer = Network(self.hand), Consumer(self.hand)
        kept = RouterStore(store)
        kept.decisions, kept.parked = made.decisions(store), made.parked(store)
        kept.timers = made.timers(store)
        self.core = made.core(kept, feed)
        self.broken = False
        options: SubscriptionOptions[Input] = SubscriptionOptions(
            "router",
            "router-core",
            read_input,
            self.core.decide_inputs,
            network,
            topics=(topics.INPUTS,),
            parking=self.core,
            published=self.core.unpark_replayed,
        )
        self.pipeline = made.pipeline(options, lambda: self.consumer, self._break)
        self.pipeline.policy = made.policy(options, self.pipeline._progressed)
        self.position: dict[int, int] = {}
        self.taking: asyncio.Task[None] | None = None

    def _break(self, error: BaseException) -> None:
        self.broken = True

    def assign(self, owned: set[int]) -> None:
        """Rebalance: the batch in progress may finish in time, then reading continues from the committed offsets."""
        self.loop.run_until_complete(self.pipeline.drained(SESSION_S / 2))
        self.consumer.owned = owned
        self.position = {partition: self.world.committed[partition] for partition in owned}
        self.pipeline.forget()
        self.loop.settle()

    def poll(self, most: int) -> None:
        """Poll the next records, unless the previous batch is still being stored."""
        batch: list[Any] = []
        if self.taking is not None and not self.taking.done():
            return
        for partition in sorted(self.position):
            some = self.world.log[partition][self.position[partition] :][: most - len(batch)]
            self.position[partition] += len(some)
            batch += some
        if batch:
            self.taking = self.loop.create_task(self.pipeline.consume(batch))
            self.loop.settle()

    def answer(self, one: Asked, how: How) -> None:
        """Decide the outcome of an operation; while its dependency is unavailable, it has no effect."""
        dependency = "broker" if one.what in ("publish", "commit") else "store"
        if dependency in self.world.away and how is not How.LATE:
            how = How.AWAY
        if how is How.STUMBLES:
            how = how if self.world.stumbles_left else How.ON
            self.world.stumbles_left -= how is How.STUMBLES
        one.answer.set_result(how)
        self.loop.settle()

    def work(self, most: int = 1_000) -> None:
        """Continue until no operation is pending."""
        for _ in range(most):
            if not self.hand.pending or self.world.away:
                return
            self.answer(self.hand.pending[0], How.ON)

    def kill(self) -> None:
        """Kill the process as SIGKILL does: nothing that it does while ending has an effect."""
        self.hand.dead = True
        tasks = [*self.pipeline.tasks, *([self.taking] if self.taking else [])]
        self.loop.run_until_complete(cancel_and_wait(tasks))
