"""Rights as data: the action of each route and command, and the roles that may take it. `docs/operations.md` shows it."""

from collections.abc import Mapping
from typing import NamedTuple

from services.router.domain.staff import STAFF_ROLES, StaffRole
from shared.http.problems import Problem


class StaffAction(NamedTuple):
    """`what` completes the sentence "The role … may …"."""

    what: str
    roles: tuple[StaffRole, ...]


COMMANDS: Mapping[str, StaffAction] = {
    "assign": StaffAction("assign a case in triage", ("coordinator", "operator")),
    "reassign": StaffAction("reassign a part", ("coordinator", "operator")),
    "arbitrate": StaffAction("arbitrate a case", ("coordinator", "supervisor")),
    "assign-first-receiver": StaffAction(
        "assign a case that nobody arbitrated to its first department", ("coordinator", "supervisor")
    ),
    "withdraw-part": StaffAction("withdraw a part", ("coordinator", "operator")),
    "close": StaffAction("close a case with a final answer", ("coordinator",)),
    "replay": StaffAction("replay the parked inputs of a case", ("operator",)),
    "accept": StaffAction("accept a part of their department", ("clerk",)),
    "contribute": StaffAction("contribute their department's share of an answer", ("clerk",)),
    "delegate": StaffAction("delegate a part to offices of its department", ("clerk", "coordinator")),
    "reply": StaffAction("send an interim reply of their department", ("clerk",)),
    "return": StaffAction("return a part of their department", ("clerk",)),
    "go-ahead": StaffAction("go ahead with a joint reply without late parts", ("clerk", "coordinator", "operator")),
    "correct": StaffAction("correct a released reply", ("clerk", "coordinator")),
    "ask": StaffAction("ask the resident", ("clerk", "coordinator", "operator")),
    "ask-extension": StaffAction("ask for more time for a part of their department", ("clerk",)),
    "extend": StaffAction("give a part more time", ("coordinator",)),
    "refuse-extension": StaffAction("refuse a part more time", ("coordinator",)),
    "edit-reply": StaffAction("edit opening, closing and order of a joint reply", ("clerk", "coordinator", "operator")),
    "approve": StaffAction("approve a joint reply for its release", ("approver",)),
    "refuse": StaffAction("refuse a case that the city does not take up", ("coordinator", "operator")),
    "link": StaffAction("link two cases about the same matter", ("coordinator", "operator")),
    "erase": StaffAction("erase a case", ("supervisor", "operator")),
    "refuse-release": StaffAction("refuse the release of a joint reply", ("approver",)),
    "retract": StaffAction("retract a released reply", ("coordinator", "approver")),
    "publish": StaffAction("publish an inquiry in the hall", ("coordinator", "approver", "operator")),
    "hide": StaffAction("hide an inquiry in the hall", ("coordinator", "approver", "operator")),
    "redact": StaffAction("hide words of an inquiry in the hall", ("coordinator", "approver", "operator")),
}
"""The action of each type of command; its name is the type."""


def _any_command() -> tuple[StaffRole, ...]:
    return tuple(role for role in STAFF_ROLES if any(role in one.roles for one in COMMANDS.values()))


