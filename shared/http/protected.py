"""Routers whose every route needs a token."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Depends, Request

from shared.http.identity import BEARER
from shared.http.problems import documented
from shared.http.query_fields import KNOWN_FIELDS_ONLY

Check = Callable[[Request], Awaitable[None]]
"""Refuses a request without a valid token. Raises Problem."""


def protected_routes(tag: str, check: Check, *statuses: int) -> APIRouter:
    """A router behind `check` that refuses unknown query fields; `statuses` are documented for all of its routes."""
    dependencies = [Depends(BEARER), Depends(check), KNOWN_FIELDS_ONLY]
    return APIRouter(tags=[tag], dependencies=dependencies, responses=documented(*statuses))
