"""An erased inquiry at the router: its texts are deleted, and parked inputs and dead letters are not replayed."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from services.router.core.handlers import Core
from services.router.dead_letters.index import DeadLetterIndex
from services.router.dead_letters.replay import DeadLetterReplay
from services.router.desk.commands import Commands
from services.router.domain.city_index import CityIndex
from services.router.erasure import erase as erase_at_the_router
from services.router.stores.store import RouterStore
from shared.contracts.case_commands import CaseAssign
from shared.kafka import topics
from shared.kafka.connection import Connection
from shared.ledger.ledger import Ledger
from shared.runtime.settings import Settings
from shared.service.city_feed import CityFeed
from shared.store.mongo import Database
from tests.builders import INQUIRY, accepted, contributed, input_record, received, told
from tests.component.conftest import in_background
from tests.component.staff import OPERATOR
from tests.fakes import FakePublisher

OTHER = "20260316-0000000B"
STORY = told(received("路灯不亮"), accepted("lighting"), contributed("lighting", "亮了"))


@pytest.fixture
async def desk(database: Database, settings: Settings) -> AsyncIterator[Commands]:
    store, book = RouterStore(database), Ledger(database, "commands")
    async with in_background(book.write_groups):
        yield Commands(store, book)


Erase = Callable[[int], Any]


@pytest.fixture
def erase(desk: Commands, database: Database, settings: Settings) -> Erase:
    letters = DeadLetterIndex(database, Connection.of(settings))
    return lambda through: erase_at_the_router(desk.store, desk.ledger, letters, INQUIRY, through)


async def test_the_status_of_a_command_survives_erasure(
    desk: Commands, city: CityFeed[CityIndex], erase: Erase
) -> None:
    story = told(received("路灯不亮"))
    refused = told(received("路灯不亮"), accepted("roads", id="refused")).inputs[1]
    await Core(desk.store, city).decide_inputs([*story.inputs, refused])
    for id_ in ("refused", "undecided"):
        await desk.enter(INQUIRY, CaseAssign(inquiry_id=INQUIRY, lead="roads"), id_)
    assert [(await desk.status(id_, OPERATOR))["status"] for id_ in ("refused", "undecided")] == ["refused", "pending"]
    await erase(2)
    statuses = [await desk.status(id_, OPERATOR) for id_ in ("refused", "undecided")]
    assert [one["status"] for one in statuses] == ["refused", "refused"]
    assert [one["reason"] for one in statuses] == [
        "The sentences are erased; the reason code is 'not-your-part'.",
        f"The inquiry {INQUIRY!r} is erased, and takes no command.",
    ]


async def test_a_cached_case_is_evicted_at_erasure_and_continues(
    desk: Commands, city: CityFeed[CityIndex], erase: Erase
) -> None:
    core = Core(desk.store, city)
    await core.decide_inputs(STORY.inputs[:2])
    assert await desk.store.decisions.subjects([INQUIRY]) == {INQUIRY: "路灯不亮"}
    await erase(2)
    assert await desk.store.decisions.subjects([INQUIRY]) == {}
    [case] = (await desk.store.decisions.load([INQUIRY])).values()
    assert (case.n, [text.text for text in case.texts]) == (2, ["", ""])
    await core.decide_inputs(STORY.inputs)
    decisions = await desk.store.decisions.of(INQUIRY)
    assert [(one.n, bool(one.words)) for one in decisions] == [(1, False), (2, False), (3, True)]


async def test_erasure_releases_parked_inputs_in_every_process(
    desk: Commands, city: CityFeed[CityIndex], erase: Erase, database: Database
) -> None:
    first, second, third = STORY.inputs
    core, other = Core(desk.store, city), Core(RouterStore(database), city)
    await core.decide_inputs([first])
    await core.park(input_record(second), second, "exhausted", "why")
    await other.refresh()
    assert (core.waits(third), other.waits(third)) != (None, None)
    await erase(1)
    assert core.waits(third) is None
    await other.park(input_record(third), third, "parked", "behind")
    assert (await desk.store.parked.of([INQUIRY]), other.waits(third)) == ([], None)


async def test_dead_letters_with_text_are_not_replayed_and_those_of_events_are(
    desk: Commands, database: Database, settings: Settings, publisher: FakePublisher
) -> None:
    replaying = DeadLetterReplay(DeadLetterIndex(database, Connection.of(settings)), desk.store, publisher, desk)
    await desk.store.tombstones.set(INQUIRY, 1)
    letters: list[dict[str, str | None]] = [
        {"inquiry_id": INQUIRY, "topic": topic} for topic in (topics.RESIDENTS, topics.EVENTS)
    ]
    letters += [{"inquiry_id": one, "topic": topics.RESIDENTS} for one in (OTHER, None)]
    assert [await replaying.erased(one) for one in letters] == [True, False, False, False]
