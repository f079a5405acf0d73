"""Cities and departments sent to the desk: every error has a message and a JSON pointer."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.router.desk import api
from services.router.desk.cases import CaseQueries
from services.router.desk.city_revisions import CityDesk
from services.router.desk.commands import Commands
from services.router.desk.retirement import Retirement
from services.router.domain.city_index import CityIndex, city_index
from services.router.stores.city_revisions import CityRevisions
from services.router.stores.store import RouterStore
from shared.city import CITY_BYTES_MAX, City
from shared.city.faults import MOST_TOLD
from shared.http import problems
from shared.ledger.ledger import Ledger
from shared.runtime.settings import Settings
from shared.service.city_feed import CityFeed
from tests.city_cases import CASES, GOOD, put
from tests.component.staff import TOKEN, guard
from tests.component.test_desk import problem
from tests.fakes import FakePublisher

HILLS = ("departments", 2)
OF_HILLS = [case for case in CASES if case.loc[:2] == HILLS and case.loc[2] not in ("code", "code_")]
IN_FORCE = City.model_validate(GOOD)


class Shelf(CityRevisions):
    """A fake store with the valid city; fails if rejected data reaches it."""

    def __init__(self) -> None:
        pass

    async def latest(self) -> City | None:
        return IN_FORCE


@pytest.fixture
async def desk() -> AsyncIterator[httpx.AsyncClient]:
    publisher = FakePublisher()
    store = RouterStore.__new__(RouterStore)
    store.revisions = Shelf()
    commands = Commands(store, Ledger.__new__(Ledger))
    app = FastAPI()
    problems.install(app)
    city: CityFeed[CityIndex] = CityFeed(city_index)
    office = CityDesk(store, publisher, city, Settings())
    retirement = Retirement(office, commands, store, city)
    app.include_router(api.routes(CaseQueries(store, Settings()), commands, office, retirement, guard()))
    headers = {"Authorization": f"Bearer {TOKEN.decode()}"}
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://desk.example", headers=headers) as client:
        yield client


def pointer(loc: tuple[str | int, ...]) -> str:
    return "".join(f"/{step}" for step in loc)


def told(answer: httpx.Response) -> list[tuple[str, str]]:
    """Every error as pointer and message."""
    said = problem(answer, 422)
    assert said["detail"].endswith(".")
    return [(one["pointer"], one["detail"]) for one in said["errors"]]


async def applied(desk: httpx.AsyncClient, city: Any) -> httpx.Response:
    return await desk.post("/city", content=city if isinstance(city, bytes) else json.dumps(city))


async def test_an_invalid_field_of_a_city_has_a_pointer(desk: httpx.AsyncClient) -> None:
    """Of every case of the table; the files of a city report the same sentences, case by case."""
    for case in CASES:
        errors = told(await applied(desk, case.city()))
        found = any(at.startswith(pointer(case.within)) and case.says in says for at, says in errors)
        assert found, (case.name, errors)


async def test_an_invalid_field_of_a_department_has_a_pointer(desk: httpx.AsyncClient) -> None:
    for case in OF_HILLS:
        body = {name: value for name, value in case.city()["departments"][2].items() if name != "code"}
        errors = told(await desk.put("/departments/hills", content=json.dumps(body)))
        found = any(at.startswith(pointer(case.within[2:])) and case.says in says for at, says in errors)
        assert found, (case.name, errors)


NO_JSON = [
    (b"", "the body is not JSON: Expecting value: line 1 column 1"),
    (b"{", "the body is not JSON: Expecting property name"),
    (b'{"name": 1, "name": 2}', "the body is not JSON: the key 'name' is repeated in one object; keep one of them"),
    (b'{"a": [{"b": 1, "c": 2, "b": 3}]}', "the key 'b' is repeated"),
    (b'{"a": NaN}', "NaN is not a JSON number; write digits"),
    (b'{"a": -Infinity}', "-Infinity is not a JSON number"),
    (b"\xff{}", "byte 0 is not UTF-8"),
    ("{}".encode("utf-16"), "byte 0 is not UTF-8"),
    (b"\xef\xbb\xbf{}", "BOM"),
    (b"[" * 100_000, "it is nested too deeply"),
    (b'{"a": ' * 20_000, "it is nested too deeply"),
    (b'{"a": ' + b"9" * 5_000 + b"}", "the body is not JSON: Exceeds the limit"),
]


@pytest.mark.parametrize(("body", "says"), NO_JSON, ids=[repr(body)[:30] for body, _ in NO_JSON])
@pytest.mark.parametrize(("method", "path"), [("POST", "/city"), ("PUT", "/departments/hills")])
async def test_a_body_that_is_not_json_is_reported(
    desk: httpx.AsyncClient, method: str, path: str, body: bytes, says: str
) -> None:
    [(at, detail)] = told(await desk.request(method, path, content=body))
    assert at == ""
    assert says in detail


@pytest.mark.parametrize("body", ["[]", "7", "null", '"city"'])
async def test_a_body_that_is_not_an_object_is_reported(desk: httpx.AsyncClient, body: str) -> None:
    assert told(await applied(desk, body.encode())) == [
        ("", "A city must be an object with name, time_zone, departments, rules and policies")
    ]
    assert told(await desk.put("/departments/hills", content=body)) == [
        ("", "A department must be a JSON object with a name")
    ]


async def test_all_errors_are_reported_together(desk: httpx.AsyncClient) -> None:
    city = put(put(put(GOOD, ("departments", 0, "email"), "desk"), ("rules", 0, "lead"), "zoo"), ("time_zone",), "Mars")
    said = problem(await applied(desk, city | {"mayor": "nobody"}), 422)
    assert [one["pointer"] for one in said["errors"]] == [
        "/mayor",
        "/time_zone",
        "/departments/0/email",
        "/rules/0/lead",
    ]
    assert 'rule "bright", field lead: "zoo" is not a department' in said["detail"]


async def test_only_the_first_of_thousands_of_errors_are_reported(desk: httpx.AsyncClient) -> None:
    errors = told(await applied(desk, GOOD | {"departments": [7] * 5_000, "rules": []}))
    assert (len(errors), errors[-1]) == (MOST_TOLD + 1, ("", f"And {5_000 - MOST_TOLD} more"))


async def test_a_city_too_large_for_one_record_is_reported(desk: httpx.AsyncClient) -> None:
    rule = {"lead": "lamps", "any": ["路" * 2_000] * 100, "why": {"zh": "路", "en": "roads"}}
    [(at, detail)] = told(
        await applied(
            desk,
            json.dumps(
                GOOD | {"rules": [rule | {"id": f"r-{number}"} for number in range(6)]}, ensure_ascii=False
            ).encode(),
        )
    )
    assert (at, f"a revision can have at most {CITY_BYTES_MAX}" in detail) == ("", True)


async def test_a_conflict_with_a_kept_department_points_to_the_sent_area(desk: httpx.AsyncClient) -> None:
    """The lamps office is not in the request, so it is kept with its area."""
    sent = GOOD | {"departments": [GOOD["departments"][0], GOOD["departments"][2] | {"areas": ["河边"]}], "rules": []}
    assert told(await applied(desk, sent)) == [
        (
            "/departments/1/areas/0",
            'department "hills", field areas[0]: "河边" already belongs to "lamps"; an area has one district office',
        )
    ]


async def test_a_conflict_inside_a_kept_department_has_no_field_pointer(desk: httpx.AsyncClient) -> None:
    """The area conflicts with a kept department that comes later in the directory."""
    roads = {"name": {"zh": "道路局", "en": "Roads"}, "areas": ["山前"]}
    assert told(await desk.put("/departments/roads", json=roads)) == [
        ("", 'department "hills", field areas[0]: "山前" already belongs to "roads"; an area has one district office')
    ]


@pytest.mark.parametrize(
    ("code", "more", "errors"),
    [
        ("hills", {"code": "roads"}, [("/code", 'the code in the URL is "hills"')]),
        ("hills", {"retired": True}, [("/retired", "this request cannot retire a department; leave the field out")]),
        ("Hills", {}, []),
        ("h", {}, []),
        ("h" * 32, {}, []),
    ],
)
async def test_code_and_retirement_are_not_allowed_in_the_body(
    desk: httpx.AsyncClient, code: str, more: dict[str, Any], errors: list[tuple[str, str]]
) -> None:
    body = {"name": {"zh": "山前", "en": "Hills"}} | more
    found = told(await desk.put(f"/departments/{code}", json=body))
    assert [at for at, _ in found] == [at for at, _ in errors]
    assert all(words in says for (_, words), (_, says) in zip(errors, found, strict=True))
