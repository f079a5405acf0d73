"""The text of a joint reply: one paragraph a part, the department's words unchanged."""

from typing import TypedDict

from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex


class ParagraphFields(TypedDict):
    """One part of the reply."""

    department: str
    name: str
    text: str


class ReplyFields(TypedDict):
    """The whole text and its paragraphs, as `contracts.resident_messages.Reply` reads them."""

    text: str
    paragraphs: list[ParagraphFields]


def joint_reply(case: Case, language: str, directory: CityIndex) -> ReplyFields:
    """Lead first, each paragraph under its department's name."""
    paragraphs: list[ParagraphFields] = [
        {"department": part.department, "name": directory.name(part.department, language), "text": part.text or ""}
        for part in case.active_parts
    ]
    text = "\n\n".join(f"【{one['name']}】\n{one['text']}" for one in paragraphs)
    return {"text": text, "paragraphs": paragraphs}
