"""Broker and store are killed under a running system; all accepted messages are processed after the restart."""

import asyncio
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.backing import Backing
from tests.conftest import RunningStack
from tests.integration.outside import Resident, ids_by, read_all
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.integration
LIGHT = {"subject": "路灯不亮", "body": "小区门口的路灯坏了，晚上很黑。", "language": "zh"}


@pytest.fixture(scope="module")
def urls(stack: RunningStack) -> dict[str, str]:
    found: dict[str, str] = json.loads((stack.data / "stack.json").read_text())["urls"]
    return found


@contextmanager
def away(running: Backing, *parts: str) -> Iterator[None]:
    """Kill a component, then start it again."""
    for name in parts:
        running.parts[name].kill()
    try:
        yield
    finally:
        for name in parts:
            running.parts[name].start()


def assigned_once(running: Backing, resident: Resident, receipts: list[dict[str, Any]]) -> None:
    """Wait until every ticket is assigned, without duplicates."""
    for receipt in receipts:
        resident.wait_for(receipt, "triage")
    mine = {receipt["inquiry_id"] for receipt in receipts}
    letters = [one for one in read_all(running.kafka, ["residents.inbox"]) if one.key in mine]
    told = ids_by(letters, "inquiry_id", "what")
    assert len(told) == 2 * len(mine)
    assert all(len(ids) == 1 for ids in told.values())


LANGUAGES = ("zh", "en")
NOT_SAVED = {
    "zh": "系统暂时无法保存。您填写的内容还在，请过几分钟再提交。",
    "en": "We cannot save your message right now. What you wrote is still here.",
}
UNAVAILABLE = {"zh": "系统暂时无法保存或读取。", "en": "We cannot save or read anything right now."}
TICKET = re.compile(r"\d{8}-[0-9A-HJKMNP-TV-Z]{8}")
FORM = {"subject": "井盖不见了", "body": "人行道上的井盖不见了，很危险。"}


def in_form(answer: httpx.Response, language: str) -> httpx.Response:
    """The page in this language."""
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert f'<html lang="{language}' in answer.text
    return answer


def told_to_come_back(answer: httpx.Response) -> None:
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["retry-after"]) > 0
    assert answer.headers["cache-control"] == "no-store"


async def written(intake: httpx.AsyncClient, key: str, **more: str) -> httpx.Response:
    return await intake.post("/inquiries", json=LIGHT | more, headers={"Idempotency-Key": key})


async def sent(intake: httpx.AsyncClient, language: str, key: str) -> httpx.Response:
    return await intake.post("/", params={"lang": language}, data=FORM | {"key": key})


async def looked(intake: httpx.AsyncClient, language: str, receipt: dict[str, Any]) -> httpx.Response:
    data = {"inquiry_id": receipt["inquiry_id"], "code": receipt["query_code"]}
    return await intake.post("/status", params={"lang": language}, data=data)


def at(urls: dict[str, str], service: str = "intake") -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=urls[service], timeout=PATIENCE_S)


async def test_residents_can_write_while_kafka_is_unavailable(running: Backing, urls: dict[str, str]) -> None:
    resident, key = Resident(urls["intake"]), str(uuid4())
    with away(running, "kafka"):
        receipts = [resident.write(LIGHT) for _ in range(5)]
        assert resident.look(receipts[0])["state"] == "registered"
        async with at(urls) as intake, at(urls, "router") as router:
            first, again = await written(intake, key), await written(intake, key)
            assert (first.status_code, again.status_code, first.json()) == (202, 202, again.json())
            assert again.headers["idempotent-replayed"] == "true"
            pages = [in_form(await sent(intake, one, key), one) for one in LANGUAGES]
            assert [page.status_code for page in pages] == [202, 202]
            shown = [in_form(await looked(intake, one, receipts[0]), one) for one in LANGUAGES]
            assert [page.status_code for page in shown] == [200, 200]
            ready = await intake.get("/readyz")
            assert (ready.status_code, "Kafka is unavailable" in ready.json()["reasons"]) == (200, True)
            assert (await router.get("/readyz")).status_code == 503
    numbers = {found[0] for page in pages if (found := TICKET.search(page.text))}
    assert len(numbers) == 2, "the language is part of what is written"
    assigned_once(running, resident, [*receipts, first.json()])
    await until_assigned(running, numbers)


async def until_assigned(running: Backing, numbers: set[str]) -> None:
    """Wait until the ticket shows the assignment."""
    async with asyncio.timeout(PATIENCE_S):
        while numbers - {
            one.key for one in read_all(running.kafka, ["residents.inbox"]) if one.data["what"] != "registered"
        }:
            await asyncio.sleep(0.2)


@pytest.mark.parametrize("parts", [("store",), ("kafka", "store")], ids=" and ".join)
async def test_without_the_store_residents_are_asked_to_retry_and_nothing_is_lost(
    running: Backing, urls: dict[str, str], parts: tuple[str, ...]
) -> None:
    resident, key, form_key = Resident(urls["intake"]), str(uuid4()), str(uuid4())
    before = [resident.write(LIGHT) for _ in range(10)]
    async with at(urls) as intake:
        with away(running, *parts):
            held = asyncio.create_task(written(intake, key))
            await asyncio.sleep(0.5)
            second, other, ticket, ready, *pages = await asyncio.gather(
                written(intake, key),
                written(intake, str(uuid4())),
                intake.get(f"/inquiries/{before[0]['inquiry_id']}", headers={"X-Query-Code": before[0]["query_code"]}),
                intake.get("/readyz"),
                *(sent(intake, one, form_key) for one in LANGUAGES),
                *(looked(intake, one, before[0]) for one in LANGUAGES),
            )
            assert second.status_code == 409, "the first with this key is still in flight"
            for answer in (await held, other, ticket):
                told_to_come_back(answer)
                assert answer.headers["content-type"] == "application/problem+json"
                assert answer.json()["detail"] == "The store is unavailable; try again in a moment."
            assert (ready.status_code, ready.json()["ready"]) == (503, False)
            for page, words, language in zip(
                pages, [*NOT_SAVED.values(), *UNAVAILABLE.values()], LANGUAGES * 2, strict=True
            ):
                told_to_come_back(in_form(page, language))
                assert words in page.text
            for page in pages[:2]:
                assert FORM["body"] in page.text
                assert f'name="key" value="{form_key}"' in page.text
        after = resident.write(LIGHT)
        first, again = await written(intake, key), await written(intake, key)
        assert (first.status_code, again.status_code, first.json()) == (202, 202, again.json())
        assert (await written(intake, key, body="别的事。")).status_code == 422
        twice = [TICKET.findall((await sent(intake, "zh", form_key)).text)[0] for _ in range(2)]
        assert twice[0] == twice[1]
    assigned_once(running, resident, [*before, after, first.json()])


def test_a_department_added_at_run_time_gets_parts(running: Backing, stack: RunningStack, urls: dict[str, str]) -> None:
    added = stack.chorus("department", "add", "night-market", "--name-zh", "夜市办", "--name-en", "Night Market Office")
    assert added.returncode == 0, added.stderr
    resident = Resident(urls["intake"])
    given = {"subject": "夜市", "body": "夜市的灯太暗。", "departments": ["night-market", "police"]}
    answer = httpx.post(f"{urls['intake']}/inquiries", json=given, timeout=PATIENCE_S)
    while answer.status_code == 422:  # intake receives the revision within a moment
        answer = httpx.post(f"{urls['intake']}/inquiries", json=given, timeout=PATIENCE_S)
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
