"""A case as a user of one department sees it: all of its own part; of other departments, what the resident sees."""

from collections.abc import Mapping
from typing import Any

from services.router.domain.case import Case
from services.router.domain.staff import StaffUser

FOR_EVERY_DEPARTMENT = ("inquiry_id", "state", "round", "lead", "co_handlers")
EVENT_FIELDS_FOR_OTHERS = frozenset(
    ("type", "inquiry_id", "sequence", "at", "actor", "part_id", "department", "role", "state", "departments")
)
"""The fields of another department's event that stay: the reason of its return, for example, is not for others."""


def has_part(case: Case, department: str) -> bool:
    """Whether the case is the department's: it has a part that is open or contributed, not returned or withdrawn."""
    return any(part.department == department for part in case.active_parts)


def as_the_department_sees(whole: Mapping[str, Any], case: Case, department: str, who: StaffUser) -> dict[str, Any]:
    """The fields of `CaseShown` for this department, from those that other staff see. A new field needs a place here.

    Before its release, the joint reply is for the lead, which edits it, and for approvers.
    """
    released = {one.part_id: one.text.text for one in case.released.paragraphs} if case.released else {}
    active = {part.id for part in case.active_parts}
    inquiry = dict(whole["inquiry"])
    if inquiry["confidential"]:
        inquiry["contact"] = None
    return {
        **{name: whole[name] for name in FOR_EVERY_DEPARTMENT},
        "reply": whole["reply"] if sees_reply(case, department, who) else None,
        "inquiry": inquiry,
        "parts": [
            part if part["department"] == department else _others_part(part, released.get(part["part_id"]))
            for part in whole["parts"]
            if part["department"] == department or part["part_id"] in active
        ],
        "timeline": [_event(one, department) for one in whole["timeline"]],
        "decisions": [],
    }


def sees_reply(case: Case, department: str, who: StaffUser) -> bool:
    """Whether a user of this department sees the newest joint reply."""
    return case.reply is case.released or case.lead == department or who.role == "approver"


def _others_part(part: Mapping[str, Any], released: str | None) -> dict[str, Any]:
    named = {name: part[name] for name in ("part_id", "department", "role", "state")}
    return named | {"due": {"resolve": part["due"]["resolve"]}, "text": released}


def _event(event: Mapping[str, Any], department: str) -> Mapping[str, Any]:
    data = event["data"]
    if data.get("department") in (None, department):
        return event
    return {**event, "data": {name: value for name, value in data.items() if name in EVENT_FIELDS_FOR_OTHERS}}
