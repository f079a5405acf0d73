"""Bearer tokens of operators: compared in constant time; addresses that send wrong tokens are rate-limited."""

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


def holds_token(request: Request, token: bytes) -> bool:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token)


class WrongTokens:
    """Counts the wrong tokens of each address.

    The right token is checked first, so that nobody can lock out an operator by guessing from the same address.
    """

    def __init__(self) -> None:
        self._limit = RateLimit(WRONG_TOKENS, WRONG_TOKENS_PERIOD_S)

    def count(self, request: Request) -> None:
        """Count a wrong token. Raises Problem 429 after too many from one address."""
        client = client_of(request)
        if wait_s := self._limit.wait_s(client, time.monotonic()):
            log.warning("too many wrong operator tokens from one address", client=client)
            raise Problem(
                429,
                f"Too many wrong tokens from address {client!r}; try again in {wait_s} s.",
                headers={"Retry-After": str(wait_s)},
            )


def operators_only(token: bytes, wrong_tokens: WrongTokens | None = None) -> Callable[[Request], Awaitable[None]]:
    """A FastAPI dependency that answers 401 without the token, and 429 after too many wrong tokens from one address."""
    counted = wrong_tokens or WrongTokens()

    async def check(request: Request) -> None:
        if holds_token(request, token):
            return
        if request.headers.get("authorization"):
            counted.count(request)
        raise Problem(
            401,
            "This request needs the operator's token: send `Authorization: Bearer <token>`.",
            headers={"WWW-Authenticate": "Bearer"},
        )

    return check


def operator_or_anybody(token: bytes, wrong_tokens: WrongTokens) -> Callable[[Request], bool]:
    """Tells whether a request has the token, where anybody may send one without.

    A wrong token is 401, and 429 after too many: who sends one expects its rights, or guesses.
    """

    def trusted(request: Request) -> bool:
        if not (authorization := request.headers.get("authorization")):
            return False
        if holds_token(request, token):
            return True
        if not authorization.lower().startswith("bearer"):
            return False  # of another scheme, which a proxy in front of intake may use
        wrong_tokens.count(request)
        raise Problem(
            401,
            "The token is wrong: send the operator's token as `Authorization: Bearer <token>`, or none.",
            headers={"WWW-Authenticate": "Bearer"},
        )

    return trusted
