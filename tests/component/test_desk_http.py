"""HTTP edge cases of the desk: authentication before reading the body, limits, unusual values."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from aiokafka.errors import KafkaConnectionError

from services.router.desk import city_revisions
from services.router.desk.case_list import CaseList
from services.router.stores.store import RouterStore
from shared.store.mongo import Database, Document
from tests.builders import CITY, INQUIRY
from tests.component.test_desk import Office, office, problem

__all__ = ["office"]
BODY = {"name": {"zh": "灯塔处", "en": "Lighthouses"}}
DOORS = [("POST", "/city"), ("PUT", "/departments/lighthouses"), ("POST", f"/cases/{INQUIRY}/commands")]


class Unread(httpx.AsyncByteStream):
    """A body that records whether it was read."""

    def __init__(self) -> None:
        self.asked = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.asked = True
        yield b"{"


@pytest.mark.parametrize(("method", "path"), DOORS)
async def test_the_body_is_not_read_without_the_token(office: Office, method: str, path: str) -> None:
    body = Unread()
    headers = {"Authorization": "Bearer wrong", "Content-Type": "application/json"}
    problem(await office.http.request(method, path, content=body, headers=headers), 401)
    assert not body.asked


@pytest.mark.parametrize(("method", "path"), DOORS)
async def test_every_body_has_a_limit(office: Office, method: str, path: str) -> None:
    problem(await office.http.request(method, path, content=b" " * (4 * 1024 * 1024 + 1)), 413)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"name": {"zh": "\\ud800", "en": "a"}}',
        b'{"name": ' + b"9" * 5_000 + b"}",
        json.dumps(BODY | {"kind": ["\ud800"]}).encode(),
        json.dumps(BODY | {"email": "nonsense"}).encode(),
    ],
    ids=lambda value: repr(value)[:30],
)
async def test_a_body_that_is_not_a_department_is_422(office: Office, content: bytes) -> None:
    assert await office.store.revisions.add(CITY)
    problem(await office.http.put("/departments/lighthouses", content=content), 422)


@pytest.mark.parametrize(
    "content", [b'{"type": ' + b"9" * 5_000 + b"}", b'{"type": "assign", "lead": ' + b"9" * 5_000 + b"}"]
)
async def test_a_command_with_thousands_of_digits_is_422(office: Office, content: bytes) -> None:
    office.store.decisions.known = known  # type: ignore[method-assign]
    problem(await office.http.post(f"/cases/{INQUIRY}/commands", content=content), 422)


async def known(inquiry_ids: Any) -> set[str]:
    return set(inquiry_ids)


async def test_a_position_with_thousands_of_digits_is_422(office: Office) -> None:
    answer = problem(await office.http.get("/decisions", params={"after": "x/" + "9" * 5_000}), 422)
    assert "too many digits" in answer["detail"]


@pytest.mark.parametrize("path", ["/city", "/departments/lighthouses"])
async def test_changing_the_city_is_503_while_kafka_is_unavailable(
    office: Office, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any) -> None:
        raise KafkaConnectionError("127.0.0.1:1 is gone")

    monkeypatch.setattr(city_revisions, "create_topics", away)
    assert await office.store.revisions.add(CITY)
    body = BODY if path != "/city" else json.loads(CITY.model_dump_json())
    answer = await office.http.request("POST" if path == "/city" else "PUT", path, json=body)
    assert answer.headers["retry-after"] == "5"
    assert problem(answer, 503)["detail"] == "Kafka is unavailable; try again in a moment."


async def test_the_newest_event_is_shown_when_events_arrive_out_of_order(database: Database) -> None:
    view = CaseList(RouterStore(database))

    def row(sequence: int, state: str) -> Document:
        return {"_id": INQUIRY, "sequence": sequence, "state": state, "departments": []}

    await view.follow([row(5, "in-progress"), row(6, "answered"), row(4, "assigned")])
    await view.follow([row(3, "triage")])
    [shown] = await view.store.cases.page({}, 10)
    assert (shown["sequence"], shown["state"]) == (6, "answered")
