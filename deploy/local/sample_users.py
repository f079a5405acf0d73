"""Sample users of a local stack: one for each role, and clerks of two departments; their tokens are files."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from deploy.failure import FAILED, Failure
from deploy.security.files import replace_file
from shared.city import City

RETRY_S = 0.2
CLERKS = 2
OPERATOR = "operator"
"""The user of the operator's token file, who exists already and only gets one more token."""


@dataclass(frozen=True)
class SampleUser:
    name: str
    role: str
    department: str | None = None


def sample_users(city: City) -> Sequence[SampleUser]:
    """The sample users of a city; a city with fewer departments has fewer clerks."""
    others = ("coordinator", "approver", "supervisor", "auditor", OPERATOR)
    clerks = [SampleUser(f"clerk-{one.code}", "clerk", one.code) for one in city.active[:CLERKS]]
    return [*clerks, *(SampleUser(role, role) for role in others)]


async def add_sample_users(city: City, router: str, operator_token: Path, folder: Path) -> list[str]:
    """Add the users without a working token in `folder`, and write their tokens; returns the names. Safe to repeat.

    Leaves out a user who was disabled, or whose department was retired.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    headers = {"Authorization": f"Bearer {operator_token.read_text('ascii').strip()}"}
    made = []
    async with httpx.AsyncClient(base_url=router, trust_env=False, timeout=30.0) as client:
        for user in sample_users(city):
            file = folder / f"{user.name}.token"
            if file.exists() and await _works(client, file.read_text("ascii").strip()):
                continue
            if (token := await _new_token(client, headers, user)) is not None:
                replace_file(file, token + "\n", mode=0o600)
                made.append(user.name)
    return made


async def _works(client: httpx.AsyncClient, token: str) -> bool:
    answer = await _ask(client, "GET", "/me", {"Authorization": f"Bearer {token}"})
    return answer.is_success


async def _new_token(client: httpx.AsyncClient, headers: dict[str, str], user: SampleUser) -> str | None:
    """The first token of a new user, or one more of a user who exists; None when the desk has a reason not to make one."""
    body = {"name": user.name, "role": user.role, "department": user.department}
    answer = await _ask(client, "POST", "/users", headers, body)
    if answer.status_code == httpx.codes.CONFLICT:
        answer = await _ask(client, "POST", f"/users/{user.name}/tokens", headers)
    if answer.status_code in (httpx.codes.CONFLICT, httpx.codes.UNPROCESSABLE_ENTITY):
        return None
    if not answer.is_success:
        raise Failure(
            FAILED, f"The sample user {user.name!r} was not added ({answer.status_code}): {answer.text[:500]}"
        )
    return str(answer.json()["token"])


async def _ask(
    client: httpx.AsyncClient,
    method: str,
    path: str,
    headers: dict[str, str],
    body: dict[str, str | None] | None = None,
) -> httpx.Response:
    """Call the router until it answers: it may be starting or restarting."""
    while True:
        try:
            answer = await client.request(method, path, headers=headers, json=body)
        except httpx.TransportError:
            await asyncio.sleep(RETRY_S)
            continue
        if answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
            return answer
        await asyncio.sleep(RETRY_S)
