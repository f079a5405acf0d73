"""Every list refuses query fields that it does not have."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute, iter_route_contexts

from shared.http.query_fields import refuse_unknown_fields
from tests.contract.test_flow import APPS
from tests.contract.test_headers import served

FOR_PEOPLE = {
    ("intake", "/inquiries/{inquiry_id}"): "the link to a ticket, which is opened in browsers",
    ("notifier", "/hall"): "a page",
    ("notifier", "/mail/confirm"): "a link in mails",
    ("notifier", "/mail/stop"): "a link in mails",
}
"""Routes with query fields that accept others too."""


def lists() -> Iterator[tuple[str, str, Any]]:
    """The documented GET routes of all services that have query fields."""
    for name, app in APPS.items():
        for route in iter_route_contexts(served(app).routes):
            original = route.original_route
            if not isinstance(original, APIRoute) or not original.include_in_schema:
                continue
            if "GET" in (original.methods or ()) and original.dependant.query_params:
                yield name, original.path, route


LISTS = [one for one in lists() if one[:2] not in FOR_PEOPLE]


def test_lists_exist() -> None:
    found = {(name, path) for name, path, _ in LISTS}
    assert {("router", "/cases"), ("router", "/decisions"), ("router", "/dead-letters"), ("intake", "/ledger")} <= found
    assert {("notifier", "/hall/feed.json"), ("notifier", "/mails"), ("scorer", "/scoreboard")} <= found


@pytest.mark.parametrize(("name", "path", "route"), LISTS, ids=[f"{name} {path}" for name, path, _ in LISTS])
def test_a_list_refuses_unknown_query_fields(name: str, path: str, route: Any) -> None:
    assert refuse_unknown_fields in [one.dependency for one in route.dependencies]
