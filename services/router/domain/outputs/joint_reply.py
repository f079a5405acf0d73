"""The text of a joint reply: one paragraph a part, the department's words unchanged."""

from __future__ import annotations

from typing import Any

from services.router.domain.case import Case
from services.router.domain.city_index import CityIndex


def joint_reply(case: Case, directory: CityIndex) -> dict[str, Any]:
    """The parts joined into one answer: lead first, one paragraph a part, each under its department's name, words unchanged."""
    language = (case.inquiry or {})["language"]
    paragraphs = [
        {"department": part.department, "name": directory.name(part.department, language), "text": part.text or ""}
        for part in case.active_parts
    ]
    text = "\n\n".join(f"【{one['name']}】\n{one['text']}" for one in paragraphs)
    return {"text": text, "paragraphs": paragraphs}
