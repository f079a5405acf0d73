"""What `chorus demo --full` changes in the city while it runs: policies for its own channels, and offices below a bureau.

The channels of a run are named after it, so no other message meets these policies, and two runs do not meet each other's.
"""

import asyncio
import re
import secrets
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from deploy.cli.console import problem
from deploy.cli.demo.expectations import SETTLED_S
from deploy.failure import FAILED, Failure

OWN = re.compile(r"demo-([a-z]{7,9})-([a-z-]+)")
LETTERS = "abcdefghijklmnopqrstuvwxyz"
TIME_LETTERS, RANDOM_LETTERS = 7, 2
LEFT_BEHIND_S = 900
"""After this time no run goes on; what an older one has changed was left behind when it was killed."""
TRIES = 5
LENT = "lent"
"""The name of the policy that notes which offices are lent: the departments of its condition."""
Policy = Mapping[str, Any]
CityFields = Mapping[str, Any]


@dataclass(frozen=True)
class RunTerms:
    """What one run adds to the city: policies by name, and offices lent to a bureau."""

    run: str
    policies: Mapping[str, Policy]
    bureau: str = ""
    offices: Sequence[str] = ()

    def added_to(self, city: CityFields, now: float) -> dict[str, Any]:
        """The city with these policies before its own, and with the lent offices below the bureau."""
        left = self.removed_from(city, now)
        added = [self._policy(name, policy) for name, policy in self.policies.items()]
        if not self.offices:
            return {**left, "policies": [*added, *left["policies"]]}
        noted = self._policy(LENT, next(iter(self.policies.values())))
        noted["when"]["departments"] = list(self.offices)
        departments = [_below(one, self.bureau) if one["code"] in self.offices else one for one in left["departments"]]
        return {**left, "policies": [*added, noted, *left["policies"]], "departments": departments}

    def removed_from(self, city: CityFields, now: float) -> dict[str, Any]:
        """The city without what this run has added, and without what a killed run has left behind."""
        own = [one for one in city["policies"] if self._is_over(one["id"], now)]
        back = lent_offices(own)
        return {
            **city,
            "policies": [one for one in city["policies"] if one not in own],
            "departments": [_below(one, None) if one["code"] in back else one for one in city["departments"]],
        }

    def _policy(self, name: str, policy: Policy) -> dict[str, Any]:
        id_ = channel(self.run, name)
        return {"id": id_, "when": {"channels": [id_]}, **policy}

    def _is_over(self, policy_id: str, now: float) -> bool:
        own = OWN.fullmatch(policy_id)
        return own is not None and (own[1] == self.run or was_left_behind(policy_id, now))


def run_name(now: float | None = None) -> str:
    """A name for a run: letters that say when it began, and two for runs that begin in the same second.

    No digits, because a channel must not contain many.
    """
    rest, letters = int(time.time() if now is None else now), ""
    for _ in range(TIME_LETTERS):
        rest, at = divmod(rest, len(LETTERS))
        letters = LETTERS[at] + letters
    return letters + "".join(secrets.choice(LETTERS) for _ in range(RANDOM_LETTERS))


def began_at(run: str) -> int:
    """When the run with this name began, in seconds since 1970."""
    began = 0
    for letter in run[:TIME_LETTERS]:
        began = began * len(LETTERS) + LETTERS.index(letter)
    return began


def channel(run: str, name: str) -> str:
    """The channel to which the policy with this name applies; also the id of the policy in the city."""
    return f"demo-{run}-{name}"


def was_left_behind(id_: str, now: float | None = None) -> bool:
    """Whether a run that has ended without its removal gave this name, that of a policy or of a text module."""
    own = OWN.fullmatch(id_)
    return own is not None and began_at(own[1]) < (time.time() if now is None else now) - LEFT_BEHIND_S


def lent_offices(policies: Sequence[Policy]) -> Collection[str]:
    """The departments that the demo's policies among these note as lent."""
    noted = [one for one in policies if (own := OWN.fullmatch(one["id"])) is not None and own[2] == LENT]
    return {code for one in noted for code in one["when"]["departments"]}


def _below(department: Mapping[str, Any], bureau: str | None) -> dict[str, Any]:
    return {**department, "parent": bureau}


@asynccontextmanager
async def in_force(desk: httpx.AsyncClient, terms: RunTerms) -> AsyncIterator[None]:
    """The city with these terms while the stories are played; `desk` is a client with the operator's token.

    At the end, also after an error or Ctrl-C, only these terms are removed: what others changed meanwhile stays.
    """
    adding = asyncio.create_task(_add(desk, terms))
    try:
        await asyncio.shield(adding)
        # The desk answers this once its router has read the revision.
        (await desk.post("/route", json={"subject": "demo"})).raise_for_status()
        yield
    finally:
        await asyncio.shield(_remove(desk, terms, adding))


async def _add(desk: httpx.AsyncClient, terms: RunTerms) -> None:
    """Apply the terms, until they are still there after a moment: somebody else may apply an older city meanwhile."""
    for _ in range(TRIES):
        city = await city_of(desk)
        if {channel(terms.run, name) for name in terms.policies} <= {one["id"] for one in city["policies"]}:
            return
        await _apply(desk, terms.added_to(city, time.time()))
        await asyncio.sleep(SETTLED_S)
    raise Failure(FAILED, "The policies of the demo are overwritten again and again: somebody else applies cities.")


async def _remove(desk: httpx.AsyncClient, terms: RunTerms, adding: asyncio.Task[None]) -> None:
    # An interrupted run must not remove the terms before the desk has them.
    await asyncio.wait([adding])
    try:
        city = await city_of(desk)
        left = terms.removed_from(city, time.time())
        if left != city:
            await _apply(desk, left)
    except httpx.HTTPError as error:
        raise Failure(
            FAILED,
            f"The demo's policies {channel(terms.run, '…')!r} may still be in force ({error}): they apply to no other "
            "message; run `chorus apply` with your city folder, or this demo later, to remove them.",
        ) from error


async def city_of(desk: httpx.AsyncClient) -> dict[str, Any]:
    """The city in force."""
    found: dict[str, Any] = (await desk.get("/city")).raise_for_status().json()
    return found


async def _apply(desk: httpx.AsyncClient, city: CityFields) -> None:
    answer = await desk.post("/city", json=city)
    if answer.is_client_error:
        raise Failure(FAILED, f"The desk does not accept the policies of the demo: {problem(answer)}.")
    answer.raise_for_status()
