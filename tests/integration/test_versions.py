"""A router with decisions of other versions: an older one ends it with an error, a newer one appears in its readiness."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from confluent_kafka import Consumer, TopicPartition
from pymongo import MongoClient

from services.router.domain.decision import OLDEST_VERSION, VERSION
from shared.kafka.topics import INPUTS
from tests.integration.bench import NOISE, OPERATOR, REPOSITORY, Bench, answered, until_decided
from tests.integration.outside import Resident, departments_write
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.integration


@contextmanager
def in_version(bench: Bench, inquiry_id: str, version: int) -> Iterator[None]:
    """While the block runs, the first decision of the case has another version."""
    with MongoClient[dict[str, Any]](bench.backing.mongodb) as store:
        decisions = store["chorus_router"]["decisions"]

        def give(number: int) -> None:
            assert decisions.update_one({"_id": f"{inquiry_id}/1"}, {"$set": {"v": number}}).modified_count == 1

        give(version)
        try:
            yield
        finally:
            give(VERSION)


def committed(bench: Bench) -> dict[int, int]:
    """The core's committed offsets."""
    consumer = Consumer({"bootstrap.servers": bench.backing.kafka, "group.id": "router-core"})
    try:
        found = consumer.committed([TopicPartition(INPUTS, number) for number in range(6)], timeout=PATIENCE_S)
        return {one.partition: one.offset for one in found}
    finally:
        consumer.close()


def test_an_older_decision_ends_the_router_with_an_error_and_status_1(bench: Bench) -> None:
    with bench.service("intake"), bench.service("router"):
        bench.await_ready("intake")
        receipt = Resident(bench.url("intake")).write(NOISE)
        until_decided(bench, receipt)
    with in_version(bench, receipt["inquiry_id"], OLDEST_VERSION - 1):
        command = [sys.executable, "-m", "services.router"]
        env = bench.env | {"CHORUS_HTTP": f"127.0.0.1:{bench.ports.router}"}
        done = subprocess.run(
            command, env=env, cwd=REPOSITORY, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
    assert done.returncode == 1
    said = [line for line in done.stderr.splitlines() if "has a decision" in line]
    assert said == [
        f"chorus router: The database 'chorus_router' has a decision of version {OLDEST_VERSION - 1}, "
        f"'{receipt['inquiry_id']}/1', but this router reads versions {OLDEST_VERSION} to {VERSION}: give it an empty database."
    ]
    assert "Traceback" not in done.stderr


def test_the_core_waits_for_a_newer_decision_and_continues_afterwards(bench: Bench) -> None:
    with bench.service("intake"), bench.service("router"):
        bench.await_ready("intake")
        resident = Resident(bench.url("intake"))
        receipt = resident.write(NOISE)
        resident.wait_for(receipt, "assigned")
    case = f"{bench.url('router')}/cases/{receipt['inquiry_id']}"
    before = committed(bench)
    with bench.service("intake"), bench.service("router"):
        with in_version(bench, receipt["inquiry_id"], VERSION + 1):
            bench.await_ready("intake")
            part_id = f"{receipt['inquiry_id']}-p1"
            departments_write(bench.backing.kafka, "environment", "part.accepted", {"part_id": part_id})
            until_said(bench, "router-core waits for a-newer-router")
            shown = httpx.get(case, headers=OPERATOR, timeout=PATIENCE_S)
            assert (shown.status_code, shown.headers["content-type"]) == (503, "application/problem+json")
            assert f"has version {VERSION + 1}" in shown.json()["detail"]
            assert committed(bench) == before
        answered(bench, receipt)
    assert committed(bench) != before


def until_said(bench: Bench, reason: str) -> None:
    """Wait until the router is not ready for this reason."""
    until = time.monotonic() + PATIENCE_S
    said: Any = None
    while time.monotonic() < until:
        try:
            answer = httpx.get(f"{bench.url('router')}/readyz", timeout=3)
            said = answer.json()
            if answer.status_code == 503 and reason in said["reasons"]:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"the router never said {reason!r}, but {said}")