ACTIONS: Mapping[str, StaffAction] = {
    "read-cases": StaffAction("read cases", STAFF_ROLES),
    "read-worklist": StaffAction("read a worklist", ("clerk", "coordinator", "approver", "supervisor", "operator")),
    "read-triage": StaffAction("read what waits in triage", ("coordinator", "supervisor", "auditor", "operator")),
    "enter-inquiries": StaffAction("enter an inquiry on a resident's behalf", ("clerk", "coordinator", "operator")),
    "find-resubmissions": StaffAction(
        "find likely resubmissions of a case", ("coordinator", "supervisor", "auditor", "operator")
    ),
    "read-city": StaffAction(
        "read the city's rules and policies", ("coordinator", "supervisor", "auditor", "operator")
    ),
    "read-departments": StaffAction("read the list of departments", STAFF_ROLES),
    "read-texts": StaffAction("read text modules", STAFF_ROLES),
    "change-texts": StaffAction("change text modules", ("clerk", "coordinator", "approver", "operator")),
    "send-files": StaffAction("send files", ("clerk", "coordinator", "operator")),
    "send-commands": StaffAction("send commands", _any_command()),
    "read-own-commands": StaffAction("read the status of their own commands", STAFF_ROLES),
    "read-own-account": StaffAction("read their own account", STAFF_ROLES),
    "read-decisions": StaffAction("read decisions", ("auditor", "operator")),
    "change-city": StaffAction("change the city and its departments", ("operator",)),
    "read-dead-letters": StaffAction("read dead letters", ("auditor", "operator")),
    "handle-dead-letters": StaffAction("replay and discard dead letters", ("operator",)),
    "reconcile": StaffAction("find and publish lost messages", ("operator",)),
    "manage-users": StaffAction("list and change users and tokens", ("operator",)),
    "read-audit": StaffAction("read the audit of users", ("auditor", "operator")),
    **COMMANDS,
}

ROUTES: Mapping[tuple[str, str], str] = {
    ("GET", "/cases"): "read-cases",
    ("GET", "/cases/{inquiry_id}"): "read-cases",
    ("GET", "/cases/{inquiry_id}/files/{file_id}"): "read-cases",
    ("POST", "/files"): "send-files",
    ("GET", "/cases/{inquiry_id}/resubmissions"): "find-resubmissions",
    ("GET", "/cases/{inquiry_id}/texts"): "read-texts",
    ("GET", "/texts"): "read-texts",
    ("GET", "/departments/{code}/texts/{id}"): "read-texts",
    ("PUT", "/departments/{code}/texts/{id}"): "change-texts",
    ("DELETE", "/departments/{code}/texts/{id}"): "change-texts",
    ("POST", "/inquiries"): "enter-inquiries",
    ("GET", "/triage"): "read-triage",
    ("GET", "/worklist"): "read-worklist",
    ("GET", "/city"): "read-city",
    ("POST", "/route"): "read-city",
    ("POST", "/cases/{inquiry_id}/commands"): "send-commands",
    ("GET", "/commands/{event_id}"): "read-own-commands",
    ("GET", "/departments"): "read-departments",
    ("POST", "/city"): "change-city",
    ("PUT", "/departments/{code}"): "change-city",
    ("POST", "/departments/{code}/retirement"): "change-city",
    ("GET", "/decisions"): "read-decisions",
    ("POST", "/decisions/{inquiry_id}/{n}/publish"): "reconcile",
    ("GET", "/behind"): "reconcile",
    ("GET", "/ledger"): "reconcile",
    ("POST", "/ledger/{event_id}/publish"): "reconcile",
    ("GET", "/dead-letters"): "read-dead-letters",
    ("GET", "/dead-letters/{id}"): "read-dead-letters",
    ("POST", "/dead-letters/{id}/replay"): "handle-dead-letters",
    ("POST", "/dead-letters/{id}/discard"): "handle-dead-letters",
    ("POST", "/replays"): "handle-dead-letters",
    ("GET", "/me"): "read-own-account",
    ("GET", "/users"): "manage-users",
    ("POST", "/users"): "manage-users",
    ("POST", "/users/{name}/disable"): "manage-users",
    ("POST", "/users/{name}/tokens"): "manage-users",
    ("DELETE", "/users/{name}/tokens/{token_id}"): "manage-users",
    ("GET", "/audit"): "read-audit",
}
"""The action of each route with a token. The guard refuses a route that is not here, and a test finds it."""


def judge(role: StaffRole, action: str) -> None:
    """Raise Problem 403, which names the roles that would be allowed, unless this role may take the action."""
    what, roles = ACTIONS[action]
    if role not in roles:
        raise Problem(403, f"The role {role!r} may not {what}; allowed roles: {', '.join(roles)}.")
