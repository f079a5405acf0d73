"""The gate on a real store: valid messages are published to the log, invalid ones are refused."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from services.router.core.handlers import Core
from services.router.core.input_decoder import read_input
from services.router.domain.city_index import CityIndex, city_index
from services.router.gate.handlers import Gate
from services.router.gate.outbox_decoder import READABLE, VALUE_MAX, OutboxRecord, read_outbox
from services.router.stores.store import RouterStore
from shared.kafka import topics
from shared.kafka.records import Record
from shared.service.city_feed import CityFeed
from shared.store.mongo import Database
from tests.builders import CITY, INQUIRY, a_record, received, told
from tests.fakes import FakePublisher, header

PART = f"{INQUIRY}-p1"


def in_force() -> CityFeed[CityIndex]:
    feed = CityFeed(city_index)
    feed.use(CITY)
    return feed


async def passed(gate: Gate, publisher: FakePublisher, batch: Sequence[OutboxRecord]) -> None:
    """Pass a batch through the gate and publish the result."""
    await publisher.publish(await gate.let_in(batch))


@pytest.fixture
async def store(database: Database) -> RouterStore:
    """A store with one inquiry, assigned to lighting."""
    one = RouterStore(database)
    await Core(one, in_force()).decide_inputs(told(received("路灯不亮")).inputs)
    return RouterStore(database)


def knock(value: bytes, id_: str | None = "our-1", offset: int = 0, department: str = "lighting") -> OutboxRecord:
    headers = [("ce_type", b"chorus.part.accepted"), *([("ce_id", id_.encode())] if id_ else [])]
    return read_outbox(a_record(value, headers, topic=topics.outbox(department), offset=offset))


GOOD = json.dumps({"part_id": PART}).encode()


async def test_a_valid_message_is_published_with_its_inquiry_as_key(
    store: RouterStore, publisher: FakePublisher
) -> None:
    await passed(Gate(store, in_force()), publisher, [knock(GOOD)])
    [(topic, row)] = publisher.records
    given = read_input(a_record(row[1], row[2], topic=topic, key=row[0]))
    assert given is not None
    assert (topic, given.inquiry_id, given.department, given.origin) == (topics.INPUTS, INQUIRY, "lighting", "our-1")


async def test_an_invalid_message_is_refused_and_others_are_published(
    store: RouterStore, publisher: FakePublisher
) -> None:
    elsewhere = json.dumps({"part_id": "20260316-ZZZZZZZZ-p1"}).encode()
    batch = [knock(b"{", "bad", 1), knock(GOOD, "good", 2), knock(elsewhere, "lost", 3), knock(b"", None, 4)]
    await passed(Gate(store, in_force()), publisher, batch)
    assert [header(row, "ce_causationid") for row in publisher.on(topics.INPUTS)] == ["good"]
    refused = publisher.values(topics.inbox("lighting"))
    assert [one["cause"] for one in refused] == ["bad", "lost", "departments.lighting.outbox-0-4"]
    assert [row[0] for row in publisher.on(topics.inbox("lighting"))] == [b"lighting"] * 3
    letters = publisher.on(topics.dead_letters("router"))
    assert [(row[1], header(row, "dl_offset"), header(row, "dl_kind")) for row in letters] == [
        (b"{", "1", "permanent"),
        (elsewhere, "3", "permanent"),
        (b"", "4", "permanent"),
    ]


async def test_a_record_that_cannot_be_read_is_refused_with_its_place(
    store: RouterStore, publisher: FakePublisher
) -> None:
    outbox = topics.outbox("lighting")
    unreadable = Record(outbox, 0, 9, 1_773_633_600_000, None, None, (), "It cannot be decompressed.")
    await passed(Gate(store, in_force()), publisher, [read_outbox(unreadable), knock(GOOD)])
    [refused] = publisher.values(topics.inbox("lighting"))
    assert refused == {"cause": f"{outbox}-0-9", "reason": "It cannot be decompressed.", "remedy": READABLE}
    [letter] = publisher.on(topics.dead_letters("router"))
    assert (letter[:2], header(letter, "dl_topic"), header(letter, "dl_offset")) == ((None, None), outbox, "9")
    assert len(publisher.on(topics.INPUTS)) == 1


@pytest.mark.parametrize(("size", "kept"), [(VALUE_MAX + 1, True), (VALUE_MAX + 65_536, False)])
async def test_a_dead_letter_omits_a_record_much_larger_than_an_outbox_accepts(
    size: int, kept: bool, store: RouterStore, publisher: FakePublisher
) -> None:
    """A few compressed kilobytes become megabytes; the outbox keeps the kilobytes."""
    await passed(Gate(store, in_force()), publisher, [knock(b"a" * size)])
    [letter] = publisher.on(topics.dead_letters("router"))
    assert (letter[1] is not None, bool(header(letter, "dl_cut")), header(letter, "dl_offset")) == (kept, not kept, "0")


def unsalted(record: Any) -> Any:
    """A published record without the salt header."""
    topic, (key, value, headers) = record
    return topic, (key, value, [one for one in headers if one[0] != "ce_salt"])


async def test_a_repeat_has_the_same_bytes_and_a_new_salt(store: RouterStore, publisher: FakePublisher) -> None:
    batch = [knock(GOOD, "a", 1), knock(b"{", "b", 2)]
    await passed(Gate(store, in_force()), publisher, batch)
    first = list(publisher.records)
    await passed(Gate(store, in_force()), publisher, batch)
    assert [unsalted(one) for one in publisher.records] == [unsalted(one) for one in first] * 2
    salts = [header(row, "ce_salt") for row in publisher.on(topics.INPUTS)]
    assert len(set(salts)) == len(salts)


async def test_two_departments_may_use_the_same_id(store: RouterStore, publisher: FakePublisher) -> None:
    await passed(Gate(store, in_force()), publisher, [knock(GOOD, "1"), knock(GOOD, "1", department="roads")])
    assert len(set(publisher.ids(topics.INPUTS))) == 2


async def test_a_publish_error_is_raised_so_that_the_batch_waits(store: RouterStore, publisher: FakePublisher) -> None:
    publisher.away = True
    with pytest.raises(Exception, match="away"):
        await passed(Gate(store, in_force()), publisher, [knock(GOOD)])


async def test_a_batch_of_invalid_records_does_no_harm(store: RouterStore, publisher: FakePublisher) -> None:
    batch = [
        knock(json.dumps({"part_id": f"20260316-0000{n:04d}-p1"}).encode(), f"s{n}", n, "roads") for n in range(200)
    ]
    await passed(Gate(store, in_force()), publisher, [*batch, knock(GOOD)])
    assert len(publisher.on(topics.INPUTS)) == 1
    assert len(publisher.on(topics.inbox("roads"))) == 200


async def test_messages_of_unknown_departments_become_dead_letters(
    store: RouterStore, publisher: FakePublisher
) -> None:
    await passed(
        Gate(store, in_force()), publisher, [knock(GOOD, "x", 1, "stray"), knock(b"{", "y", 2, "stray"), knock(GOOD)]
    )
    assert publisher.on(topics.inbox("stray")) == []
    assert len(publisher.on(topics.dead_letters("router"))) == 2
    assert [header(row, "ce_causationid") for row in publisher.on(topics.INPUTS)] == ["our-1"]


async def test_two_refusals_of_one_id_are_distinguished_by_their_bytes(
    store: RouterStore, publisher: FakePublisher
) -> None:
    await passed(Gate(store, in_force()), publisher, [knock(b"{", "same", 1), knock(b"[", "same", 2)])
    assert len(set(publisher.ids(topics.inbox("lighting")))) == 2
