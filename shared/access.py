"""Who may ask: bearer tokens compared in constant time."""

import hmac
from collections.abc import Callable

from fastapi import Request
from fastapi.security import HTTPBearer

from shared.problems import Problem

BEARER = HTTPBearer(auto_error=False, description="The operator's token, from the file CHORUS_OPERATOR_TOKEN_FILE.")


def holds_token(request: Request, token: bytes) -> bool:
    """Whether the request carries this token."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token)


def operators_only(token: bytes) -> Callable[[Request], None]:
    """A dependency that answers 401 to everyone else."""

    def check(request: Request) -> None:
        if not holds_token(request, token):
            raise Problem(
                401,
                "This is for operators: send `Authorization: Bearer <token>`.",
                headers={"WWW-Authenticate": "Bearer"},
            )

    return check
