"""What the resident is told of each fact."""

from __future__ import annotations

from typing import Any

from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.outputs.joint_reply import joint_reply
from services.router.domain.outputs.sentences import told
from shared.contracts.facts import Fact

WHAT = {
    "inquiry.registered": "registered",
    "inquiry.triaged": "triage",
    "inquiry.assigned": "assigned",
    "inquiry.replied": "replied",
    "inquiry.answered": "answered",
    "inquiry.rated": "progressed",
    "part.accepted": "progressed",
    "part.contributed": "progressed",
    "part.returned": "progressed",
    "part.withdrawn": "progressed",
}


def resident_message(
    case: Case, fact: Fact, what: str, picture: dict[str, Any], directory: CityIndex
) -> dict[str, Any]:
    inquiry = case.inquiry or {}
    return {
        "inquiry_id": case.inquiry_id,
        "what": what,
        "text": told(case, fact, picture, directory),
        "contact": inquiry.get("contact"),
        "public": bool(inquiry.get("public")) and not inquiry.get("confidential"),
        "case": picture | {"body": inquiry["body"]} if what == "answered" else picture,
    }


def picture_of(case: Case, directory: CityIndex) -> dict[str, Any] | None:
    """The whole of the case that its resident may see; None before there is one."""
    inquiry = case.inquiry
    if inquiry is None:
        return None
    language = inquiry["language"]
    handlers = [
        {
            "code": part.department,
            "name": directory.name(part.department, language),
            "role": part.role,
            "state": part.state,
            "due_at": part.due["resolve"],
        }
        for part in case.active_parts
    ]
    reply = joint_reply(case, directory) if case.answered else None
    return {
        "state": case.state,
        "round": case.round,
        "subject": inquiry["subject"],
        "language": language,
        "departments": handlers,
        "reply": reply,
    }
