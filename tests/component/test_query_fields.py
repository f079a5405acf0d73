"""Lists refuse query fields that they do not have, and places at which no page ended."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Query

from shared.http import problems
from shared.http.query_fields import KNOWN_FIELDS_ONLY, TOLD_MAX, unknown_place

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    api = APIRouter(dependencies=[KNOWN_FIELDS_ONLY])

    @api.get("/lamps")
    async def lamps(
        state: str | None = None, limit: Annotated[int, Query(alias="most")] = 3, after: str | None = None
    ) -> list[int]:
        if after == "nowhere":
            raise unknown_place(after)
        return list(range(limit))

    @api.get("/all")
    async def everything() -> list[int]:
        return []

    app = FastAPI()
    problems.install(app)
    app.include_router(api)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://city.example") as client:
        yield client


def errors(answer: httpx.Response, status: int = 422) -> list[dict[str, Any]]:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    found: list[dict[str, Any]] = answer.json()["errors"]
    return found


async def test_known_fields_are_accepted_by_their_public_names(http: httpx.AsyncClient) -> None:
    answer = await http.get("/lamps?state=dark&most=2&state=&after=")
    assert (answer.status_code, answer.json()) == (200, [0, 1])


async def test_an_unknown_field_is_named_with_the_known_ones(http: httpx.AsyncClient) -> None:
    detail = "'stat' is not a query field here; known are state, most, after"
    assert errors(await http.get("/lamps?stat=dark")) == [{"pointer": "/stat", "detail": detail}]
    nothing = "'state' is not a query field here; this address has none"
    assert errors(await http.get("/all?state=dark")) == [{"pointer": "/state", "detail": nothing}]


async def test_every_unknown_field_is_told_once(http: httpx.AsyncClient) -> None:
    answer = await http.get("/lamps?limit=1&limit=2&State=dark&most=1")
    assert [one["pointer"] for one in errors(answer)] == ["/limit", "/State"]
    assert answer.json()["detail"].count("; known are") == 2


@pytest.mark.parametrize("name", ["", "a/b~c", "%00", "%ff", "%ED%A0%BD", "\u202e", "x" * 500])
async def test_a_hostile_name_is_quoted_and_cut(http: httpx.AsyncClient, name: str) -> None:
    [one] = errors(await http.get(f"/lamps?{name}=1"))
    assert one["detail"].endswith("known are state, most, after")
    assert len(one["detail"]) < 150


async def test_a_flood_of_names_gets_a_short_answer(http: httpx.AsyncClient) -> None:
    answer = await http.get("/lamps?" + "&".join(f"f{n}=1" for n in range(1_000)))
    assert len(errors(answer)) == TOLD_MAX


async def test_a_browser_may_bring_additions_to_a_link(http: httpx.AsyncClient) -> None:
    assert (await http.get("/lamps?utm_source=mail", headers=BROWSER)).status_code == 200


async def test_an_unknown_place_is_404(http: httpx.AsyncClient) -> None:
    answer = await http.get("/lamps?after=nowhere")
    errors(answer, 404)
    assert answer.json()["detail"] == "There is no place 'nowhere' in this list; start without `after`."
