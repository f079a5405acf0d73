"""Bearer tokens: compared in constant time; addresses that send wrong tokens are rate-limited."""

import hmac
import time
from collections.abc import Awaitable, Callable

from fastapi import Request
from fastapi.security import HTTPBearer

from shared.http.problems import Problem
from shared.http.rate_limit import RateLimit, client_of
from shared.runtime.logging import log

BEARER = HTTPBearer(
    auto_error=False,
    description="The operator's token, from the file CHORUS_OPERATOR_TOKEN_FILE; at the desk, the token of a staff user.",
)
WRONG_TOKENS = 10
WRONG_TOKENS_PERIOD_S = 60
OPERATOR_NEEDED = "This request needs the operator's token: send `Authorization: Bearer <token>`."
Check = Callable[[Request], Awaitable[None]]


def bearer_token(request: Request) -> bytes:
    """The token of a request; empty without one."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return given.strip().encode() if scheme.lower() == "bearer" else b""


def holds_token(request: Request, token: bytes) -> bool:
    return hmac.compare_digest(bearer_token(request), token)


def operators_only(token: bytes) -> Check:
    """A FastAPI dependency that answers 401 without the token, and 429 after too many wrong tokens from one address.

    The right token is checked first, so that nobody can lock out an operator by guessing from the same address.
    """
    wrong_tokens = RateLimit(WRONG_TOKENS, WRONG_TOKENS_PERIOD_S)

    async def check(request: Request) -> None:
        if not holds_token(request, token):
            raise refusal(request, wrong_tokens, time.monotonic(), OPERATOR_NEEDED)

    return check


def refusal(request: Request, wrong_tokens: RateLimit, now_s: float, needed: str) -> Problem:
    """The answer to a request without a right token: 429 after too many wrong ones, else 401 that says what is needed."""
    client = client_of(request)
    has_header = bool(request.headers.get("authorization"))
    if has_header and (wait_s := wrong_tokens.wait_s(client, now_s)):
        log.warning("too many wrong tokens from one address", client=client)
        return Problem(
            429,
            f"Too many wrong tokens from address {client!r}; try again in {wait_s} s.",
            headers={"Retry-After": str(wait_s)},
        )
    return Problem(401, needed, headers={"WWW-Authenticate": "Bearer"})
