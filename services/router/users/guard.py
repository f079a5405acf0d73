"""The entry to the desk: who a request acts as, by its token, and whether that role may use the route."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from starlette.routing import BaseRoute

from services.router.domain.staff import StaffUser
from services.router.users.rights import ROUTES, judge
from shared.http.identity import WrongTokens
from shared.http.problems import Problem

NEEDED = (
    "This request needs the token of a staff user: send `Authorization: Bearer <token>`. A token that was revoked, or "
    "whose user is disabled, is not accepted."
)
Find = Callable[[bytes], Awaitable[StaffUser | None]]


class StaffGuard:
    """Answers 401 without a valid token, 429 after too many wrong ones from one address, 403 for another role's route.

    The token is looked up first, so that nobody can lock out a colleague by guessing from the same address.
    """

    def __init__(self, find: Find) -> None:
        self.find = find
        self.wrong_tokens = WrongTokens()

    async def check(self, request: Request) -> None:
        """A FastAPI dependency of a whole router; `Who` then has the user."""
        given = bearer_token(request)
        user = await self.find(given) if given else None
        if user is None:
            if request.headers.get("authorization"):
                self.wrong_tokens.count(request)
            raise Problem(401, NEEDED, headers={"WWW-Authenticate": "Bearer"})
        judge(user.role, action_of(request))
        request.state.staff = user


def bearer_token(request: Request) -> bytes:
    """The token of a request; empty without one."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return given.strip().encode() if scheme.lower() == "bearer" else b""


def action_of(request: Request) -> str:
    """The action of the route that a request has matched. A route without one is closed to everybody."""
    route: BaseRoute = request.scope["route"]
    action = ROUTES.get((request.method, getattr(route, "path", "")))
    if action is None:
        raise Problem(403, f"No role may use {request.method} {request.url.path}.")
    return action


async def _who(request: Request) -> StaffUser:
    user: StaffUser = request.state.staff
    return user


Who = Annotated[StaffUser, Depends(_who)]
"""The user that a request acts as; for routes behind `StaffGuard.check`."""
