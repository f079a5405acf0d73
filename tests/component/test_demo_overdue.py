"""The demo's overdue scene, against the desk's own checks of a city."""

import asyncio
import json
from datetime import date
from typing import Any

import httpx
import pytest

from deploy.cli.demo.account import DemoCase
from deploy.cli.demo.messages import write_messages
from deploy.cli.demo.overdue import SHORT, OverdueScene
from services.router.desk.city_requests import city_sent
from shared.city import City, load_city
from shared.city.policies import PartCircumstances, policy_for
from shared.http.problems import Problem
from tests.conftest import REPOSITORY

CITY = load_city(REPOSITORY / "deploy" / "city")
TODAY = date(2026, 11, 28)


class Desk:
    """The desk's routes for the city. `applied` are the cities that it has accepted."""

    def __init__(self, lead: str | None) -> None:
        self.lead = lead
        self.applied: list[City] = [CITY]

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/route":
            return httpx.Response(200, json={"lead": self.lead, "co_handlers": []})
        if request.method == "POST":
            try:
                self.applied.append(city_sent(request.content))
            except Problem as problem:
                return httpx.Response(problem.status, json={"detail": problem.detail})
        return httpx.Response(200, json=json.loads(self.applied[-1].model_dump_json()))


def late_case() -> DemoCase:
    return next(DemoCase(one) for one in write_messages(1, "run") if one.late)


def played(desk: Desk, case: DemoCase) -> tuple[list[str], list[tuple[City, str]]]:
    """What the scene tells, and the city in force when it sends the message."""
    told: list[str] = []
    sent: list[tuple[City, str]] = []

    async def send(given: DemoCase) -> None:
        sent.append((desk.applied[-1], given.message.channel))
        part: Any = object()
        given.parts["p1"] = part

    async def play() -> None:
        transport = httpx.MockTransport(desk.answer)
        async with httpx.AsyncClient(base_url="http://desk.test", transport=transport) as client:
            await OverdueScene(client, send, lambda _, __, words: told.append(words)).play(case)

    asyncio.run(play())
    return told, sent


def test_the_short_policy_is_in_force_for_this_message_only() -> None:
    desk, case = Desk("transport"), late_case()
    told, sent = played(desk, case)
    assert told == []
    [(city, channel)] = sent
    own = PartCircumstances(TODAY, channel, "transport")
    assert policy_for(city.policies, own).id == SHORT["id"]
    assert policy_for(city.policies, own._replace(department="water")).id == "standard"
    assert policy_for(city.policies, own._replace(channel="hotline")).id == "standard"


def test_the_citys_own_policies_are_back_at_the_end() -> None:
    desk = Desk("transport")
    played(desk, late_case())
    assert desk.applied[-1].policies == CITY.policies


@pytest.mark.parametrize("lead", ["transport", None])
def test_the_message_is_sent_in_any_case(lead: str | None) -> None:
    assert len(played(Desk(lead), late_case())[1]) == 1
