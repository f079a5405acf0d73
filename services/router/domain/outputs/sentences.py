"""The sentences for residents, in Chinese and English."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypedDict

from services.router.domain import facts
from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex
from services.router.domain.facts import Fact
from services.router.domain.words import FactWords

SENTENCES: Mapping[type[Fact], tuple[str, str]] = {
    facts.Registered: (
        "您的诉求已登记，编号 {inquiry_id}。",
        "Your message is registered under the number {inquiry_id}.",
    ),
    facts.Triaged: (
        "您的诉求正由人工研判，确定办理部门。",
        "A person is looking at your message to find the department that must answer.",
    ),
    facts.Assigned: (
        "您的诉求已派单：{handlers}。首次答复时限 {first_reply}。",
        "Your message is with {handlers}. You will hear from them by {first_reply}.",
    ),
    facts.Replied: ("{department}告知进展：{text}", "{department} writes: {text}"),
    facts.Answered: ("您的诉求已答复。\n\n{reply}", "Your message is answered.\n\n{reply}"),
    facts.Rated: ("您的评价已记录，谢谢。", "Your rating is recorded. Thank you."),
    facts.Accepted: ("{department}已受理。", "{department} has taken up your message."),
    facts.Contributed: ("{department}已提交办理意见。", "{department} has handed in its share of the answer."),
    facts.Returned: (
        "{department}已退单，将改派其他部门。",
        "{department} has given its part back; somebody else will be found.",
    ),
    facts.Withdrawn: ("{department}不再承办。", "{department} no longer handles your message."),
}


class HandlerFields(TypedDict):
    """A department that handles the inquiry, as its resident may see it."""

    code: str
    name: str
    role: str
    state: str
    due_at: str


def sentence(
    case: Case, fact: Fact, said: FactWords, handlers: Sequence[HandlerFields], reply: str, directory: CityIndex
) -> str:
    """What the resident is told of a fact, in the language of the message; `reply` is the joint reply's text."""
    language = case.inquiry.language if case.inquiry else "zh"
    words = SENTENCES[type(fact)][1 if language == "en" else 0]
    match fact:
        case facts.Registered():
            return words.format(inquiry_id=case.inquiry_id)
        case facts.Assigned():
            return words.format(handlers=_handlers(handlers, language), first_reply=_first_reply(case, directory))
        case facts.Replied():
            return words.format(department=directory.name(fact.department, language), text=said.get("text") or "")
        case facts.Answered():
            return words.format(reply=reply)
        case facts.Accepted() | facts.Contributed() | facts.Returned() | facts.Withdrawn():
            return words.format(department=directory.name(fact.department, language))
    return words


def _handlers(handlers: Sequence[HandlerFields], language: str) -> str:
    """The departments by name: who leads, who handles with it."""
    lead = [one["name"] for one in handlers if one["role"] == "lead"]
    others = [one["name"] for one in handlers if one["role"] != "lead"]
    if language == "en":
        return ", ".join(lead) + (f" (leading), with {', '.join(others)}" if others else "")
    return f"{'、'.join(lead)}主办" + (f"，{'、'.join(others)}协办" if others else "")


def _first_reply(case: Case, directory: CityIndex) -> str:
    """The earliest first-reply time of the open parts, on the city's own clock."""
    earliest = min(part.due["first_reply"] for part in case.active_parts)
    return datetime.fromisoformat(earliest).astimezone(directory.zone).replace(tzinfo=None).isoformat(" ", "minutes")
