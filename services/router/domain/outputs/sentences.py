"""The sentences for residents, in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from shared.contracts.facts import Fact

SENTENCES: Mapping[str, tuple[str, str]] = {
    "inquiry.registered": (
        "您的诉求已登记，编号 {inquiry_id}。",
        "Your message is registered under the number {inquiry_id}.",
    ),
    "inquiry.triaged": (
        "您的诉求正由人工研判，确定办理部门。",
        "A person is looking at your message to find the department that must answer.",
    ),
    "inquiry.assigned": (
        "您的诉求已派单：{handlers}。首次答复时限 {first_reply}。",
        "Your message is with {handlers}. You will hear from them by {first_reply}.",
    ),
    "inquiry.replied": ("{department}告知进展：{text}", "{department} writes: {text}"),
    "inquiry.answered": ("您的诉求已答复。\n\n{reply}", "Your message is answered.\n\n{reply}"),
    "inquiry.rated": ("您的评价已记录，谢谢。", "Your rating is recorded. Thank you."),
    "part.accepted": ("{department}已受理。", "{department} has taken up your message."),
    "part.contributed": ("{department}已提交办理意见。", "{department} has handed in its share of the answer."),
    "part.returned": (
        "{department}已退单，将改派其他部门。",
        "{department} has given its part back; somebody else will be found.",
    ),
    "part.withdrawn": ("{department}不再承办。", "{department} no longer handles your message."),
}


def told(case: Case, fact: Fact, picture: Mapping[str, Any], directory: CityIndex) -> str:
    """What the resident is told of one fact, in the language of the message."""
    language = picture["language"]
    sentence = SENTENCES[fact.type][1 if language == "en" else 0]
    department = fact.data.get("department")
    return sentence.format(
        inquiry_id=case.inquiry_id,
        department=directory.name(department, language) if department else "",
        text=fact.data.get("text", ""),
        handlers=_handlers(picture) if fact.type == "inquiry.assigned" else "",
        first_reply=_first_reply(case, directory) if fact.type == "inquiry.assigned" else "",
        reply=picture["reply"]["text"] if picture["reply"] else "",
    )


def _handlers(picture: Mapping[str, Any]) -> str:
    """The departments by name: who leads, who handles with it."""
    lead = [one["name"] for one in picture["departments"] if one["role"] == "lead"]
    others = [one["name"] for one in picture["departments"] if one["role"] != "lead"]
    if picture["language"] == "en":
        return ", ".join(lead) + (f" (leading), with {', '.join(others)}" if others else "")
    return f"{'、'.join(lead)}主办" + (f"，{'、'.join(others)}协办" if others else "")


def _first_reply(case: Case, directory: CityIndex) -> str:
    """The earliest first-reply time of the open parts, on the city's own clock."""
    earliest = min(part.due["first_reply"] for part in case.active_parts)
    return datetime.fromisoformat(earliest).astimezone(directory.zone).replace(tzinfo=None).isoformat(" ", "minutes")
