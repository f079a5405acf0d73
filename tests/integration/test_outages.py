"""Broker and store go away under a running system; what was accepted is whole when they are back."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from deploy.local.backing import Backing
from tests.conftest import RunningStack
from tests.integration.outside import Resident, ids_by, read_all

pytestmark = pytest.mark.integration
LIGHT = {"subject": "路灯不亮", "body": "小区门口的路灯坏了，晚上很黑。", "language": "zh"}


@pytest.fixture(scope="module")
def urls(stack: RunningStack) -> dict[str, str]:
    found: dict[str, str] = json.loads((stack.data / "stack.json").read_text())["urls"]
    return found


@contextmanager
def away(running: Backing, *parts: str) -> Iterator[None]:
    """Killed as `kill -9` does, then started again."""
    for name in parts:
        running.parts[name].kill()
    try:
        yield
    finally:
        for name in parts:
            running.parts[name].start()


def assigned_once(running: Backing, resident: Resident, receipts: list[dict[str, Any]]) -> None:
    """Every ticket has its assignment, and nothing was told under two ids."""
    for receipt in receipts:
        resident.wait_for(receipt, "assigned", "triage")
    mine = {receipt["inquiry_id"] for receipt in receipts}
    letters = [one for one in read_all(running.kafka, ["residents.inbox"]) if one.key in mine]
    told = ids_by(letters, "inquiry_id", "what")
    assert len(told) == 2 * len(mine)
    assert all(len(ids) == 1 for ids in told.values())


def test_residents_can_write_while_kafka_is_away(running: Backing, urls: dict[str, str]) -> None:
    resident = Resident(urls["intake"])
    with away(running, "kafka"):
        receipts = [resident.write(LIGHT) for _ in range(5)]
        seen = resident.look(receipts[0])
        assert seen["state"] == "registered"
        ready = httpx.get(f"{urls['intake']}/readyz", timeout=10)
        assert ready.status_code == 200
        assert "Kafka is away" in ready.json()["reasons"]
        assert httpx.get(f"{urls['router']}/readyz", timeout=10).status_code == 503
    assigned_once(running, resident, receipts)


def test_without_the_store_a_resident_is_told_to_come_back(running: Backing, urls: dict[str, str]) -> None:
    resident = Resident(urls["intake"])
    before = resident.write(LIGHT)
    with away(running, "store"):
        answer = httpx.post(f"{urls['intake']}/inquiries", json=LIGHT, timeout=20)
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert answer.headers["content-type"] == "application/problem+json"
        ready = httpx.get(f"{urls['intake']}/readyz", timeout=10)
        assert (ready.status_code, ready.json()["ready"]) == (503, False)
    assigned_once(running, resident, [before, resident.write(LIGHT)])


def test_both_away_at_once_lose_nothing(running: Backing, urls: dict[str, str]) -> None:
    resident = Resident(urls["intake"])
    receipts = [resident.write(LIGHT) for _ in range(20)]
    with away(running, "kafka", "store"):
        pass
    assigned_once(running, resident, [*receipts, resident.write(LIGHT)])


def test_a_department_added_while_everything_runs_gets_its_first_part(
    running: Backing, stack: RunningStack, urls: dict[str, str]
) -> None:
    added = stack.chorus("department", "add", "night-market", "--name-zh", "夜市办", "--name-en", "Night Market Office")
    assert added.returncode == 0, added.stderr
    resident = Resident(urls["intake"])
    given = {"subject": "夜市", "body": "夜市的灯太暗。", "departments": ["night-market", "police"]}
    answer = httpx.post(f"{urls['intake']}/inquiries", json=given, timeout=10)
    while answer.status_code == 422:  # intake learns of it within a moment
        answer = httpx.post(f"{urls['intake']}/inquiries", json=given, timeout=10)
    receipt = answer.json()
    resident.wait_for(receipt, "assigned")
    offered = [
        one for one in read_all(running.kafka, ["departments.night-market.inbox"]) if one.key == receipt["inquiry_id"]
    ]
    assert [one.data["role"] for one in offered] == ["lead"]
    part = f"{receipt['inquiry_id']}-p1"
    taken = stack.chorus("inbox", "night-market", "contribute", part, "--text", "加装了路灯。")
    assert taken.returncode == 0, taken.stderr
    seen = resident.wait_for(receipt, "in-progress")
    assert {one["state"] for one in seen["departments"]} == {"contributed", "offered"}
