"""Decisions of other versions: an older one ends the router at its start, a newer one makes the core wait."""

import asyncio

import httpx
import pytest

from services.router.core.handlers import Core
from services.router.core.input_decoder import read_input
from services.router.domain.decision import OLDEST_VERSION, VERSION, Input
from services.router.stores.decisions import Decisions
from services.router.stores.progress import CoreProgress
from services.router.stores.store import RouterStore
from shared.kafka import failure_policy
from shared.kafka.failures import DependencyUnavailable
from shared.kafka.options import SubscriptionOptions
from shared.kafka.subscription import Subscription
from shared.service.process import retry_until_available
from shared.store.mongo import Database, UnreadableFormat
from tests.builders import INQUIRY, Story, a_city, a_department, accepted, contributed, input_record, received, told
from tests.component.test_desk import CASE, Office, office, problem
from tests.consumers import Log
from tests.fakes import FakeRecord, FakeSubscriber
from tests.patience import PATIENCE_S

__all__ = ["office"]
STORY = told(received("路灯"), accepted("lighting"), contributed("lighting", "亮了"))
LATER, FORMER = VERSION + 1, OLDEST_VERSION - 1


async def has_version(database: Database, version: int, n: int = 1) -> None:
    """Give the n-th decision of the case this version, with unknown fields."""
    changed = {"$set": {"v": version}, "$unset": {"facts": ""}}
    done = await database["decisions"].update_one({"_id": f"{INQUIRY}/{n}"}, changed)
    assert done.modified_count == 1


async def decided(database: Database, story: Story) -> None:
    await database["decisions"].insert_many([one.document() for one in story.decisions])


# ── a former version ─────────────────────────────────────────────────────────


async def test_a_database_with_older_decisions_ends_the_router_with_an_error(database: Database) -> None:
    await decided(database, STORY)
    await RouterStore(database).prepare()
    await has_version(database, FORMER, 2)
    with pytest.raises(UnreadableFormat) as refused:
        await RouterStore(database).prepare()
    said = str(refused.value)
    assert f"{database.name!r} has a decision of version {FORMER}, '{INQUIRY}/2'" in said
    assert "empty database" in said
    assert "\n" not in said


async def test_the_search_for_older_decisions_is_limited_in_time(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = RouterStore(database)

    async def slow(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("services.router.stores.decisions.VERSION_CHECK_S", 0.05)
    monkeypatch.setattr(store.decisions.collection, "find_one", slow, raising=False)
    await asyncio.wait_for(store.prepare(), 10)


async def test_an_older_decision_found_later_is_rejected(database: Database) -> None:
    await decided(database, STORY)
    await has_version(database, FORMER)
    with pytest.raises(DependencyUnavailable, match=f"has version {FORMER}"):
        await Decisions(database).of(INQUIRY)


async def test_a_newer_decision_does_not_end_the_router(database: Database) -> None:
    await decided(database, STORY)
    await has_version(database, LATER)
    await RouterStore(database).prepare()


# ── a later version: the core ────────────────────────────────────────────────


async def test_the_core_waits_and_commits_nothing_while_a_newer_decision_exists(
    office: Office, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failure_policy, "LONGEST_PAUSE_S", 0.01)
    await decided(database, told(received("路灯")))
    before = await database["decisions"].find().to_list(None)
    await has_version(database, LATER)
    store, log = RouterStore(database), Log({0: 2})
    core = Core(store, office.city)
    options: SubscriptionOptions[Input] = SubscriptionOptions(
        "router",
        "router-core",
        read_input,
        core.decide_inputs,
        office.told,
        topics=("a",),
        parking=core,
        progress=CoreProgress(database, store.decisions),
    )
    core_reading: Subscription[Input] = Subscription(options)
    core_reading.subscriber = FakeSubscriber(log)
    await core_reading.membership.on_partitions_assigned(log.places)
    await core_reading._poll(log)
    work = asyncio.create_task(core_reading.pipeline.consume(on_the_log()))
    async with asyncio.timeout(PATIENCE_S):
        while core_reading.pipeline.policy.waiting_for is None:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    assert core_reading.health.why_not_ready() == "router-core waits for a-newer-router"
    assert (log.commits, await database["progress"].find().to_list(None), office.told.records) == ([], [], [])
    await database["decisions"].replace_one({"_id": before[0]["_id"]}, before[0])
    await asyncio.wait_for(work, 10)
    await core_reading.pipeline.drained(10)
    assert core_reading.pipeline.policy.waiting_for is None
    assert log.commits == [{("a", 0): 3}]
    assert [one.n for one in await store.decisions.of(INQUIRY)] == [1, 2, 3]


def on_the_log() -> list[FakeRecord]:
    """The inputs after the first."""
    rows = [input_record(one) for one in STORY.inputs[1:]]
    return [FakeRecord("a", 0, at, row.value, row.key, row.timestamp_ms, row.headers) for at, row in enumerate(rows, 1)]


async def test_a_background_loop_waits_for_a_newer_router(office: Office, database: Database) -> None:
    """The recall loop reads cases; errors of a loop end the process, but this one does not."""
    await office.decide(STORY)
    await has_version(database, LATER)
    city = a_city(a_department("lighting", retired=True))
    calls: list[bool] = []

    async def recall() -> None:
        calls.append(len(calls) == 1)
        if not calls[-1]:
            await office.retiring.recall(city)

    # An open part makes the loop read the case.
    await database["cases"].update_one(
        {"_id": INQUIRY}, {"$set": {"state": "in-progress", "part_states": {"accepted": 1}}}
    )
    await asyncio.wait_for(retry_until_available(recall, "recalling"), 10)
    assert calls == [False, True]


# ── a later version: the desk ────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", CASE), ("GET", "/cases"), ("GET", "/decisions"), ("POST", f"/decisions/{INQUIRY}/2/publish")],
)
async def test_the_desk_returns_503_for_a_case_with_a_newer_decision(
    office: Office, database: Database, method: str, path: str
) -> None:
    await office.decide(STORY)
    await has_version(database, LATER)
    answer = await office.http.request(method, path)
    said = problem(answer, 503)
    assert (
        f"The decision '{INQUIRY}/1' has version {LATER}, but this router reads versions {OLDEST_VERSION} to {VERSION}"
        in (said["detail"])
    )
    assert int(answer.headers["retry-after"]) > 0


async def test_the_status_of_a_command_is_503_for_a_case_with_a_newer_decision(
    office: Office, database: Database
) -> None:
    await office.decide(STORY)
    sent: httpx.Response = await office.command(type="assign", lead="parks")
    await has_version(database, LATER)
    problem(await office.http.get(f"/commands/{sent.json()['event_id']}"), 503)
