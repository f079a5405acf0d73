"""A case as a user of one department sees it: all of its own part; of other departments, what the resident sees."""

from collections.abc import Mapping
from typing import Any

from services.router.domain.case import Case
from services.router.domain.facts import TYPES, CaseLinked
from services.router.domain.part import ACTIVE
from services.router.domain.staff import StaffUser
from services.router.files.case_files import visible_files
from shared.contracts.envelope import PREFIX

FOR_EVERY_DEPARTMENT = (
    "inquiry_id",
    "state",
    "round",
    "lead",
    "co_handlers",
    "questions",
    "additions",
    "rounds",
    "erasure",
)
EVENT_FIELDS_FOR_OTHERS = frozenset(
    ("type", "inquiry_id", "sequence", "at", "actor", "part_id", "department", "role", "state", "departments")
)
"""The fields of another department's event that stay: the reason of its return, for example, is not for others."""
LINKED = PREFIX + TYPES[CaseLinked]
"""An event that names another case, which no department may learn of."""


def has_part(case: Case, department: str) -> bool:
    """Whether the case is the department's: it has, or had in an earlier round, a part that it did not leave."""
    return any(part.department == department and part.state in ACTIVE for part in case.parts.values())


def as_the_department_sees(whole: Mapping[str, Any], case: Case, department: str, who: StaffUser) -> dict[str, Any]:
    """The fields of `CaseShown` for this department, from those that other staff see. A new field needs a place here.

    Before its release, the joint reply is for the lead, which edits it, and for approvers; others see the released one.
    """
    replies = [
        *(one.reply for one in case.earlier),
        *(one.reply for one in case.addenda),
        *((case.released,) if case.released else ()),
    ]
    released = {one.part_id: one.text.text for reply in replies for one in reply.paragraphs}
    shown = {part.id for part in case.parts.values() if part.state in ACTIVE and part.parent is None}
    waiting = sees_waiting(case, department, who)
    read = [*replies, *((case.reply,) if case.reply is not None and waiting else ())]
    inquiry = dict(whole["inquiry"])
    inquiry["account"] = inquiry["refers_to"] = None
    if inquiry["confidential"]:
        inquiry["contact"] = None
    return {
        **{name: whole[name] for name in FOR_EVERY_DEPARTMENT},
        "reply": whole["reply"] if waiting or is_released(whole["reply"]) else whole["released"],
        "addenda": [one for one in whole["addenda"] if waiting or is_released(one)],
        "released": whole["released"],
        "audit": [],
        "inquiry": inquiry,
        "parts": [
            part if sees_all_of(part, case, department) else _others_part(part, released.get(part["part_id"]))
            for part in whole["parts"]
            if sees_all_of(part, case, department) or part["part_id"] in shown
        ],
        "files": visible_files(whole["files"], case, department, read),
        "timeline": [_event(one, department) for one in whole["timeline"]],
        "links": [],
        "decisions": [],
    }


def sees_waiting(case: Case, department: str, who: StaffUser) -> bool:
    """Whether a user of this department sees joint replies before their release."""
    return case.lead == department or who.role == "approver"


def sees_all_of(part: Mapping[str, Any], case: Case, department: str) -> bool:
    """Whether the part is the department's own, or a piece that it delegated."""
    above = case.parts.get(part["parent"] or "")
    return part["department"] == department or (above is not None and above.department == department)


def is_released(reply: Mapping[str, Any] | None) -> bool:
    return reply is not None and reply["state"] == "released"


def _others_part(part: Mapping[str, Any], released: str | None) -> dict[str, Any]:
    named = {name: part[name] for name in ("part_id", "department", "role", "state", "omitted", "round")}
    return named | {"due": {"resolve": part["due"]["resolve"]}, "text": released}


def _event(event: Mapping[str, Any], department: str) -> Mapping[str, Any]:
    data = event["data"]
    if event["type"] != LINKED and data.get("department") in (None, department):
        return event
    return {**event, "data": {name: value for name, value in data.items() if name in EVENT_FIELDS_FOR_OTHERS}}
