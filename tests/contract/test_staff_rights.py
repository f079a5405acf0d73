"""Every route of the desk has an action, every action its roles, and the handbook shows all of them."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.routing import iter_route_contexts

from services.router.domain.staff import STAFF_ROLES, StaffRole
from services.router.users.rights import ACTIONS, COMMANDS, ROUTES, judge
from shared.contracts.inputs import DESK_COMMANDS
from shared.http.problems import Problem
from tests.contract.test_flow import made
from tests.contract.test_openapi import DOCUMENTS

HANDBOOK = (Path(__file__).parents[2] / "docs" / "operations.md").read_text("utf-8")
OPEN_TO_ALL = {"/healthz", "/readyz", "/metrics", "/asyncapi.json", "/asyncapi", "/docs", "/openapi.json"}
EVERY_ROLE = "every role"


def routes(folder: Path) -> Iterator[tuple[str, str]]:
    """Method and path of every route of the router, except those that are open to all."""
    for route in iter_route_contexts(made("router", folder).app.routes):
        if route.path is not None and route.methods and route.path not in OPEN_TO_ALL:
            yield from ((method, route.path) for method in route.methods - {"HEAD"})


def test_every_route_has_an_action(tmp_path: Path) -> None:
    assert set(routes(tmp_path)) == set(ROUTES)


def test_every_route_needs_a_token_and_documents_403() -> None:
    for method, path in ROUTES:
        operation = DOCUMENTS["router"]["paths"][path][method.lower()]
        assert operation["security"]
        assert {"401", "403", "429"} <= set(operation["responses"]), (method, path)


def test_every_action_exists_and_is_used() -> None:
    assert set(ROUTES.values()) | set(COMMANDS) == set(ACTIONS)
    assert COMMANDS.keys() == DESK_COMMANDS.keys()


def test_roles_are_in_order_and_nobody_is_without_an_action() -> None:
    for one in ACTIONS.values():
        assert one.roles == tuple(role for role in STAFF_ROLES if role in one.roles)
        assert one.roles
    assert {role for one in ACTIONS.values() for role in one.roles} == set(STAFF_ROLES)


READING = ("/route",)
"""Routes that read although their method is POST, because the question is a document."""


ARBITRATION = {"send-commands", "arbitrate", "assign-first-receiver"}
RELEASE = {"send-commands", "approve", "refuse-release", "retract", "publish", "hide", "redact"}
SUPERVISORS = {*ARBITRATION, "erase"}


def test_auditors_change_nothing_supervisors_arbitrate_or_erase_and_approvers_release_and_publish() -> None:
    changing = {
        action for (method, path), action in ROUTES.items() if method != "GET" and path not in READING
    } | COMMANDS.keys()
    for action in changing:
        assert "auditor" not in ACTIONS[action].roles, action
        assert ("supervisor" in ACTIONS[action].roles) == (action in SUPERVISORS), action
        assert ("approver" in ACTIONS[action].roles) == (action in RELEASE), action


@pytest.mark.parametrize("role", STAFF_ROLES)
def test_a_refusal_names_the_roles_that_may(role: StaffRole) -> None:
    for name, one in ACTIONS.items():
        if role in one.roles:
            judge(role, name)
            continue
        with pytest.raises(Problem) as refused:
            judge(role, name)
        assert refused.value.status == 403
        assert refused.value.detail == f"The role '{role}' may not {one.what}; allowed roles: {', '.join(one.roles)}."


def test_the_handbook_shows_the_roles_of_every_action() -> None:
    table = HANDBOOK.partition("### What each role may do")[2].partition("\n#")[0]
    rows = dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", table, re.MULTILINE))
    for heading in ("action", "---"):
        rows.pop(heading, None)
    shown = {one.what: EVERY_ROLE if one.roles == STAFF_ROLES else ", ".join(one.roles) for one in ACTIONS.values()}
    assert rows == shown
