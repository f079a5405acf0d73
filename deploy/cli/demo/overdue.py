"""The demo's overdue scene: one message is assigned under a policy so short that its department accepts too late.

The policy is put before the city's own for the moment of that one assignment, then removed. A part keeps the due times of
its assignment, so no other message is affected. It applies to the channel and the departments of the message only: a
policy for all parts would make the city's own ones useless, and the desk refuses such a city. Only a local stack is
changed in this way.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from deploy.cli.console import problem
from deploy.cli.demo.account import DemoCase
from deploy.failure import FAILED, Failure

SHORT = {"id": "demo-overdue", "accept_h": 0.0005, "first_reply_h": 72, "resolve_h": 360}
"""1.8 seconds to accept a part."""
LATE_S = 2.5
"""How long the department waits before it accepts."""
OFFER_S = 15.0
POLL_S = 0.05


@dataclass
class OverdueScene:
    """`send` writes the message of a case; the scene ends when a department has been offered its part."""

    desk: httpx.AsyncClient
    send: Callable[[DemoCase], Any]
    tell: Callable[[str, DemoCase, str], None]

    async def play(self, case: DemoCase) -> None:
        """Raises Failure only when the short policy cannot be removed; without it, the message is an ordinary one."""
        try:
            async with short_policy(self.desk, await self._conditions(case)):
                await self.send(case)
                for _ in range(int(OFFER_S / POLL_S)):
                    if case.parts:
                        break
                    await asyncio.sleep(POLL_S)
        except httpx.HTTPError as error:
            why = problem(error.response) if isinstance(error, httpx.HTTPStatusError) else str(error)
            self.tell("desk", case, f"could not shorten the time limits: {why}")

    async def _conditions(self, case: DemoCase) -> dict[str, list[str]]:
        """The parts of this message: its channel, and the departments to which the rules will assign it."""
        message = case.message
        asked = {"subject": message.subject, "body": message.body, "area": message.area, "channel": message.channel}
        found = (await self.desk.post("/route", json=asked)).raise_for_status().json()
        departments = [found["lead"], *found["co_handlers"]] if found["lead"] else []
        return {"channels": [message.channel], "departments": departments}


@asynccontextmanager
async def short_policy(desk: httpx.AsyncClient, when: Mapping[str, Sequence[str]]) -> AsyncIterator[None]:
    """The city with SHORT as the policy for these parts. Also removes one that a killed demo has left behind."""
    city = await _city(desk)
    try:
        await _apply(desk, with_short_policy(city, when))
        # The desk answers this once its router has read the revision.
        (await desk.post("/route", json={"subject": "demo"})).raise_for_status()
        yield
    finally:
        await _restore(desk)


async def _restore(desk: httpx.AsyncClient) -> None:
    try:
        city = await _city(desk)
        if len(_own(city)) < len(city["policies"]):
            await _apply(desk, city | {"policies": _own(city)})
    except httpx.HTTPError as error:
        raise Failure(
            FAILED,
            f"The demo's policy {SHORT['id']!r} may still be in force ({error}): run `chorus apply` with your city folder.",
        ) from error


async def _city(desk: httpx.AsyncClient) -> dict[str, Any]:
    found: dict[str, Any] = (await desk.get("/city")).raise_for_status().json()
    return found


async def _apply(desk: httpx.AsyncClient, city: dict[str, Any]) -> None:
    (await desk.post("/city", json=city)).raise_for_status()


def with_short_policy(city: Mapping[str, Any], when: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The city with SHORT before its own policies, for parts that meet these conditions."""
    return {**city, "policies": [SHORT | {"when": when}, *_own(city)]}


def _own(city: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The city's policies without the demo's."""
    return [one for one in city["policies"] if one["id"] != SHORT["id"]]
