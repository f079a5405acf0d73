"""Who may ask: bearer tokens compared in constant time, wrong ones slowed down."""

import hmac
import time
from collections.abc import Awaitable, Callable

from fastapi import Request
from fastapi.security import HTTPBearer

from shared.http.problems import Problem
from shared.http.rate_limit import RateLimit, client_of
from shared.runtime.logging import log

BEARER = HTTPBearer(auto_error=False, description="The operator's token, from the file CHORUS_OPERATOR_TOKEN_FILE.")
WRONG_TOKENS = 10
WRONG_TOKENS_PERIOD_S = 60


def holds_token(request: Request, token: bytes) -> bool:
    """Whether the request carries this token."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token)


def operators_only(token: bytes) -> Callable[[Request], Awaitable[None]]:
    """A dependency that answers 401 to everyone else, and 429 to an address that goes on guessing.

    The right token is looked at first: nobody can lock an operator out by guessing from the same address.
    """
    guesses = RateLimit(WRONG_TOKENS, WRONG_TOKENS_PERIOD_S)

    async def check(request: Request) -> None:
        if holds_token(request, token):
            return
        client = client_of(request)
        guessed = bool(request.headers.get("authorization"))
        if guessed and (wait_s := guesses.wait_s(client, time.monotonic())):
            log.warning("wrong tokens", client=client)
            raise Problem(
                429, f"Too many wrong tokens from here; wait {wait_s} s.", headers={"Retry-After": str(wait_s)}
            )
        raise Problem(
            401,
            "This is for operators: send `Authorization: Bearer <token>`.",
            headers={"WWW-Authenticate": "Bearer"},
        )

    return check
