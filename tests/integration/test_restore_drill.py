"""The restore procedure of docs/operations.md: the store goes back to a backup, Kafka stays, nothing is lost or duplicated."""

import hashlib
import json
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition
from pymongo import MongoClient

from shared.kafka.topics import EVENTS
from tests.integration.bench import JOINT, NOISE, Bench, answered
from tests.integration.outside import Resident, departments_write
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.integration
ROUTER = "chorus_router"
Receipt = dict[str, Any]
Restore = Callable[[], None]


@contextmanager
def running_services(bench: Bench) -> Iterator[Resident]:
    """Run intake and router until the end of the block."""
    with bench.service("intake"), bench.service("router"):
        bench.await_ready("intake")
        bench.await_ready("router")
        yield Resident(bench.url("intake"))


def router_database(bench: Bench, folder: Path) -> Restore:
    """A backup of the router's database."""
    with MongoClient[dict[str, Any]](bench.backing.mongodb) as store:
        database = store[ROUTER]
        kept = {name: list(database[name].find()) for name in database.list_collection_names()}

    def restore() -> None:
        with MongoClient[dict[str, Any]](bench.backing.mongodb) as store:
            store.drop_database(ROUTER)
            for name, documents in kept.items():
                if documents:
                    store[ROUTER][name].insert_many(documents)

    return restore


def whole_store(bench: Bench, folder: Path) -> Restore:
    """A backup of the store's folder, with the databases of all services."""
    part = bench.backing.parts["store"]
    data = Path(part.component.command[part.component.command.index("--storage-path") + 1])
    part.stop()
    shutil.copytree(data, folder / "backup")
    part.start()

    def restore() -> None:
        part.stop()
        shutil.rmtree(data)
        shutil.copytree(folder / "backup", data)
        part.start()

    return restore


def events(bench: Bench) -> dict[str, dict[int, list[bytes]]]:
    """The values on the topic by inquiry and sequence."""
    settings = {"bootstrap.servers": bench.backing.kafka, "group.id": f"drill-{uuid4()}", "enable.partition.eof": True}
    consumer = Consumer({**settings, "enable.auto.commit": False})
    found: dict[str, dict[int, list[bytes]]] = defaultdict(lambda: defaultdict(list))
    try:
        partitions = consumer.list_topics(EVENTS, timeout=PATIENCE_S).topics[EVENTS].partitions
        consumer.assign([TopicPartition(EVENTS, one, OFFSET_BEGINNING) for one in partitions])
        left = len(partitions)
        while left:
            record = consumer.poll(PATIENCE_S)
            assert record is not None, "the broker did not answer"
            if record.error():
                left -= 1
                continue
            headers = dict(record.headers() or [])
            sequence = int(headers["ce_sequence"] or b"0")
            found[(record.key() or b"").decode()][sequence].append(bytes(record.value() or b""))
        return found
    finally:
        consumer.close()


def decisions(bench: Bench, receipts: list[Receipt]) -> list[dict[str, Any]]:
    """The stored decisions of these inquiries."""
    mine = {"$in": [one["inquiry_id"] for one in receipts]}
    found = bench.stored("router", "decisions", inquiry_id=mine)
    return sorted(found, key=lambda one: (one["inquiry_id"], one["n"]))


def take_up(bench: Bench, resident: Resident, receipt: Receipt) -> None:
    """The first department finishes its part."""
    resident.wait_for(receipt, "assigned")
    part_id = f"{receipt['inquiry_id']}-p1"
    departments_write(bench.backing.kafka, JOINT[0], "part.accepted", {"part_id": part_id})
    departments_write(bench.backing.kafka, JOINT[0], "part.contributed", {"part_id": part_id, "text": "已到场查看。"})
    resident.wait_for(receipt, "in-progress")


def finish(bench: Bench, resident: Resident, receipt: Receipt) -> None:
    """The second department finishes its part."""
    part_id = f"{receipt['inquiry_id']}-p2"
    departments_write(bench.backing.kafka, JOINT[1], "part.contributed", {"part_id": part_id, "text": "已停工整改。"})
    resident.wait_for(receipt, "answered")


def told_answered(bench: Bench, receipts: list[Receipt]) -> None:
    """Wait until intake shows every reply; with an older database the core publishes some of them again."""
    mine = {one["inquiry_id"] for one in receipts}
    until = time.monotonic() + PATIENCE_S
    while missing := mine - {one["inquiry_id"] for one in bench.stored("intake", "tickets", what="answered")}:
        assert time.monotonic() < until, f"nobody has told intake that these are answered: {sorted(missing)}"
        time.sleep(0.1)


@pytest.mark.parametrize("back_up", [router_database, whole_store])
def test_a_restored_router_decides_missing_inputs_again_with_the_same_result(
    bench: Bench, tmp_path: Path, back_up: Callable[[Bench, Path], Restore]
) -> None:
    with running_services(bench) as resident:
        early = [resident.write(NOISE) for _ in range(4)]
        for receipt in early:
            take_up(bench, resident, receipt)
        for receipt in early[:2]:
            finish(bench, resident, receipt)
    restore = back_up(bench, tmp_path)

    with running_services(bench) as resident:
        for receipt in early[2:]:
            finish(bench, resident, receipt)
        late = [resident.write(NOISE) for _ in range(3)]
        for receipt in late:
            take_up(bench, resident, receipt)
            finish(bench, resident, receipt)
    receipts = early + late
    before, said = decisions(bench, receipts), events(bench)
    restore()
    assert len(decisions(bench, receipts)) < len(before), "the backup is older"

    with running_services(bench) as resident:
        told_answered(bench, receipts)
        # A restored intake lacks the tickets of messages accepted after the backup.
        for receipt in receipts if back_up is router_database else early:
            assert resident.wait_for(receipt, "answered")["reply"] is not None
        receipts.append(resident.write(NOISE))
        answered(bench, receipts[-1])
    after = decisions(bench, receipts[:-1])
    assert after == before
    heard = events(bench)
    for receipt in receipts:
        chain_is_what_was_said(after + decisions(bench, receipts[-1:]), receipt["inquiry_id"], heard, said)


def chain_is_what_was_said(
    stored: list[dict[str, Any]],
    inquiry_id: str,
    heard: dict[str, dict[int, list[bytes]]],
    said: dict[str, dict[int, list[bytes]]],
) -> None:
    """The stored facts equal the events on the topic, each with one value and a valid chain."""
    chain = [fact.encode() for one in stored if one["inquiry_id"] == inquiry_id for fact in one["facts"]]
    values = heard[inquiry_id]
    assert [values[number][0] for number in range(1, len(values) + 1)] == chain
    assert all(len(set(one)) == 1 for one in values.values()), "an event has two values"
    previous = None
    for value in chain:
        assert json.loads(value)["prev"] == previous
        previous = hashlib.sha256(value).hexdigest()
    for number, first in said[inquiry_id].items():
        assert values[number][: len(first)] == first, "what was said before the restore lies there as it was"
